/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The numbers of one curve: where they are, gaps, and thinning. */
#include <math.h>

#include "plot/trace.h"

/* Half the width of a theoretical value over a named position. */
static const double CATEGORY_WIDTH = 0.3;

/* Finds the position along one dimension of a source that is not an axis. */
static bool position(const nnd_panel *panel, const nnd_dim *dim, size_t curve, size_t size,
                     size_t *at) {
    *at = 0;
    if (nnd_dim_is(dim, panel->size))
        *at = panel->last_size ? panel->size->length - 1 : size;
    if (nnd_dim_is(dim, panel->facet.dim))
        *at = nnd_coord_find(dim, panel->facet.dim, panel->facet.at);
    if (nnd_dim_is(dim, panel->instant.dim))
        *at = nnd_coord_find(dim, panel->instant.dim, panel->instant.at);
    for (size_t k = 0; k < panel->keys; k++)
        if (nnd_dim_is(dim, panel->key[k].dim))
            *at = nnd_coord_find(dim, panel->key[k].dim, nnd_panel_position(panel, k, curve));
    return *at < dim->length;
}

bool nnd_trace_offset(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                      size_t *offset) {
    *offset = 0;
    if (source->array == NULL)
        return false;
    /* A source without one of the keys is drawn once. */
    for (size_t k = 0; k < panel->keys; k++)
        if (nnd_source_dim(source, panel->key[k].dim->name) == NULL &&
            nnd_panel_key(panel, k, curve) > 0)
            return false;
    for (size_t i = 0; i < source->array->ndims; i++) {
        const nnd_dim *dim = nnd_frame_dim(source->frame, source->array->dim[i]);
        size_t at;
        if (nnd_dim_is(dim, panel->x) || nnd_dim_is(dim, panel->y))
            continue;
        if (!position(panel, dim, curve, size, &at))
            return false;
        *offset += at * nnd_source_stride(source, dim);
    }
    return true;
}

/* Values of another variable in place of those of x. */
static bool find_across(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                        nnd_trace *trace) {
    const nnd_source across = nnd_source_of(source->frame, panel->drawing->over);
    size_t offset;
    if (!nnd_trace_offset(panel, &across, curve, size, &offset) ||
        nnd_source_stride(&across, panel->x) != trace->stride)
        return false;
    trace->across = across.array->data + offset;
    return true;
}

bool nnd_trace_find(const nnd_panel *panel, bool theory, size_t curve, size_t size,
                    nnd_trace *trace) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    size_t offset;
    if (!nnd_trace_offset(panel, source, curve, size, &offset))
        return false;
    size_t stride = panel->x != NULL ? nnd_source_stride(source, panel->x) : 0;
    bool constant = panel->x != NULL && stride == 0;
    /* A theory that does not depend on x is a level; a simulation is only where it was done. */
    if (constant && !theory)
        return false;
    *trace = (nnd_trace){
        .x = panel->x != NULL && !constant ? nnd_frame_find_dim(source->frame, panel->x->name)
                                           : panel->x,
        .y = source->array->data + offset,
        .se = source->se != NULL && !panel->histogram ? source->se->data + offset : NULL,
        .lift = nnd_panel_lift(panel, curve),
        .stride = stride,
        .gaps = panel->gaps,
        .histogram = panel->histogram,
        .log_x = panel->log_x && !nnd_dim_is_category(panel->x),
        .log_y = panel->log_y,
    };
    trace->count = trace->x != NULL ? trace->x->length : 1;
    /* A file may have numbers in one group where another has names. */
    return nnd_dim_is_category(trace->x) == nnd_dim_is_category(panel->x) &&
           (panel->drawing->over == NULL || find_across(panel, source, curve, size, trace));
}

bool nnd_trace_beside(const nnd_panel *panel, const char *name, bool theory, size_t curve,
                      size_t size, nnd_trace *trace) {
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, name);
    mine.mc = nnd_source_of(panel->mc.frame, name);
    return nnd_trace_find(&mine, theory, curve, size, trace);
}

double nnd_trace_at(const nnd_trace *trace, size_t i) {
    return trace->y[i * trace->stride];
}

bool nnd_trace_point(const nnd_trace *trace, size_t i, double *x, double *y, double *se) {
    *x = nnd_dim_is_category(trace->x) ? (double)i : trace->x->value[i];
    if (trace->across != NULL)
        *x = trace->across[i * trace->stride];
    *y = nnd_trace_at(trace, i) + trace->lift;
    *se = trace->se != NULL ? trace->se[i * trace->stride] : 0.0;
    if (!isfinite(*se))
        *se = 0.0;
    if (trace->nvar != NULL)
        *se = sqrt(trace->nvar[i * trace->nvar_stride] / trace->nvar_size);
    bool shown_x = isfinite(*x) && !(trace->log_x && *x <= 0.0);
    return shown_x && isfinite(*y) && isfinite(*se) && !(trace->log_y && *y <= 0.0);
}

size_t nnd_trace_measure(const nnd_trace *trace, nnd_span *x_span, nnd_span *y_span) {
    size_t points = 0;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        if (!nnd_trace_point(trace, i, &x, &y, &se))
            continue;
        points++;
        /* Empty bins stretch no axis. */
        if (trace->histogram && y <= 0.0)
            continue;
        nnd_span_widen(x_span, x);
        nnd_span_widen(y_span, y);
        nnd_span_widen(y_span, y + se);
        /* On a logarithmic axis a bar that comes near zero would swallow the picture. */
        if (!trace->log_y)
            nnd_span_widen(y_span, y - se);
    }
    return points;
}

bool nnd_trace_is_shown(const nnd_trace *trace) {
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    return nnd_trace_measure(trace, &x, &y) > 0;
}

static void write_point(const nnd_trace *trace, double x, double y, double se, FILE *out) {
    /* What a bar on a logarithmic axis has below zero ends far below the picture. */
    double low = trace->log_y && y - se <= 0.0 ? y * 1e-9 : y - se;
    nnd_print(out, "%.12g %.12g %.12g %.12g\n", x, y, low, y + se);
}

void nnd_trace_write_line(const nnd_trace *trace, FILE *out) {
    bool category = nnd_dim_is_category(trace->x), gap = false;
    double before = NAN;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        if (!nnd_trace_point(trace, i, &x, &y, &se)) {
            gap |= trace->gaps || !isnan(y);
            continue;
        }
        /* Between two empty bins the line would lie on the axis. */
        bool empty = trace->histogram && before <= 0.0 && y <= 0.0;
        if (!isnan(before) && (gap || category || empty))
            fputc('\n', out);
        write_point(trace, category ? x - CATEGORY_WIDTH : x, y, se, out);
        if (category)
            write_point(trace, x + CATEGORY_WIDTH, y, se, out);
        gap = false;
        before = y;
    }
}

void nnd_trace_write_points(const nnd_trace *trace, size_t limit, double phase, FILE *out) {
    nnd_span x_span = nnd_span_empty, y_span = nnd_span_empty;
    nnd_trace_measure(trace, &x_span, &y_span);
    double first = trace->log_x ? log(x_span.min) : x_span.min;
    double last = trace->log_x ? log(x_span.max) : x_span.max;
    /* The 1e-9 keeps evenly spaced points from being dropped by rounding. */
    double apart = (last - first) / (double)limit * (1.0 - 1e-9);
    bool thin = !nnd_dim_is_category(trace->x) && !trace->histogram && trace->count > limit + 1 &&
                apart > 0.0;
    double next = thin ? first + phase * apart : -INFINITY;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        if (!nnd_trace_point(trace, i, &x, &y, &se))
            continue;
        double at = trace->log_x ? log(x) : x;
        if (thin && at < next)
            continue;
        next = at + apart;
        /* On a logarithmic axis early steps are far apart and would bring all phases together. */
        if (trace->log_x && thin)
            next = first + (floor((at - first) / apart - phase) + 1.0 + phase) * apart;
        write_point(trace, x, y, se, out);
    }
}
