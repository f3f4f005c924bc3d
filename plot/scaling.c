/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far networks of width N are from infinite width: the square of Delta_N - Delta, averaged over
 * seeds and times, against N. Where theory at order 1/N holds it falls along a line of slope -1.
 */
#include <math.h>
#include <stdlib.h>

#include "plot/plot_impl.h"

static const char MEAN[] = "delta", NVAR[] = "delta_nvar", BIAS[] = "delta_bias";

static bool suits(const nnd_panel *panel) {
    return panel->scaling;
}

/* A trace of a variable with the dimensions of Delta. */
static bool find_trace(const nnd_panel *panel, const char *name, bool theory, size_t curve,
                       size_t size, nnd_trace *trace) {
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, name);
    mine.mc = nnd_source_of(panel->mc.frame, name);
    return nnd_panel_trace(&mine, theory ? &mine.theory : &mine.mc, curve, size, trace) &&
           trace->x != NULL;
}

static double at(const nnd_trace *trace, size_t i) {
    return trace->y[i * trace->stride];
}

/* Mean over times of (E Delta_N - Delta)^2 + Var Delta_N at the k-th size; NaN if there is none. */
static double measured(const nnd_panel *panel, size_t curve, size_t k) {
    nnd_trace theory, mc, nvar;
    double sum = 0.0, count = 0.0;
    if (!find_trace(panel, MEAN, true, curve, 0, &theory) ||
        !find_trace(panel, MEAN, false, curve, k, &mc) ||
        !find_trace(panel, NVAR, false, curve, k, &nvar))
        return NAN;
    for (size_t i = 0; i < mc.x->length; i++) {
        size_t j = nnd_coord_find(theory.x, mc.x, i);
        if (j == theory.x->length)
            continue;
        double shift = at(&mc, i) - at(&theory, j);
        double square = shift * shift + at(&nvar, i) / panel->size->value[k];
        if (!isfinite(square))
            continue;
        sum += square;
        count += 1.0;
    }
    return sum / count;
}

/* The same of theory: N Var Delta/N + (b/N)^2. */
static double predicted(const nnd_panel *panel, size_t curve, double size) {
    nnd_trace nvar, bias;
    double sum = 0.0, count = 0.0;
    if (!find_trace(panel, NVAR, true, curve, 0, &nvar))
        return NAN;
    bool biased = find_trace(panel, BIAS, true, curve, 0, &bias);
    for (size_t i = 0; i < nvar.x->length; i++) {
        double shift = biased ? at(&bias, i) / size : 0.0;
        double square = at(&nvar, i) / size + shift * shift;
        if (!isfinite(square))
            continue;
        sum += square;
        count += 1.0;
    }
    return sum / count;
}

/* Ends of the axis over sizes. */
static void ends(const nnd_panel *panel, double *low, double *high) {
    *low = INFINITY;
    *high = 0.0;
    for (size_t k = 0; k < panel->size->length; k++) {
        *low = fmin(*low, panel->size->value[k]);
        *high = fmax(*high, panel->size->value[k]);
    }
    *low /= 1.3;
    *high *= 1.3;
}

static void write_data(const nnd_panel *panel, nnd_span *span, FILE *out) {
    double low, high;
    ends(panel, &low, &high);
    for (size_t curve = 0; curve < panel->curves; curve++) {
        fprintf(out, "$measured%zu << EOD\n", curve);
        for (size_t k = 0; k < panel->size->length; k++) {
            double y = measured(panel, curve, k);
            nnd_print(out, "%.12g %.12g\n", panel->size->value[k], y);
            if (y > 0.0) {
                span->min = fmin(span->min, y);
                span->max = fmax(span->max, y);
            }
        }
        fprintf(out, "EOD\n$predicted%zu << EOD\n", curve);
        for (int i = 0; i <= 20; i++) {
            double size = low * pow(high / low, i / 20.0);
            nnd_print(out, "%.12g %.12g\n", size, predicted(panel, curve, size));
        }
        fputs("EOD\n", out);
    }
}

/* The sizes themselves are the tics. */
static void write_tics(const nnd_panel *panel, FILE *out) {
    fputs("set xtics (", out);
    for (size_t k = 0; k < panel->size->length; k++)
        nnd_print(out, "%s%.12g", k > 0 ? ", " : "", panel->size->value[k]);
    fputs(")\n", out);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    double low, high;
    nnd_span span = nnd_span_empty;
    (void)cell;
    ends(panel, &low, &high);
    nnd_curves_title(panel, "distance from infinite width", out);
    write_data(panel, &span, out);
    if (span.min > span.max) {
        nnd_curves_nothing(out);
        return;
    }
    nnd_print(out,
              "set logscale xy\nset format y '10^{%%T}'\nset xrange [%.12g:%.12g]\n"
              "set yrange [%.12g:%.12g]\nset xlabel 'width N'\n"
              "set ylabel '(Delta_N - Delta)^2, mean over seeds and times' noenhanced\n",
              low, high, 0.5 * span.min, 2.0 * span.max);
    write_tics(panel, out);
    size_t colours = nnd_panel_colours(panel), dashes = nnd_panel_dashes(panel);
    nnd_plot_elements list = {out, "plot "};
    for (size_t curve = 0; curve < panel->curves; curve++) {
        unsigned colour = nnd_plot_colour(curve / dashes, colours);
        nnd_plot_next(&list);
        fprintf(out, "$predicted%zu using 1:2 with lines lw 2 dt %s lc rgb '#%06X' notitle", curve,
                nnd_plot_dash(curve % dashes), colour);
        nnd_plot_next(&list);
        fprintf(out, "$measured%zu using 1:2 with points pt 7 ps 0.7 lc rgb '#%06X' notitle", curve,
                colour);
    }
    nnd_plot_next(&list);
    nnd_print(out, "%.12g/x with lines lw 1 dt (8,4) lc rgb '#999999' notitle", span.max * low);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_panel once = *panel;
    once.size = NULL; /* sizes are the axis */
    nnd_legend_make(&once, legend);
    nnd_legend_entry *entry = nnd_legend_add(legend, "slope -1");
    if (entry != NULL)
        entry->dash = 1;
}

const nnd_panel_kind nnd_panel_scaling = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
