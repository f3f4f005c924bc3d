/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What stands in a histogram besides boxes and the line of theory: an arrow at each outlier of
 * theory, and a pale outline of what networks were before training.
 */
#include <math.h>

#include "plot/layers.h"

/* ---- before training ---- */

/* Several histograms would hide each other's. */
static bool find_outline(const nnd_panel *panel, nnd_trace *trace) {
    const nnd_dim *t = panel->instant.dim;
    nnd_panel before = *panel;
    before.instant.at = 0;
    return panel->histogram && panel->curves == 1 && t != NULL && t->length > 1 &&
           t->kind != NND_COORD_TEXT && t->value[0] == 0.0 &&
           nnd_trace_find(&before, false, 0, 0, trace) && nnd_trace_is_shown(trace);
}

static void tell_outline(const nnd_panel *panel, nnd_cell *cell) {
    nnd_trace trace;
    if (!find_outline(panel, &trace))
        return;
    nnd_cell_name(cell, NND_MARK_LINE, NND_PLOT_PALE, 0, "simulation at t = 0");
    nnd_cell_span(cell, &trace);
    if (nnd_cell_begin(cell, "early0")) {
        nnd_trace_write_points(&trace, NND_PLOT_POINTS, 0.0, cell->out);
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, NND_PLOT_PALE, "using 1:2 with histeps lw 1");
}

/* ---- outliers ---- */

static void tell_arrow(double at, unsigned colour, nnd_cell *cell) {
    if (!isfinite(at)) /* it has not escaped */
        return;
    if (cell->pass == NND_TELL_SPANS)
        cell->x.max = fmax(cell->x.max, at);
    if (cell->pass == NND_TELL_DATA)
        nnd_print(cell->out,
                  "set arrow from first %.12g, graph 0.3 to first %.12g, graph 0.0 front head"
                  " filled size graph 0.025,20 lw 1.6 lc rgb '#%06X'\n",
                  at, at, colour);
}

static void tell_outliers(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    nnd_trace trace;
    if (nnd_source_of(panel->theory.frame, g->name).array == NULL)
        return;
    nnd_cell_name(cell, NND_MARK_ARROW, nnd_panel_neutral(panel), 0, g->label);
    for (size_t c = 0; c < panel->curves; c++)
        if (nnd_guide_values(panel, g, c, &trace))
            for (size_t k = 0; k < trace.count; k++)
                tell_arrow(nnd_trace_at(&trace, k), nnd_panel_colour(panel, c), cell);
}

void nnd_histogram_tell(const nnd_panel *panel, nnd_cell *cell) {
    const nnd_guide *outlier = panel->histogram ? nnd_panel_guide(panel, NND_GUIDE_ARROW) : NULL;
    tell_outline(panel, cell);
    if (outlier != NULL)
        tell_outliers(panel, outlier, cell);
}
