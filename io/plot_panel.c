/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the dimensions of a variable mean in its picture: axis, colour, dash, or neither. */
#include <string.h>

#include "io/plot_impl.h"

/* Where a variable's own dimensions are known from. */
typedef struct {
    const nnd_variable *variable; /* of the model's table, or NULL */
    nnd_source source;
} origin;

static nnd_source source_of(const nnd_frame *frame, const char *name) {
    nnd_source source = {frame, frame != NULL ? nnd_frame_find(frame, name) : NULL, NULL};
    char se[NND_PLOT_TEXT];
    snprintf(se, sizeof se, "%s_se", name);
    if (source.array != NULL)
        source.se = nnd_frame_find(frame, se);
    /* An error belongs to its variable point by point. */
    if (source.se != NULL && (source.se->ndims != source.array->ndims ||
                              memcmp(source.se->dim, source.array->dim,
                                     source.array->ndims * sizeof source.array->dim[0]) != 0))
        source.se = NULL;
    return source;
}

static const nnd_dim *dim_at(const nnd_source *source, size_t i) {
    return nnd_frame_dim(source->frame, source->array->dim[i]);
}

static const nnd_dim *dim_named(const nnd_source *source, const char *name) {
    if (source->array == NULL)
        return NULL;
    size_t axis = nnd_array_axis(source->frame, source->array, name);
    return axis < source->array->ndims ? dim_at(source, axis) : NULL;
}

static bool is_listed(const char *dims, const char *name) {
    size_t length = strlen(name);
    for (const char *at = dims; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word + (at[word] == ',');
    }
    return false;
}

/* True for a dimension of the variable itself, false for one of the sweep. What no table knows is
 * read from the order of the dimensions: sweep, size, own. */
static bool is_own(const origin *o, size_t i) {
    if (o->variable != NULL)
        return is_listed(o->variable->dims, dim_at(&o->source, i)->name);
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

typedef bool (*wanted)(const nnd_dim *dim, bool own);

static bool own_time(const nnd_dim *dim, bool own) {
    return own && strcmp(dim->name, "t") == 0;
}

static bool own_continuum(const nnd_dim *dim, bool own) {
    return own && dim->kind == NND_COORD_REAL;
}

static bool sweep_number(const nnd_dim *dim, bool own) {
    return !own && dim->kind != NND_COORD_TEXT;
}

static bool own_any(const nnd_dim *dim, bool own) {
    (void)dim;
    return own;
}

static bool sweep_any(const nnd_dim *dim, bool own) {
    (void)dim;
    return !own;
}

static const nnd_dim *choose_x(const origin *o, const nnd_dim *size) {
    static const wanted order[] = {own_time, own_continuum, sweep_number, own_any, sweep_any};
    for (size_t r = 0; r < sizeof order / sizeof *order; r++)
        for (size_t i = 0; i < o->source.array->ndims; i++) {
            const nnd_dim *dim = dim_at(&o->source, i);
            if (dim->length > 1 && !is_size(dim) && order[r](dim, is_own(o, i)))
                return dim;
        }
    return size != NULL && size->length > 1 ? size : NULL;
}

/* The two dimensions of a heat map, if the variable is a matrix of samples, layers or times. */
static bool choose_heat(const nnd_source *source, const nnd_dim **x, const nnd_dim **y) {
    static const char *const pairs[][2] = {{"t", "s"}, {"mu", "nu"}, {"layer", "layer2"}};
    const nnd_dim *time = dim_named(source, "t");
    bool in_time = time != NULL && time->length > 1;
    for (size_t i = 0; i < (in_time ? 1 : sizeof pairs / sizeof *pairs); i++) {
        *x = dim_named(source, pairs[i][0]);
        *y = dim_named(source, pairs[i][1]);
        if (*x != NULL && *y != NULL && (*x)->length > 1 && (*y)->length > 1)
            return true;
    }
    *y = NULL;
    return false;
}

static bool is_key(const nnd_panel *panel, const nnd_dim *dim) {
    for (size_t k = 0; k < panel->keys; k++)
        if (strcmp(panel->key[k].dim->name, dim->name) == 0)
            return true;
    return false;
}

static bool same_name(const nnd_dim *a, const nnd_dim *b) {
    return a != NULL && b != NULL && strcmp(a->name, b->name) == 0;
}

static void add_keys(nnd_panel *panel, const nnd_source *source) {
    for (size_t i = 0; source->array != NULL && i < source->array->ndims; i++) {
        const nnd_dim *dim = dim_at(source, i);
        bool taken = is_size(dim) || same_name(dim, panel->x) || same_name(dim, panel->y) ||
                     is_key(panel, dim);
        if (!taken && dim->length > 1 && panel->keys < NND_MAX_DIMS)
            panel->key[panel->keys++] = (nnd_plot_key){dim, dim->length};
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

void nnd_panel_make(const nnd_result *result, const char *name, const nnd_plot_options *options,
                    nnd_panel *panel) {
    *panel = (nnd_panel){
        .name = name,
        .theory = source_of(result->theory, name),
        .mc = source_of(result->mc, name),
        .log_x = options->log_x,
        .log_y = options->log_y,
    };
    const nnd_model *model = nnd_plot_model(result);
    origin o = {model != NULL ? nnd_model_variable(model, name) : NULL,
                panel->theory.array != NULL ? panel->theory : panel->mc};
    panel->gaps = o.variable == NULL || o.variable->nullable;
    panel->size = dim_named(&panel->mc, "size");
    if (!choose_heat(&o.source, &panel->x, &panel->y))
        panel->x = choose_x(&o, panel->size);
    if (same_name(panel->x, panel->size))
        panel->size = NULL;
    add_keys(panel, &o.source);
    add_keys(panel, &panel->mc);
    size_t sweep = 0;
    for (size_t i = 0; i < o.source.array->ndims; i++)
        sweep += !is_own(&o, i) && is_key(panel, dim_at(&o.source, i));
    panel->colour_keys = sweep > 0 ? sweep : (panel->keys > 0 ? 1 : 0);
    panel->all_curves = 1;
    for (size_t k = 0; k < panel->keys; k++)
        panel->all_curves *= panel->key[k].count;
    thin(panel, panel->y != NULL ? 1 : NND_PLOT_CURVES);
}

size_t nnd_plot_key_at(const nnd_plot_key *key, size_t i) {
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

size_t nnd_panel_sizes(const nnd_panel *panel) {
    return panel->size != NULL ? panel->size->length : 1;
}

/* Position in its dimension of key k of a curve. */
static size_t key_position(const nnd_panel *panel, size_t k, size_t curve) {
    size_t inner = product(panel, k + 1, panel->keys);
    return nnd_plot_key_at(&panel->key[k], curve / inner % panel->key[k].count);
}

void nnd_panel_describe(const nnd_panel *panel, size_t from, size_t to, size_t curve, size_t size,
                        char *text) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = from; k < to && used < size; k++) {
        const nnd_dim *dim = panel->key[k].dim;
        char value[NND_PLOT_LABEL];
        nnd_coord_text(dim, key_position(panel, k, curve), sizeof value, value);
        used += (size_t)snprintf(text + used, size - used, "%s%s = %s", k > from ? ", " : "",
                                 dim->name, value);
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
