/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Escape times over a sweep: a matrix that never lets go of an outlier is a gap in its curve. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static bool suits(const nnd_panel *panel) {
    return strcmp(panel->name, "escape_time") == 0 && panel->y == NULL &&
           !nnd_plot_is_category(panel->x);
}

/* The axis has all values of the sweep, those without an escape too. */
static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    (void)y;
    for (size_t i = 0; i < panel->x->length; i++) {
        double value = panel->x->value[i];
        if (!isfinite(value) || (panel->log_x && value <= 0.0))
            continue;
        x->min = fmin(x->min, value);
        x->max = fmax(x->max, value);
    }
}

/* A value between two gaps would not be seen as a line. */
static void above(const nnd_panel *panel, nnd_plot_elements *list) {
    size_t dashes = nnd_panel_dashes(panel), colours = nnd_panel_colours(panel);
    for (size_t curve = 0; curve < panel->curves; curve++) {
        nnd_trace trace;
        nnd_span x = nnd_span_empty, y = nnd_span_empty;
        if (!nnd_panel_trace(panel, &panel->theory, curve, 0, &trace) ||
            nnd_trace_measure(&trace, &x, &y) == 0)
            continue;
        nnd_plot_next(list);
        fprintf(list->out, "$theory%zu_0 using 1:2 with points pt 6 ps 0.5 lc rgb '#%06X' notitle",
                curve, nnd_plot_colour(curve / dashes, colours));
    }
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, NULL, NULL, above};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_escape = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = nnd_legend_make,
    .draw = draw,
};
