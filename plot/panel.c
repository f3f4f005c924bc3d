/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the dimensions of a variable mean in its picture: axis, colour, dash, or neither. */
#include <math.h>
#include <string.h>

#include "io/export_impl.h"
#include "models/moments.h"
#include "plot/panel.h"
#include "plot/style.h"

enum {
    SEED_CELLS = 6,   /* of times at which seeds are shown */
    MOST_CURVES = 24, /* in a cell */
    MOST_ENTRIES = 12 /* of a matrix that are drawn as curves in time */
};

nnd_source nnd_source_of(const nnd_frame *frame, const char *name) {
    const nnd_array *array = frame != NULL && name != NULL ? nnd_frame_find(frame, name) : NULL;
    nnd_source source = {frame, array, NULL};
    if (source.array != NULL)
        source.se = nnd_export_error_of(frame, source.array);
    return source;
}

static const nnd_dim *dim_at(const nnd_source *source, size_t i) {
    return nnd_frame_dim(source->frame, source->array->dim[i]);
}

const nnd_dim *nnd_source_dim(const nnd_source *source, const char *name) {
    if (source->array == NULL || name == NULL)
        return NULL;
    size_t axis = nnd_array_axis(source->frame, source->array, name);
    return axis < source->array->ndims ? dim_at(source, axis) : NULL;
}

size_t nnd_source_stride(const nnd_source *source, const nnd_dim *dim) {
    size_t axis = nnd_array_axis(source->frame, source->array, dim->name);
    if (axis == source->array->ndims)
        return 0;
    size_t stride = 1;
    for (size_t i = axis + 1; i < source->array->ndims; i++)
        stride *= source->array->shape[i];
    return stride;
}

bool nnd_dim_is(const nnd_dim *a, const nnd_dim *b) {
    return a != NULL && b != NULL && strcmp(a->name, b->name) == 0;
}

bool nnd_dim_is_category(const nnd_dim *dim) {
    return dim == NULL || dim->kind == NND_COORD_TEXT;
}

bool nnd_dim_has_infinity(const nnd_dim *dim) {
    for (size_t i = 0; !nnd_dim_is_category(dim) && i < dim->length; i++)
        if (!isfinite(dim->value[i]))
            return true;
    return false;
}

/* True for a dimension of the variable itself, false for one of the sweep. What no table knows is
 * read from the order of the dimensions: sweep, size, own. */
static bool is_own(const nnd_panel *panel, const nnd_source *source, size_t i) {
    const nnd_variable *v = nnd_panel_variable(panel);
    if (v != NULL)
        return nnd_variable_has_dim(v, dim_at(source, i)->name);
    static const char *const borders[] = {"size", "t"};
    for (size_t b = 0; b < 2; b++) {
        size_t border = nnd_array_axis(source->frame, source->array, borders[b]);
        if (border < source->array->ndims)
            return i >= border;
    }
    return true;
}

static bool is_size(const nnd_dim *dim) {
    return strcmp(dim->name, "size") == 0;
}

/* How willingly a dimension becomes the axis, 0 most: time, other continua, numbers of a sweep. */
static int reluctance(const nnd_dim *dim, bool own) {
    if (own)
        return strcmp(dim->name, "t") == 0 ? 0 : dim->kind == NND_COORD_REAL ? 1 : 3;
    return dim->kind != NND_COORD_TEXT ? 2 : 4;
}

static bool is_pinned(const nnd_panel *panel, const nnd_dim *dim) {
    return nnd_dim_is(dim, panel->facet.dim) || nnd_dim_is(dim, panel->instant.dim);
}

static const nnd_dim *choose_x(const nnd_panel *panel, const nnd_source *source) {
    const nnd_dim *x = panel->size != NULL && panel->size->length > 1 ? panel->size : NULL;
    int least = 5;
    for (size_t i = 0; i < source->array->ndims; i++) {
        const nnd_dim *dim = dim_at(source, i);
        if (dim->length < 2 || is_size(dim) || is_pinned(panel, dim) ||
            reluctance(dim, is_own(panel, source, i)) >= least)
            continue;
        x = dim;
        least = reluctance(dim, is_own(panel, source, i));
    }
    return x;
}

/* The two dimensions of a heat map, if the variable is a matrix of samples, layers or times. One
 * that moves in time is drawn as curves of its entries unless these are too many, and then at its
 * first and last time. */
static bool choose_heat(nnd_panel *panel, const nnd_source *source) {
    static const char *const pairs[][2] = {
        {"t", "s"}, {"mu", "nu"}, {"test", "mu"}, {"layer", "layer2"}};
    const nnd_dim *time = nnd_source_dim(source, "t");
    bool in_time = time != NULL && time->length > 1;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const nnd_dim *x = nnd_source_dim(source, pairs[i][0]),
                      *y = nnd_source_dim(source, pairs[i][1]);
        if (x == NULL || y == NULL || x->length < 2 || y->length < 2)
            continue;
        if (in_time && x != time) {
            if (x->length * y->length <= MOST_ENTRIES)
                return false;
            panel->instant = (nnd_plot_pin){time, time->length - 1};
            panel->before_after = true;
        }
        panel->x = x;
        panel->y = y;
        return true;
    }
    return false;
}

static bool is_key(const nnd_panel *panel, const nnd_dim *dim) {
    for (size_t k = 0; k < panel->keys; k++)
        if (strcmp(panel->key[k].dim->name, dim->name) == 0)
            return true;
    return false;
}

static void add_keys(nnd_panel *panel, const nnd_source *source) {
    for (size_t i = 0; source->array != NULL && i < source->array->ndims; i++) {
        const nnd_dim *dim = dim_at(source, i);
        bool taken = is_size(dim) || nnd_dim_is(dim, panel->x) || nnd_dim_is(dim, panel->y) ||
                     is_pinned(panel, dim) || is_key(panel, dim);
        if (!taken && dim->length > 1 && panel->keys < NND_MAX_DIMS)
            panel->key[panel->keys++] = (nnd_plot_key){dim, dim->length, false};
    }
}

/* Draws fewer values of the longest keys until there are at most `limit` curves. */
static void thin(nnd_panel *panel, size_t limit) {
    for (;;) {
        size_t product = 1, longest = 0;
        for (size_t k = 0; k < panel->keys; k++) {
            product *= panel->key[k].count;
            if (panel->key[k].count > panel->key[longest].count)
                longest = k;
        }
        panel->curves = product;
        if (product <= limit)
            return;
        panel->key[longest].count--;
    }
}

/* Outliers that the theory never has are left out. */
static void keep_ranks(nnd_panel *panel, const nnd_source *source) {
    const nnd_dim *rank = nnd_source_dim(source, panel->drawing->rank);
    nnd_plot_key *key = panel->keys > 0 ? &panel->key[panel->keys - 1] : NULL;
    if (key == NULL || !nnd_dim_is(rank, key->dim))
        return;
    panel->ranked = true;
    if (nnd_source_dim(&panel->theory, rank->name) == NULL)
        return;
    size_t stride = nnd_source_stride(&panel->theory, rank), ranks = 1;
    for (size_t i = 0; i < panel->theory.array->count; i++) {
        size_t at = i / stride % rank->length;
        if (isfinite(panel->theory.array->data[i]) && at >= ranks)
            ranks = at + 1;
    }
    key->count = ranks;
    key->leading = true;
}

static void assign_axes(nnd_panel *panel, const nnd_source *source) {
    const nnd_drawing *drawing = panel->drawing;
    panel->size = nnd_source_dim(&panel->mc, "size");
    panel->facet.dim = nnd_source_dim(source, drawing->facet);
    panel->facets = panel->facet.dim != NULL ? panel->facet.dim->length : 1;
    if (drawing->last)
        panel->instant.dim = nnd_source_dim(source, "t");
    if (panel->instant.dim != NULL)
        panel->instant.at = panel->instant.dim->length - 1;
    panel->x = nnd_source_dim(source, drawing->x);
    panel->y = nnd_source_dim(source, drawing->y);
    if (panel->x != NULL && panel->x->length == 1 && panel->scaling == NULL)
        panel->x = NULL;
    if (panel->x == NULL && !choose_heat(panel, source))
        panel->x = choose_x(panel, source);
    if (nnd_dim_is(panel->x, panel->size))
        panel->size = NULL;
}

/* What the drawing asks for over its own x axis. */
static void choose_style(nnd_panel *panel) {
    const nnd_drawing *drawing = panel->drawing;
    if (panel->x == NULL || drawing->x == NULL || strcmp(panel->x->name, drawing->x) != 0)
        return;
    panel->histogram = drawing->histogram && panel->y == NULL && !nnd_dim_is_category(panel->x);
    panel->log_x |= drawing->log == NND_LOG_X || drawing->log == NND_LOG_XY;
    panel->log_y |= drawing->log == NND_LOG_Y || drawing->log == NND_LOG_XY;
    if (panel->histogram) /* boxes stand on zero */
        panel->log_x = panel->log_y = false;
}

static void count_curves(nnd_panel *panel, const nnd_source *source) {
    size_t sweep = 0, most = panel->drawing->most > 0 ? panel->drawing->most : MOST_CURVES;
    for (size_t i = 0; i < source->array->ndims; i++)
        sweep += !is_own(panel, source, i) && is_key(panel, dim_at(source, i));
    panel->colour_keys = sweep > 0 ? sweep : (panel->keys > 0 && !panel->ranked ? 1 : 0);
    if (panel->histogram) /* a box has no dashes */
        panel->colour_keys = panel->keys;
    panel->all_curves = 1;
    for (size_t k = 0; k < panel->keys; k++)
        panel->all_curves *= panel->key[k].count;
    thin(panel, panel->y != NULL ? 1 : most);
}

const nnd_guide *nnd_panel_guide(const nnd_panel *panel, nnd_guide_kind kind) {
    for (const nnd_guide *g = panel->drawing->guides; g != NULL && g->name != NULL; g++)
        if (g->kind == kind)
            return g;
    return NULL;
}

/* ---- ridges ---- */

/* Base lines are so far apart, as a part of the highest curve. */
static const double OVERLAP = 0.45;

static size_t ridge_key(const nnd_panel *panel) {
    size_t k = 0;
    while (k < panel->keys && (panel->drawing->ridge == NULL ||
                               strcmp(panel->key[k].dim->name, panel->drawing->ridge) != 0))
        k++;
    return k;
}

const nnd_plot_key *nnd_panel_ridge(const nnd_panel *panel) {
    size_t k = panel->lift > 0.0 ? ridge_key(panel) : panel->keys;
    return k < panel->keys ? &panel->key[k] : NULL;
}

double nnd_panel_lift(const nnd_panel *panel, size_t curve) {
    if (nnd_panel_ridge(panel) == NULL)
        return 0.0;
    return panel->lift * (double)nnd_panel_key(panel, ridge_key(panel), curve);
}

/* Only curves of which theory, or else the simulation, has several along that dimension. */
static void lift_curves(nnd_panel *panel, const nnd_source *source) {
    double highest = 0.0;
    if (ridge_key(panel) == panel->keys || panel->y != NULL || panel->log_y)
        return;
    for (size_t i = 0; i < source->array->count; i++)
        if (isfinite(source->array->data[i]))
            highest = fmax(highest, source->array->data[i]);
    panel->lift = OVERLAP * highest;
}

/* The theory of a histogram is the law that stands beside it. */
static void take_law(nnd_panel *panel) {
    const nnd_guide *law = panel->histogram ? nnd_panel_guide(panel, NND_GUIDE_LINE) : NULL;
    panel->law = law != NULL ? law->label : "theory";
    if (law != NULL)
        panel->theory = nnd_source_of(panel->theory.frame, law->name);
}

/* The law of seeds, at as many times as can be looked at. */
static void tell_law(nnd_panel *panel, size_t panels) {
    const char *bias = nnd_moments_of(panel->model, panel->name).bias;
    bool biased = nnd_source_of(panel->theory.frame, bias).array != NULL;
    panel->law = biased ? "normal law of theory" : "normal law of theory, without bias";
    size_t most = panels < SEED_CELLS ? SEED_CELLS / panels : 1;
    if (panel->facets > most)
        panel->facets = most;
}

void nnd_panel_make(const nnd_result *result, const nnd_plot_choice *choice, const char *name,
                    const nnd_plot_options *options, nnd_panel *panel) {
    static const nnd_drawing plain = {.x = NULL};
    static const nnd_drawing seeds = {.x = "seed", .facet = "t", .histogram = true, .most = 4};
    const nnd_variable *v = choice->model != NULL ? nnd_model_variable(choice->model, name) : NULL;
    *panel = (nnd_panel){
        .name = name,
        .model = choice->model,
        .seeds = choice->view != NULL && choice->view->seeds,
        .scatter = choice->view != NULL && choice->view->scatter,
        .drawing = choice->view != NULL ? &choice->view->drawing
                   : v != NULL          ? &v->drawing
                                        : &plain,
        .scaling = choice->view != NULL ? choice->view->scaling : NULL,
        .theory = nnd_source_of(result->theory, name),
        .mc = nnd_source_of(result->mc, name),
        .log_x = options->log_x,
        .log_y = options->log_y,
        .hover = options->hover,
        .captioned = options->style != NND_STYLE_WEB,
    };
    if (panel->seeds) {
        panel->drawing = &seeds;
        panel->mc = nnd_source_of(result->seeds, name);
    }
    if (panel->scatter) {
        panel->theory = nnd_source_of(NULL, NULL);
        panel->mc = nnd_source_of(result->seeds, name);
    }
    const nnd_source source =
        panel->theory.array != NULL && !panel->seeds ? panel->theory : panel->mc;
    panel->gaps = v == NULL || v->nullable || panel->drawing->gaps;
    assign_axes(panel, &source);
    choose_style(panel);
    add_keys(panel, &source);
    keep_ranks(panel, &source);
    add_keys(panel, &panel->mc);
    count_curves(panel, &source);
    panel->last_size = panel->histogram || panel->y != NULL || panel->scatter;
    take_law(panel);
    if (panel->seeds)
        tell_law(panel, choice->count);
    lift_curves(panel, &source);
}

const nnd_variable *nnd_panel_variable(const nnd_panel *panel) {
    return panel->model != NULL ? nnd_model_variable(panel->model, panel->name) : NULL;
}

static size_t product(const nnd_panel *panel, size_t from, size_t to) {
    size_t n = 1;
    for (size_t k = from; k < to; k++)
        n *= panel->key[k].count;
    return n;
}

size_t nnd_panel_colours(const nnd_panel *panel) {
    return product(panel, 0, panel->colour_keys);
}

size_t nnd_panel_dashes(const nnd_panel *panel) {
    return product(panel, panel->colour_keys, panel->keys);
}

unsigned nnd_panel_colour(const nnd_panel *panel, size_t curve) {
    return nnd_plot_colour(curve / nnd_panel_dashes(panel), nnd_panel_colours(panel));
}

size_t nnd_panel_dash(const nnd_panel *panel, size_t curve) {
    size_t dashes = nnd_panel_dashes(panel);
    bool told = panel->captioned && !panel->seeds && dashes == 1 &&
                nnd_panel_colours(panel) <= NND_PLOT_DASHES;
    return told ? curve : curve % dashes;
}

bool nnd_panel_has_points(const nnd_panel *panel) {
    return panel->captioned && panel->mc.array != NULL && !panel->histogram &&
           nnd_panel_dashes(panel) == 1 && nnd_panel_sizes(panel) == 1 &&
           nnd_panel_colours(panel) > 1 && nnd_panel_colours(panel) <= NND_PLOT_OPEN;
}

size_t nnd_panel_point(const nnd_panel *panel, size_t curve, size_t size) {
    return nnd_panel_has_points(panel) ? curve : size;
}

unsigned nnd_panel_neutral(const nnd_panel *panel) {
    return nnd_panel_colours(panel) > 1 ? NND_PLOT_GREY : nnd_plot_colour(0, 1);
}

size_t nnd_panel_facets(const nnd_panel *panel) {
    return panel->facets;
}

size_t nnd_panel_facet(const nnd_panel *panel, size_t i) {
    return panel->facet.dim != NULL ? (i + 1) * panel->facet.dim->length / panel->facets - 1 : 0;
}

size_t nnd_panel_sources(const nnd_panel *panel) {
    return (size_t)(panel->theory.array != NULL) + (panel->mc.array != NULL);
}

size_t nnd_panel_cells(const nnd_panel *panel) {
    size_t times = panel->before_after ? 2 : 1;
    return nnd_panel_facets(panel) * (panel->y != NULL ? nnd_panel_sources(panel) * times : 1);
}

size_t nnd_panel_sizes(const nnd_panel *panel) {
    return panel->size != NULL && !panel->last_size ? panel->size->length : 1;
}

size_t nnd_panel_key(const nnd_panel *panel, size_t k, size_t curve) {
    return curve / product(panel, k + 1, panel->keys) % panel->key[k].count;
}

size_t nnd_panel_ridge_position(const nnd_panel *panel, size_t curve) {
    return nnd_panel_position(panel, ridge_key(panel), curve);
}

size_t nnd_panel_position(const nnd_panel *panel, size_t k, size_t curve) {
    const nnd_plot_key *key = &panel->key[k];
    size_t i = nnd_panel_key(panel, k, curve), last = key->count - 1;
    if (key->leading || last == 0)
        return i;
    return (i * (key->dim->length - 1) + last / 2) / last;
}
