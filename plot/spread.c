/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Networks of finite size: mean, and the band of one standard deviation around it. */
#include <math.h>

#include "plot/plot_impl.h"

/* The variable that holds size times the variance; NULL: no band is drawn. */
static const nnd_guide *variance(const nnd_panel *panel) {
    bool drawn = !nnd_plot_is_category(panel->size) && !nnd_plot_is_category(panel->x) &&
                 panel->theory.array != NULL;
    return drawn ? nnd_guide_of(panel, NND_GUIDE_NVAR) : NULL;
}

/* Is told x, mean and standard deviation of one position at the first size. */
typedef void (*visitor)(double x, double mean, double sd, void *state);

/* Visits the positions of a curve of one source where both are known; returns their number. */
static size_t visit(const nnd_panel *panel, bool theory, size_t curve, visitor call, void *state) {
    nnd_trace mean, nvar;
    size_t count = 0;
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, variance(panel)->name);
    mine.mc = nnd_source_of(panel->mc.frame, variance(panel)->name);
    if (!nnd_panel_trace(panel, theory ? &panel->theory : &panel->mc, curve, 0, &mean) ||
        !nnd_panel_trace(&mine, theory ? &mine.theory : &mine.mc, curve, 0, &nvar) ||
        nvar.x != mean.x)
        return 0;
    for (size_t i = 0; i < mean.count; i++) {
        double at = nnd_trace_at(&mean, i);
        double sd = sqrt(nnd_trace_at(&nvar, i) / panel->size->value[0]);
        if (!isfinite(at) || !isfinite(sd))
            continue;
        call(mean.x->value[i], at, sd, state);
        count++;
    }
    return count;
}

static void measure(double x, double mean, double sd, void *state) {
    (void)x;
    nnd_span_widen(state, mean - sd);
    nnd_span_widen(state, mean + sd);
}

static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    (void)x;
    for (size_t curve = 0; variance(panel) != NULL && curve < panel->curves; curve++)
        visit(panel, true, curve, measure, y);
}

static void write(double x, double mean, double sd, void *state) {
    nnd_print(state, "%.12g %.12g %.12g\n", x, mean - sd, mean + sd);
}

static void prepare(const nnd_panel *panel, nnd_span x, FILE *out) {
    (void)x;
    for (size_t curve = 0; variance(panel) != NULL && curve < panel->curves; curve++)
        for (int theory = 1; theory >= 0; theory--) {
            fprintf(out, "$%s%zu << EOD\n", theory ? "band" : "spread", curve);
            if (visit(panel, theory, curve, write, out) == 0)
                fputs("NaN NaN NaN\n", out);
            fputs("EOD\n", out);
        }
}

static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; variance(panel) != NULL && curve < panel->curves; curve++) {
        nnd_plot_element(list, nnd_panel_colour(panel, curve),
                         "$band%zu using 1:2:3 with filledcurves fs transparent solid 0.2 noborder",
                         curve);
    }
}

/* What networks of that size do: small crosses. */
static void above(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t curve = 0; variance(panel) != NULL && curve < panel->curves; curve++)
        for (int column = 2; column <= 3; column++) {
            nnd_plot_element(list, nnd_panel_colour(panel, curve),
                             "$spread%zu using 1:%d with points pt 2 ps 0.45", curve, column);
        }
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    char size[NND_PLOT_LABEL / 2], label[NND_PLOT_LABEL];
    if (variance(panel) == NULL)
        return;
    nnd_coord_text(panel->size, 0, sizeof size, size);
    snprintf(label, sizeof label, "%.50s, size %s", variance(panel)->label, size);
    nnd_legend_add_band(legend, label,
                        nnd_panel_colours(panel) > 1 ? 0x555555 : nnd_plot_colour(0, 1));
}

const nnd_addition nnd_spread = {widen, prepare, below, above, legend};
