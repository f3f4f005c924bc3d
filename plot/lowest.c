/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where curves are lowest. */
#include <math.h>
#include <string.h>

#include "plot/layers.h"

enum { RING = 5 }; /* point type of the legend */

static bool has_rings(const nnd_panel *panel) {
    return panel->drawing->lowest != NULL && !nnd_dim_is_category(panel->x) &&
           strcmp(panel->x->name, panel->drawing->lowest) == 0;
}

/* Place and value, and the value at the beginning of the curve; false if there is none. Theory
 * tells it; without it the simulation at its last size. */
static bool lowest(const nnd_panel *panel, size_t curve, double *x, double *y, double *first) {
    bool theory = panel->theory.array != NULL;
    nnd_trace trace;
    *y = INFINITY;
    if (!nnd_trace_find(panel, theory, curve, theory ? 0 : nnd_panel_sizes(panel) - 1, &trace))
        return false;
    for (size_t i = 0; i < trace.count; i++) {
        double at, value, se;
        if (!nnd_trace_point(&trace, i, &at, &value, &se) || value >= *y)
            continue;
        *x = at;
        *y = value;
    }
    *first = isfinite(trace.y[0]) ? trace.y[0] : *y;
    return isfinite(*y);
}

/* What diverges is cut off alike in all cells. */
static void cut(const nnd_panel *panel, nnd_span *y_span) {
    nnd_panel here = *panel;
    double x, y, first, best = INFINITY, start = 0.0;
    for (here.facet.at = 0; here.facet.at < nnd_panel_facets(panel); here.facet.at++)
        for (size_t curve = 0; curve < panel->curves; curve++)
            if (lowest(&here, curve, &x, &y, &first)) {
                best = fmin(best, y);
                start = fmax(start, first);
            }
    if (isfinite(best))
        y_span->max = fmin(y_span->max, fmax(panel->drawing->headroom * best, 1.5 * start));
}

void nnd_lowest_tell(const nnd_panel *panel, nnd_cell *cell) {
    double x, y, first;
    if (!has_rings(panel))
        return;
    nnd_cell_name(cell, NND_MARK_POINT, 0x000000, RING, "lowest");
    if (cell->pass == NND_TELL_SPANS && panel->drawing->headroom > 0.0)
        cut(panel, &cell->y);
    for (size_t curve = 0; curve < panel->curves; curve++) {
        if (!lowest(panel, curve, &x, &y, &first))
            continue;
        if (nnd_cell_begin(cell, "lowest%zu", curve)) {
            nnd_print(cell->out, "%.12g %.12g\n", x, y);
            nnd_cell_end(cell);
        }
        nnd_cell_draw(cell, nnd_panel_colour(panel, curve), "using 1:2 with points pt 7 ps 0.9");
        nnd_cell_draw(cell, 0x000000, "using 1:2 with points pt 6 ps 0.9");
    }
}
