/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Outputs of networks of finite width: mean, and the band of one standard deviation around it. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const char MEAN[] = "output", NVAR[] = "delta_nvar";

static bool suits(const nnd_panel *panel) {
    return strcmp(panel->name, MEAN) == 0 && panel->y == NULL && panel->size != NULL &&
           panel->theory.array != NULL && nnd_source_of(panel->theory.frame, NVAR).array != NULL;
}

/* The trace of N Var that goes with a curve of one source, at the first size. */
static bool nvar_trace(const nnd_panel *panel, bool theory, size_t curve, nnd_trace *trace) {
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, NVAR);
    mine.mc = nnd_source_of(panel->mc.frame, NVAR);
    return nnd_panel_trace(&mine, theory ? &mine.theory : &mine.mc, curve, 0, trace);
}

/* Mean and standard deviation of networks of the first size at one position; false if unknown. */
static bool spread(const nnd_panel *panel, bool theory, size_t curve, size_t i, double *x,
                   double *mean, double *sd) {
    nnd_trace mean_trace, nvar;
    if (!nnd_panel_trace(panel, theory ? &panel->theory : &panel->mc, curve, 0, &mean_trace) ||
        !nvar_trace(panel, theory, curve, &nvar) || mean_trace.x == NULL ||
        i >= mean_trace.x->length || nvar.x != mean_trace.x)
        return false;
    *x = mean_trace.x->value[i];
    *mean = mean_trace.y[i * mean_trace.stride];
    *sd = sqrt(nvar.y[i * nvar.stride] / panel->size->value[0]);
    return isfinite(*mean) && isfinite(*sd);
}

static size_t length(const nnd_panel *panel) {
    return panel->x != NULL ? panel->x->length : 0;
}

static void widen(const nnd_panel *panel, nnd_span *x_span, nnd_span *y_span) {
    double x, mean, sd;
    (void)x_span;
    for (size_t curve = 0; curve < panel->curves; curve++)
        for (size_t i = 0; i < length(panel); i++)
            if (spread(panel, true, curve, i, &x, &mean, &sd)) {
                y_span->min = fmin(y_span->min, mean - sd);
                y_span->max = fmax(y_span->max, mean + sd);
            }
}

static void write_spread(const nnd_panel *panel, bool theory, size_t curve, FILE *out) {
    double x, mean, sd;
    fprintf(out, "$%s%zu << EOD\n", theory ? "band" : "spread", curve);
    size_t written = 0;
    for (size_t i = 0; i < length(panel); i++)
        if (spread(panel, theory, curve, i, &x, &mean, &sd)) {
            nnd_print(out, "%.12g %.12g %.12g\n", x, mean - sd, mean + sd);
            written++;
        }
    fputs(written > 0 ? "EOD\n" : "NaN NaN NaN\nEOD\n", out);
}

static void prepare(const nnd_panel *panel, FILE *out) {
    for (size_t curve = 0; curve < panel->curves; curve++) {
        write_spread(panel, true, curve, out);
        write_spread(panel, false, curve, out);
    }
}

static unsigned colour_of(const nnd_panel *panel, size_t curve) {
    return nnd_plot_colour(curve / nnd_panel_dashes(panel), nnd_panel_colours(panel));
}

static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; curve < panel->curves; curve++) {
        nnd_plot_next(list);
        fprintf(list->out,
                "$band%zu using 1:2:3 with filledcurves fs transparent solid 0.2 noborder"
                " lc rgb '#%06X' notitle",
                curve, colour_of(panel, curve));
    }
}

/* What networks of that size do: small crosses. */
static void above(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; curve < panel->curves; curve++)
        for (int column = 2; column <= 3; column++) {
            nnd_plot_next(list);
            fprintf(list->out,
                    "$spread%zu using 1:%d with points pt 2 ps 0.45 lc rgb '#%06X' notitle", curve,
                    column, colour_of(panel, curve));
        }
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    char size[NND_PLOT_LABEL / 2], label[NND_PLOT_LABEL];
    nnd_legend_make(panel, legend);
    nnd_coord_text(panel->size, 0, sizeof size, size);
    snprintf(label, sizeof label, "standard deviation, size %s", size);
    nnd_legend_entry *entry = nnd_legend_add(legend, label);
    if (entry == NULL)
        return;
    entry->line = false;
    entry->band = true;
    entry->colour = nnd_panel_colours(panel) > 1 ? 0x555555 : nnd_plot_colour(0, 1);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, prepare, below, above};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_band = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
