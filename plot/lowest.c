/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where curves are lowest: a ring on each, and the picture of alignment over samples. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

enum { RING = 5 }; /* point type of the legend */

/* Where a curve is lowest; false if it is nowhere. */
static bool lowest(const nnd_trace *trace, double *x, double *y) {
    *y = INFINITY;
    for (size_t i = 0; trace->x != NULL && i < trace->x->length; i++) {
        double value = trace->y[i * trace->stride];
        if (!isfinite(value) || (trace->log_y && value <= 0.0) || value >= *y)
            continue;
        *x = trace->x->value[i];
        *y = value;
    }
    return isfinite(*y);
}

/* Theory tells the place; without it the simulation at its last size. */
bool nnd_lowest_of(const nnd_panel *panel, size_t curve, double *x, double *y, double *first) {
    bool theory = panel->theory.array != NULL;
    nnd_trace trace;
    if (!nnd_panel_trace(panel, theory ? &panel->theory : &panel->mc, curve,
                         theory ? 0 : nnd_panel_sizes(panel) - 1, &trace) ||
        !lowest(&trace, x, y))
        return false;
    *first = isfinite(trace.y[0]) ? trace.y[0] : *y;
    return true;
}

void nnd_lowest_write(const nnd_panel *panel, FILE *out) {
    for (size_t curve = 0; curve < panel->curves; curve++) {
        double x = 0.0, y = 0.0, first = 0.0;
        fprintf(out, "$lowest%zu << EOD\n", curve);
        if (nnd_lowest_of(panel, curve, &x, &y, &first))
            nnd_print(out, "%.12g %.12g\n", x, y);
        else
            fputs("NaN NaN\n", out);
        fputs("EOD\n", out);
    }
}

void nnd_lowest_draw(const nnd_panel *panel, nnd_plot_elements *list) {
    size_t dashes = nnd_panel_dashes(panel), colours = nnd_panel_colours(panel);
    for (size_t curve = 0; curve < panel->curves; curve++) {
        nnd_plot_next(list);
        fprintf(list->out, "$lowest%zu using 1:2 with points pt 7 ps 0.9 lc rgb '#%06X' notitle",
                curve, nnd_plot_colour(curve / dashes, colours));
        nnd_plot_next(list);
        fprintf(list->out, "$lowest%zu using 1:2 with points pt 6 ps 0.9 lc rgb '#000000' notitle",
                curve);
    }
}

void nnd_lowest_legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    nnd_legend_entry *entry = nnd_legend_add(legend, "lowest");
    if (entry == NULL)
        return;
    entry->line = false;
    entry->point = true;
    entry->colour = 0;
    entry->shape = RING;
}

/* ---- alignment over samples per dimension ---- */

static bool suits(const nnd_panel *panel) {
    bool alignment = strcmp(panel->name, "cosine") == 0 || strcmp(panel->name, "cka") == 0;
    return alignment && panel->y == NULL && panel->across == NULL && panel->x != NULL &&
           strcmp(panel->x->name, "alpha") == 0;
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {NULL, nnd_lowest_write, NULL, nnd_lowest_draw};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_lowest = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = nnd_lowest_legend,
    .draw = draw,
};
