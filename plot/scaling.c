/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far networks of size N are from infinite size: the square of x_N - x, averaged over seeds and
 * times, against N. Where theory at order 1/N holds it falls along a line of slope -1.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const unsigned PALE = 0x999999;

/* The variable, and those that hold N times its variance and its bias; `bias` may be NULL. */
typedef struct {
    const char *mean, *nvar, *bias;
} parts;

static bool find_parts(const nnd_panel *panel, parts *p) {
    const nnd_variable *nvar = nnd_model_variable(panel->model, panel->name);
    if (nvar == NULL || nvar->estimator.kind != NND_NVAR || nvar->estimator.a == NULL)
        return false;
    *p = (parts){nvar->estimator.a, panel->name, NULL};
    for (size_t i = 0; i < panel->model->variable_count; i++) {
        const nnd_variable *v = &panel->model->variables[i];
        if (v->estimator.kind == NND_SLOPE && strcmp(v->estimator.a, p->mean) == 0)
            p->bias = v->name;
    }
    return true;
}

/* A trace of a variable with the dimensions of the panel's. */
static bool find_trace(const nnd_panel *panel, const char *name, bool theory, size_t curve,
                       size_t size, nnd_trace *trace) {
    nnd_panel mine = *panel;
    mine.theory = nnd_source_of(panel->theory.frame, name);
    mine.mc = nnd_source_of(panel->mc.frame, name);
    return nnd_panel_trace(&mine, theory ? &mine.theory : &mine.mc, curve, size, trace) &&
           trace->x != NULL;
}

/* Mean over times of (E x_N - x)^2 + Var x_N at the k-th size; NaN if there is none. */
static double measured(const nnd_panel *panel, const parts *p, size_t curve, size_t k) {
    nnd_trace theory, mc, nvar;
    double sum = 0.0, count = 0.0;
    if (!find_trace(panel, p->mean, true, curve, 0, &theory) ||
        !find_trace(panel, p->mean, false, curve, k, &mc) ||
        !find_trace(panel, p->nvar, false, curve, k, &nvar))
        return NAN;
    for (size_t i = 0; i < mc.x->length; i++) {
        size_t j = nnd_coord_find(theory.x, mc.x, i);
        if (j == theory.x->length)
            continue;
        double shift = nnd_trace_at(&mc, i) - nnd_trace_at(&theory, j);
        double square = shift * shift + nnd_trace_at(&nvar, i) / panel->size->value[k];
        if (isfinite(square)) {
            sum += square;
            count += 1.0;
        }
    }
    return sum / count;
}

/* The same of theory: N Var x/N + (b/N)^2. */
static double predicted(const nnd_panel *panel, const parts *p, size_t curve, double size) {
    nnd_trace nvar, bias;
    double sum = 0.0, count = 0.0;
    if (!find_trace(panel, p->nvar, true, curve, 0, &nvar))
        return NAN;
    bool biased = p->bias != NULL && find_trace(panel, p->bias, true, curve, 0, &bias);
    for (size_t i = 0; i < nvar.x->length; i++) {
        double shift = biased ? nnd_trace_at(&bias, i) / size : 0.0;
        double square = nnd_trace_at(&nvar, i) / size + shift * shift;
        if (isfinite(square)) {
            sum += square;
            count += 1.0;
        }
    }
    return sum / count;
}

/* The axis over sizes. */
static nnd_span sizes(const nnd_panel *panel) {
    nnd_span span = nnd_span_empty;
    for (size_t k = 0; k < panel->size->length; k++)
        nnd_span_widen(&span, panel->size->value[k]);
    return (nnd_span){span.min / 1.3, span.max * 1.3};
}

static void write_curve(const nnd_panel *panel, const parts *p, size_t curve, nnd_span *y,
                        FILE *out) {
    nnd_span x = sizes(panel);
    fprintf(out, "$measured%zu << EOD\n", curve);
    for (size_t k = 0; k < panel->size->length; k++) {
        double square = measured(panel, p, curve, k);
        nnd_print(out, "%.12g %.12g\n", panel->size->value[k], square);
        if (square > 0.0)
            nnd_span_widen(y, square);
    }
    fprintf(out, "EOD\n$predicted%zu << EOD\n", curve);
    for (int i = 0; i <= 20; i++) {
        double size = x.min * pow(x.max / x.min, i / 20.0);
        nnd_print(out, "%.12g %.12g\n", size, predicted(panel, p, curve, size));
    }
    fputs("EOD\n", out);
}

/* The sizes themselves are the tics. */
static void write_axes(const nnd_panel *panel, const parts *p, nnd_span y, FILE *out) {
    nnd_span x = sizes(panel);
    const char *symbol = nnd_plot_symbol(panel, p->mean);
    char text[NND_PLOT_TEXT];
    nnd_print(out,
              "set logscale xy\nset format y '10^{%%T}'\nset xrange [%.12g:%.12g]\n"
              "set yrange [%.12g:%.12g]\n",
              x.min, x.max, 0.5 * y.min, 2.0 * y.max);
    snprintf(text, sizeof text, "%s N", panel->scaling);
    nnd_plot_axis_label("x", text, out);
    snprintf(text, sizeof text, "(%s_N - %s)², mean over seeds and times", symbol, symbol);
    nnd_plot_axis_label("y", text, out);
    fputs("set xtics (", out);
    for (size_t k = 0; k < panel->size->length; k++)
        nnd_print(out, "%s%.12g", k > 0 ? ", " : "", panel->size->value[k]);
    fputs(")\n", out);
}

static void write_plot(const nnd_panel *panel, double slope, const nnd_legend *legend, FILE *out) {
    nnd_plot_elements list = {out, "plot "};
    char line[40];
    for (size_t curve = 0; curve < panel->curves; curve++) {
        unsigned colour = nnd_panel_colour(panel, curve);
        nnd_plot_element(&list, colour, "$predicted%zu using 1:2 with lines lw 2 dt %s", curve,
                         nnd_plot_dash(curve % nnd_panel_dashes(panel)));
        nnd_plot_element(&list, colour, "$measured%zu using 1:2 with points pt 7 ps 0.7", curve);
    }
    nnd_format(line, sizeof line, "%.12g/x", slope);
    nnd_plot_element(&list, PALE, "%s with lines lw 1 dt (8,4)", line);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    nnd_span y = nnd_span_empty;
    parts p = {NULL, NULL, NULL};
    char title[NND_PLOT_LABEL];
    (void)cell;
    snprintf(title, sizeof title, "distance from infinite %s", panel->scaling);
    nnd_plot_title(panel, title, out);
    bool sized = !nnd_plot_is_category(panel->size) && find_parts(panel, &p);
    for (size_t curve = 0; sized && curve < panel->curves; curve++)
        write_curve(panel, &p, curve, &y, out);
    if (y.min > y.max) {
        nnd_plot_nothing(out);
        return;
    }
    write_axes(panel, &p, y, out);
    write_plot(panel, y.max * sizes(panel).min, legend, out);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_panel once = *panel;
    once.size = NULL; /* sizes are the axis */
    nnd_legend_make(&once, legend);
    nnd_legend_entry *entry = nnd_legend_add(legend, "slope -1");
    if (entry != NULL)
        entry->dash = 1;
}

const nnd_panel_kind nnd_panel_scaling = {nnd_panel_cells, 14.0, legend, draw};
