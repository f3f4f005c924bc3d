/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Marks on curves: a ring where each is lowest, and a point at each value between gaps. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

enum { RING = 5 }; /* point type of the legend */

/* ---- where curves are lowest ---- */

static bool has_rings(const nnd_panel *panel) {
    return panel->drawing->lowest != NULL && !nnd_plot_is_category(panel->x) &&
           strcmp(panel->x->name, panel->drawing->lowest) == 0;
}

/* Place and value, and the value at the beginning of the curve; false if there is none. Theory
 * tells it; without it the simulation at its last size. */
static bool lowest(const nnd_panel *panel, size_t curve, double *x, double *y, double *first) {
    bool theory = panel->theory.array != NULL;
    nnd_trace trace;
    *y = INFINITY;
    if (!nnd_panel_trace(panel, theory ? &panel->theory : &panel->mc, curve,
                         theory ? 0 : nnd_panel_sizes(panel) - 1, &trace))
        return false;
    for (size_t i = 0; i < trace.count; i++) {
        double value = nnd_trace_at(&trace, i);
        if (!isfinite(value) || (trace.log_y && value <= 0.0) || value >= *y)
            continue;
        *x = trace.x->value[i];
        *y = value;
    }
    *first = isfinite(trace.y[0]) ? trace.y[0] : *y;
    return isfinite(*y);
}

/* All cells have the axes of the variable as a whole, without what diverges. */
static void widen_rings(const nnd_panel *panel, nnd_span *x_span, nnd_span *y_span) {
    nnd_panel here = *panel;
    double x, y, first, best = INFINITY, start = 0.0, headroom = panel->drawing->headroom;
    if (!has_rings(panel) || headroom == 0.0)
        return;
    for (here.facet.at = 0; here.facet.at < nnd_panel_cells(panel); here.facet.at++) {
        nnd_curves_measure(&here, x_span, y_span);
        for (size_t curve = 0; curve < panel->curves; curve++)
            if (lowest(&here, curve, &x, &y, &first)) {
                best = fmin(best, y);
                start = fmax(start, first);
            }
    }
    if (isfinite(best))
        y_span->max = fmin(y_span->max, fmax(headroom * best, 1.5 * start));
}

static void write_rings(const nnd_panel *panel, nnd_span x_span, FILE *out) {
    double x, y, first;
    (void)x_span;
    for (size_t curve = 0; has_rings(panel) && curve < panel->curves; curve++) {
        fprintf(out, "$lowest%zu << EOD\n", curve);
        if (lowest(panel, curve, &x, &y, &first))
            nnd_print(out, "%.12g %.12g\n", x, y);
        else
            fputs("NaN NaN\n", out);
        fputs("EOD\n", out);
    }
}

static void draw_rings(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; has_rings(panel) && curve < panel->curves; curve++) {
        nnd_plot_element(list, nnd_panel_colour(panel, curve),
                         "$lowest%zu using 1:2 with points pt 7 ps 0.9", curve);
        nnd_plot_element(list, 0x000000, "$lowest%zu using 1:2 with points pt 6 ps 0.9", curve);
    }
}

static void name_rings(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_entry *entry = has_rings(panel) ? nnd_legend_add(legend, "lowest") : NULL;
    if (entry == NULL)
        return;
    entry->line = false;
    entry->point = true;
    entry->colour = 0;
    entry->shape = RING;
}

const nnd_addition nnd_lowest = {widen_rings, write_rings, NULL, draw_rings, name_rings};

/* ---- values between gaps ---- */

static bool has_markers(const nnd_panel *panel) {
    return panel->drawing->markers && !nnd_plot_is_category(panel->x);
}

/* The axis has all values of the sweep, those that are gaps too. */
static void widen_markers(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    (void)y;
    for (size_t i = 0; has_markers(panel) && i < panel->x->length; i++) {
        double value = panel->x->value[i];
        if (isfinite(value) && !(panel->log_x && value <= 0.0))
            nnd_span_widen(x, value);
    }
}

/* A value between two gaps would not be seen as a line. */
static void draw_markers(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; has_markers(panel) && curve < panel->curves; curve++) {
        nnd_trace trace;
        nnd_span x = nnd_span_empty, y = nnd_span_empty;
        if (!nnd_panel_trace(panel, &panel->theory, curve, 0, &trace) ||
            nnd_trace_measure(&trace, &x, &y) == 0)
            continue;
        nnd_plot_element(list, nnd_panel_colour(panel, curve),
                         "$theory%zu_0 using 1:2 with points pt 6 ps 0.5", curve);
    }
}

const nnd_addition nnd_markers = {widen_markers, NULL, NULL, draw_markers, NULL};
