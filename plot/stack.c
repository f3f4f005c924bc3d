/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a curve of theory consists of: areas of its parts, one on the other. */
#include <math.h>

#include "plot/layers.h"

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

/* The k-th part that the file holds; NULL past the last. */
static const nnd_guide *part(const nnd_panel *panel, size_t k) {
    for (const nnd_guide *g = NULL; (g = nnd_guide_next(panel, g)) != NULL;)
        if (g->kind == NND_GUIDE_STACK && k-- == 0)
            return g;
    return NULL;
}

/* The sum of the first `count` parts at position i, and the coordinate there. */
static double sum_at(const nnd_panel *panel, size_t count, size_t i, double *x) {
    double sum = 0.0;
    for (size_t k = 0; k < count; k++) {
        nnd_trace trace;
        if (!nnd_trace_beside(panel, part(panel, k)->name, true, 0, 0, &trace) || trace.x == NULL)
            return NAN;
        *x = trace.x->value[i];
        sum += nnd_trace_at(&trace, i);
    }
    return sum;
}

/* An area ends far below the picture: what stays of it is its last part. */
static void tell_area(const nnd_panel *panel, size_t count, nnd_cell *cell) {
    if (nnd_cell_begin(cell, "stack%zu", count)) {
        for (size_t i = 0; i < panel->x->length; i++) {
            double x = NAN, sum = sum_at(panel, count, i, &x);
            if (isfinite(sum) && (!panel->log_x || x > 0.0))
                nnd_print(cell->out, "%.12g %.12g\n", x, sum);
        }
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, pale(count - 1),
                  "using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder");
}

void nnd_stack_tell(const nnd_panel *panel, nnd_cell *cell) {
    size_t count = 0;
    if (panel->curves != 1 || nnd_dim_is_category(panel->x))
        return; /* several curves would cover each other */
    for (; part(panel, count) != NULL; count++)
        nnd_cell_name(cell, NND_MARK_BAND, pale(count), 0, part(panel, count)->label);
    if (cell->pass == NND_TELL_SPANS && count > 0 && !panel->log_y)
        nnd_span_widen(&cell->y, 0.0); /* where areas begin */
    for (size_t k = count; k > 0; k--)
        tell_area(panel, k, cell);
}
