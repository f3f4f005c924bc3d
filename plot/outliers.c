/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Outlying singular values against time above the bulk that they leave, a cell for each matrix. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const char EDGE[] = "bulk_edge";
static const unsigned GREY = 0xE6E6E6;

static bool suits(const nnd_panel *panel) {
    return strcmp(panel->name, "outlier") == 0 && panel->y == NULL;
}

/* Edges differ from matrix to matrix; a band is drawn only where no cell needs more than one. */
static bool has_band(const nnd_panel *panel) {
    nnd_panel here = *panel;
    size_t colour;
    for (here.facet.at = 0; here.facet.at < nnd_panel_cells(panel); here.facet.at++)
        if (!nnd_edge_is_common(&here, EDGE, &colour))
            return false;
    return true;
}

/* What happens is near the edge: the axis begins a little below it. */
static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    nnd_span edge = nnd_span_empty;
    nnd_edge_measure(panel, EDGE, x, &edge);
    if (edge.min > edge.max)
        return;
    y->min = fmin(y->min, 0.9 * edge.min);
    y->max = fmax(y->max, 1.05 * edge.max);
}

static void prepare(const nnd_panel *panel, FILE *out) {
    nnd_edge_write(panel, EDGE, out);
}

/* The band ends far below the picture; zero would have no place on a logarithmic axis. */
static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    size_t colour;
    if (!has_band(panel) || !nnd_edge_is_common(panel, EDGE, &colour)) {
        nnd_edge_draw(panel, EDGE, list);
        return;
    }
    nnd_plot_next(list);
    fprintf(list->out,
            "$%s_%zu using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder lc rgb '#%06X'"
            " notitle",
            EDGE, colour, GREY);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_entry *entry;
    nnd_legend_make(panel, legend);
    if (!has_band(panel))
        nnd_edge_legend(panel, EDGE, "edge of the bulk", legend);
    else if ((entry = nnd_legend_add(legend, "bulk")) != NULL) {
        entry->line = false;
        entry->band = true;
        entry->colour = GREY;
    }
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, prepare, below, NULL};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_outliers = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
