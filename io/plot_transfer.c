/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What training has reached against the learning rate: if the best rate is that of a narrow network
 * at every width it transfers. A cell for each parameterization, all with the same axes.
 */
#include <math.h>

#include "io/plot_impl.h"

/* What lies above this multiple of the best value is cut off, unless small rates are there. */
static const double HEADROOM = 30.0;
enum { RING = 5 }; /* point type of the legend */

static bool suits(const nnd_panel *panel) {
    return panel->transfer && panel->y == NULL;
}

/* Where a curve is lowest; false if it is nowhere. */
static bool optimum(const nnd_trace *trace, double *x, double *y) {
    *y = INFINITY;
    for (size_t i = 0; trace->x != NULL && i < trace->x->length; i++) {
        double value = trace->y[i * trace->stride];
        if (!isfinite(value) || value <= 0.0 || value >= *y)
            continue;
        *x = trace->x->value[i];
        *y = value;
    }
    return isfinite(*y);
}

/* Theory tells the optimum; without it the simulation at its last size. */
static bool optimum_of(const nnd_panel *panel, size_t curve, double *x, double *y, double *first) {
    bool theory = panel->theory.array != NULL;
    nnd_trace trace;
    if (!nnd_panel_trace(panel, theory ? &panel->theory : &panel->mc, curve,
                         theory ? 0 : nnd_panel_sizes(panel) - 1, &trace) ||
        !optimum(&trace, x, y))
        return false;
    *first = isfinite(trace.y[0]) ? trace.y[0] : *y;
    return true;
}

/* All cells have the axes of the variable as a whole, without what diverges. */
static void widen(const nnd_panel *panel, nnd_span *x_span, nnd_span *y_span) {
    nnd_panel here = *panel;
    double best = INFINITY, start = 0.0;
    for (here.facet.at = 0; here.facet.at < nnd_panel_cells(panel); here.facet.at++) {
        nnd_curves_measure(&here, x_span, y_span);
        for (size_t curve = 0; curve < panel->curves; curve++) {
            double x = 0.0, y = 0.0, first = 0.0;
            if (!optimum_of(&here, curve, &x, &y, &first))
                continue;
            best = fmin(best, y);
            start = fmax(start, first);
        }
    }
    if (isfinite(best))
        y_span->max = fmin(y_span->max, fmax(HEADROOM * best, 1.5 * start));
}

static void prepare(const nnd_panel *panel, FILE *out) {
    for (size_t curve = 0; curve < panel->curves; curve++) {
        double x = 0.0, y = 0.0, first = 0.0;
        fprintf(out, "$optimum%zu << EOD\n", curve);
        if (optimum_of(panel, curve, &x, &y, &first))
            fprintf(out, "%.12g %.12g\n", x, y);
        else
            fputs("NaN NaN\n", out);
        fputs("EOD\n", out);
    }
}

static void above(const nnd_panel *panel, nnd_plot_elements *list) {
    size_t dashes = nnd_panel_dashes(panel), colours = nnd_panel_colours(panel);
    for (size_t curve = 0; curve < panel->curves; curve++) {
        nnd_plot_next(list);
        fprintf(list->out, "$optimum%zu using 1:2 with points pt 7 ps 0.9 lc rgb '#%06X' notitle",
                curve, nnd_plot_colour(curve / dashes, colours));
        nnd_plot_next(list);
        fprintf(list->out, "$optimum%zu using 1:2 with points pt 6 ps 0.9 lc rgb '#000000' notitle",
                curve);
    }
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    nnd_legend_entry *entry = nnd_legend_add(legend, "lowest");
    if (entry == NULL)
        return;
    entry->line = false;
    entry->point = true;
    entry->colour = 0;
    entry->shape = RING;
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, prepare, NULL, above};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_transfer = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
