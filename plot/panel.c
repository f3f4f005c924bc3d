/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the dimensions of a variable mean in its picture: axis, colour, dash, or neither. */
#include <math.h>
#include <string.h>

#include "core/text.h"
#include "io/export_impl.h"
#include "plot/plot_impl.h"

/* Where a variable's own dimensions are known from. */
typedef struct {
    const nnd_variable *variable; /* of the model's table, or NULL */
    nnd_source source;
} origin;

nnd_source nnd_source_of(const nnd_frame *frame, const char *name) {
    nnd_source source = {frame, frame != NULL ? nnd_frame_find(frame, name) : NULL, NULL};
    if (source.array != NULL)
        source.se = nnd_export_error_of(frame, source.array);
    return source;
}

static const nnd_dim *dim_at(const nnd_source *source, size_t i) {
    return nnd_frame_dim(source->frame, source->array->dim[i]);
}

static const nnd_dim *dim_named(const nnd_source *source, const char *name) {
    if (source->array == NULL || name == NULL)
        return NULL;
    size_t axis = nnd_array_axis(source->frame, source->array, name);
    return axis < source->array->ndims ? dim_at(source, axis) : NULL;
}

/* True for a dimension of the variable itself, false for one of the sweep. What no table knows is
 * read from the order of the dimensions: sweep, size, own. */
static bool is_own(const origin *o, size_t i) {
    if (o->variable != NULL)
        return nnd_variable_has_dim(o->variable, dim_at(&o->source, i)->name);
    static const char *const borders[] = {"size", "t"};
    for (size_t b = 0; b < 2; b++) {
        size_t border = nnd_array_axis(o->source.frame, o->source.array, borders[b]);
        if (border < o->source.array->ndims)
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

static bool same_name(const nnd_dim *a, const nnd_dim *b) {
    return a != NULL && b != NULL && strcmp(a->name, b->name) == 0;
}

static bool is_pinned(const nnd_panel *panel, const nnd_dim *dim) {
    return same_name(dim, panel->facet.dim) || same_name(dim, panel->instant.dim);
}

static const nnd_dim *choose_x(const origin *o, const nnd_panel *panel) {
    const nnd_dim *x = panel->size != NULL && panel->size->length > 1 ? panel->size : NULL;
    int least = 5;
    for (size_t i = 0; i < o->source.array->ndims; i++) {
        const nnd_dim *dim = dim_at(&o->source, i);
        if (dim->length < 2 || is_size(dim) || is_pinned(panel, dim) ||
            reluctance(dim, is_own(o, i)) >= least)
            continue;
        x = dim;
        least = reluctance(dim, is_own(o, i));
    }
    return x;
}

/* The two dimensions of a heat map, if the variable is a matrix of samples, layers or times. One
 * that moves in time is drawn as curves of its entries unless these are too many, and then at its
 * first and last time. */
static bool choose_heat(const nnd_source *source, nnd_panel *panel) {
    static const char *const pairs[][2] = {
        {"t", "s"}, {"mu", "nu"}, {"test", "mu"}, {"layer", "layer2"}};
    const nnd_dim *time = dim_named(source, "t");
    bool in_time = time != NULL && time->length > 1;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const nnd_dim *x = dim_named(source, pairs[i][0]), *y = dim_named(source, pairs[i][1]);
        if (x == NULL || y == NULL || x->length < 2 || y->length < 2)
            continue;
        if (in_time && x != time) {
            if (x->length * y->length <= NND_PLOT_ENTRIES)
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
        bool taken = is_size(dim) || same_name(dim, panel->x) || same_name(dim, panel->y) ||
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
static void keep_ranks(const origin *o, nnd_panel *panel) {
    const nnd_dim *rank = dim_named(&o->source, panel->drawing->rank);
    nnd_plot_key *key = panel->keys > 0 ? &panel->key[panel->keys - 1] : NULL;
    if (key == NULL || !same_name(rank, key->dim))
        return;
    panel->ranked = true;
    if (dim_named(&panel->theory, rank->name) == NULL)
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

static void assign_axes(const origin *o, nnd_panel *panel) {
    const nnd_drawing *drawing = panel->drawing;
    panel->size = dim_named(&panel->mc, "size");
    panel->facet.dim = dim_named(&o->source, drawing->facet);
    if (drawing->last)
        panel->instant.dim = dim_named(&o->source, "t");
    if (panel->instant.dim != NULL)
        panel->instant.at = panel->instant.dim->length - 1;
    panel->x = dim_named(&o->source, drawing->x);
    panel->y = dim_named(&o->source, drawing->y);
    if (panel->x != NULL && panel->x->length == 1 && panel->scaling == NULL)
        panel->x = NULL;
    if (panel->x == NULL && !choose_heat(&o->source, panel))
        panel->x = choose_x(o, panel);
    if (same_name(panel->x, panel->size))
        panel->size = NULL;
}

/* Logarithmic axes that the drawing asks for. */
static void choose_scales(nnd_panel *panel) {
    const nnd_drawing *drawing = panel->drawing;
    if (panel->x == NULL || drawing->x == NULL || strcmp(panel->x->name, drawing->x) != 0)
        return;
    panel->log_x |= drawing->log == NND_LOG_X || drawing->log == NND_LOG_XY;
    panel->log_y |= drawing->log == NND_LOG_Y || drawing->log == NND_LOG_XY;
}

static void count_curves(const origin *o, nnd_panel *panel) {
    size_t sweep = 0, most = panel->drawing->most > 0 ? panel->drawing->most : NND_PLOT_CURVES;
    for (size_t i = 0; i < o->source.array->ndims; i++)
        sweep += !is_own(o, i) && is_key(panel, dim_at(&o->source, i));
    panel->colour_keys = sweep > 0 ? sweep : (panel->keys > 0 && !panel->ranked ? 1 : 0);
    panel->all_curves = 1;
    for (size_t k = 0; k < panel->keys; k++)
        panel->all_curves *= panel->key[k].count;
    thin(panel, panel->y != NULL ? 1 : most);
}

void nnd_panel_make(const nnd_result *result, const nnd_plot_choice *choice, const char *name,
                    const nnd_plot_options *options, nnd_panel *panel) {
    static const nnd_drawing plain = {.x = NULL};
    const nnd_variable *v = choice->model != NULL ? nnd_model_variable(choice->model, name) : NULL;
    *panel = (nnd_panel){
        .name = name,
        .model = choice->model,
        .drawing = choice->view != NULL ? &choice->view->drawing
                   : v != NULL          ? &v->drawing
                                        : &plain,
        .scaling = choice->view != NULL ? choice->view->scaling : NULL,
        .theory = nnd_source_of(result->theory, name),
        .mc = nnd_source_of(result->mc, name),
        .log_x = options->log_x,
        .log_y = options->log_y,
    };
    origin o = {v, panel->theory.array != NULL ? panel->theory : panel->mc};
    panel->gaps = v == NULL || v->nullable || panel->drawing->gaps;
    assign_axes(&o, panel);
    choose_scales(panel);
    add_keys(panel, &o.source);
    keep_ranks(&o, panel);
    add_keys(panel, &panel->mc);
    count_curves(&o, panel);
}

bool nnd_panel_is_histogram(const nnd_panel *panel) {
    return panel->drawing->histogram && !nnd_plot_is_category(panel->x) && panel->y == NULL &&
           strcmp(panel->x->name, panel->drawing->x) == 0;
}

/* Position in its dimension of the i-th value that is drawn of a key. */
static size_t drawn_at(const nnd_plot_key *key, size_t i) {
    if (key->leading)
        return i;
    if (key->count < 2)
        return 0;
    return (i * (key->dim->length - 1) + (key->count - 1) / 2) / (key->count - 1);
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

size_t nnd_panel_cells(const nnd_panel *panel) {
    return panel->facet.dim != NULL ? panel->facet.dim->length : 1;
}

void nnd_panel_place(const nnd_panel *panel, size_t size, char *text) {
    char value[NND_PLOT_LABEL];
    const nnd_dim *facet = panel->facet.dim, *t = panel->instant.dim;
    nnd_text place = nnd_text_in(size, text);
    if (facet != NULL) {
        bool number = facet->kind != NND_COORD_TEXT;
        nnd_coord_text(facet, panel->facet.at, sizeof value, value);
        nnd_text_add(&place, ", %s%s%s", number ? facet->name : "", number ? " " : "", value);
    }
    if (t != NULL) {
        nnd_coord_text(t, panel->instant.at, sizeof value, value);
        nnd_text_add(&place, " at %s = %s", t->name, value);
    }
}

size_t nnd_panel_sizes(const nnd_panel *panel) {
    return panel->size != NULL ? panel->size->length : 1;
}

/* Position in its dimension of key k of a curve. */
static size_t key_position(const nnd_panel *panel, size_t k, size_t curve) {
    size_t inner = product(panel, k + 1, panel->keys);
    return drawn_at(&panel->key[k], curve / inner % panel->key[k].count);
}

void nnd_panel_describe(const nnd_panel *panel, size_t from, size_t to, size_t curve, size_t size,
                        char *text) {
    nnd_text list = nnd_text_in(size, text);
    for (size_t k = from; k < to; k++) {
        const nnd_dim *dim = panel->key[k].dim;
        char value[NND_PLOT_LABEL];
        nnd_coord_text(dim, key_position(panel, k, curve), sizeof value, value);
        nnd_text_item(&list, ", ", "%s = %s", nnd_plot_symbol(panel, dim->name), value);
    }
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

/* Finds the position along one dimension of a source that is not an axis. */
static bool position(const nnd_panel *panel, const nnd_dim *dim, size_t curve, size_t size,
                     size_t *at) {
    *at = 0;
    if (same_name(dim, panel->size))
        *at = size;
    if (same_name(dim, panel->facet.dim))
        *at = nnd_coord_find(dim, panel->facet.dim, panel->facet.at);
    if (same_name(dim, panel->instant.dim))
        *at = nnd_coord_find(dim, panel->instant.dim, panel->instant.at);
    for (size_t k = 0; k < panel->keys; k++)
        if (same_name(dim, panel->key[k].dim))
            *at = nnd_coord_find(dim, panel->key[k].dim, key_position(panel, k, curve));
    return *at < dim->length;
}

bool nnd_panel_offset(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                      size_t *offset) {
    *offset = 0;
    if (source->array == NULL)
        return false;
    /* A source without one of the keys is drawn once. */
    for (size_t k = 0; k < panel->keys; k++)
        if (dim_named(source, panel->key[k].dim->name) == NULL &&
            curve / product(panel, k + 1, panel->keys) % panel->key[k].count > 0)
            return false;
    for (size_t i = 0; i < source->array->ndims; i++) {
        const nnd_dim *dim = dim_at(source, i);
        size_t at;
        if (same_name(dim, panel->x) || same_name(dim, panel->y))
            continue;
        if (!position(panel, dim, curve, size, &at))
            return false;
        *offset += at * nnd_source_stride(source, dim);
    }
    return true;
}
