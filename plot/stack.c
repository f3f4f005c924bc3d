/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a curve of theory consists of: areas of its parts, one on the other. */
#include <math.h>

#include "plot/plot_impl.h"

/* How much white is in the colour of an area. */
static const double PALENESS = 0.6;

/* The next part; NULL past the last, and where several curves would cover each other. */
static const nnd_guide *next_part(const nnd_panel *panel, const nnd_guide *after) {
    bool single = panel->curves == 1 && !nnd_plot_is_category(panel->x);
    const nnd_guide *g = single ? nnd_guide_next(panel, after) : NULL;
    while (g != NULL && g->kind != NND_GUIDE_STACK)
        g = nnd_guide_next(panel, g);
    return g;
}

static size_t parts(const nnd_panel *panel) {
    size_t count = 0;
    for (const nnd_guide *g = NULL; (g = next_part(panel, g)) != NULL;)
        count++;
    return count;
}

static unsigned colour(size_t k) {
    unsigned full = nnd_plot_colour(k, 0), pale = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        double part = (double)(full >> shift & 0xFF);
        pale |= (unsigned)lround(part + PALENESS * (255.0 - part)) << shift;
    }
    return pale;
}

static bool trace_of(const nnd_panel *panel, const nnd_guide *g, nnd_trace *trace) {
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, g->name);
    return nnd_panel_trace(&mine, &mine.theory, 0, 0, trace) && trace->x != NULL;
}

/* The sum of the first `count` parts at position i. */
static double sum_at(const nnd_panel *panel, size_t count, size_t i) {
    double sum = 0.0;
    const nnd_guide *g = NULL;
    for (size_t k = 0; k < count; k++) {
        nnd_trace trace;
        g = next_part(panel, g);
        sum += trace_of(panel, g, &trace) ? nnd_trace_at(&trace, i) : NAN;
    }
    return sum;
}

/* Areas begin at zero. */
static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    (void)x;
    if (parts(panel) > 0 && !panel->log_y)
        nnd_span_widen(y, 0.0);
}

static void prepare(const nnd_panel *panel, nnd_span x, FILE *out) {
    nnd_trace first;
    (void)x;
    if (parts(panel) == 0 || !trace_of(panel, next_part(panel, NULL), &first))
        return;
    for (size_t k = 1; k <= parts(panel); k++) {
        fprintf(out, "$stack%zu << EOD\n", k);
        for (size_t i = 0; i < first.count; i++) {
            double sum = sum_at(panel, k, i);
            if (isfinite(sum) && (!panel->log_x || first.x->value[i] > 0.0))
                nnd_print(out, "%.12g %.12g\n", first.x->value[i], sum);
        }
        fputs("EOD\n", out);
    }
}

/* From the largest sum down, each to far below the picture: what stays of it is its last part. */
static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t k = parts(panel); k > 0; k--)
        nnd_plot_element(list, colour(k - 1),
                         "$stack%zu using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder",
                         k);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    size_t k = 0;
    for (const nnd_guide *g = NULL; (g = next_part(panel, g)) != NULL; k++)
        nnd_legend_add_band(legend, g->label, colour(k));
}

const nnd_addition nnd_stack = {widen, prepare, below, NULL, legend};
