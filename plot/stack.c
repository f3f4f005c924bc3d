/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a curve of theory consists of: areas of its parts, one on the other. */
#include <math.h>

#include "plot/layers.h"

enum { MOST = 8 }; /* parts of a curve */
/* How much white is in the colour of an area. */
static const double PALENESS = 0.6;

static unsigned pale(size_t k) {
    unsigned full = nnd_plot_colour(k, 0), pale = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        double part = (double)(full >> shift & 0xFF);
        pale |= (unsigned)lround(part + PALENESS * (255.0 - part)) << shift;
    }
    return pale;
}

/* The parts that the file holds. Their axis is their own: that of the panel is the simulation's if
 * theory lacks the curve itself. */
typedef struct {
    size_t count;
    const char *label[MOST];
    nnd_trace trace[MOST];
} stack;

static void find_parts(const nnd_panel *panel, stack *s) {
    s->count = 0;
    for (const nnd_guide *g = NULL; s->count < MOST && (g = nnd_guide_next(panel, g)) != NULL;) {
        nnd_trace *trace = &s->trace[s->count];
        if (g->kind == NND_GUIDE_STACK && nnd_trace_beside(panel, g->name, true, 0, 0, trace) &&
            trace->count == s->trace[0].count)
            s->label[s->count++] = g->label;
    }
}

/* The sum of the first `count` parts at position i. */
static double sum_at(const stack *s, size_t count, size_t i) {
    double sum = 0.0;
    for (size_t k = 0; k < count; k++)
        sum += nnd_trace_at(&s->trace[k], i);
    return sum;
}

/* An area ends far below the picture: what stays of it is its last part. */
static void tell_area(const nnd_panel *panel, const stack *s, size_t count, nnd_cell *cell) {
    if (nnd_cell_begin(cell, "stack%zu", count)) {
        for (size_t i = 0; i < s->trace[0].count; i++) {
            double x = s->trace[0].x->value[i], sum = sum_at(s, count, i);
            if (isfinite(sum) && (!panel->log_x || x > 0.0))
                nnd_print(cell->out, "%.12g %.12g\n", x, sum);
        }
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, pale(count - 1),
                  "using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder");
}

void nnd_stack_tell(const nnd_panel *panel, nnd_cell *cell) {
    stack s;
    if (panel->curves != 1 || nnd_dim_is_category(panel->x))
        return; /* several curves would cover each other */
    find_parts(panel, &s);
    for (size_t k = 0; k < s.count; k++)
        nnd_cell_name(cell, NND_MARK_BAND, pale(k), 0, s.label[k]);
    if (cell->pass == NND_TELL_SPANS && s.count > 0 && !panel->log_y)
        nnd_span_widen(&cell->y, 0.0); /* where areas begin */
    for (size_t k = s.count; k > 0; k--)
        tell_area(panel, &s, k, cell);
}
