/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far networks of size N are from infinite size: the square of x_N - x, averaged over seeds and
 * times, against N. Where theory at order 1/N holds it falls along a line of slope -1.
 */
#include <math.h>
#include <string.h>

#include "models/moments.h"
#include "plot/cell.h"
#include "plot/label.h"

/* Axes go on beyond sizes and distances by these factors. */
static const double ROOM = 1.3, BEYOND = 2.0;

/* Sizes are the axis: neither points nor the legend tell them apart. */
static nnd_panel without_sizes(const nnd_panel *panel) {
    nnd_panel once = *panel;
    once.size = NULL;
    return once;
}

static bool find_parts(const nnd_panel *panel, nnd_moments *p) {
    const nnd_variable *nvar = nnd_model_variable(panel->model, panel->name);
    if (nvar == NULL || nvar->estimator.kind != NND_NVAR || nvar->estimator.a == NULL)
        return false;
    *p = nnd_moments_of(panel->model, nvar->estimator.a);
    return true;
}

static bool find(const nnd_panel *panel, const char *name, bool theory, size_t curve, size_t size,
                 nnd_trace *trace) {
    return name != NULL && nnd_trace_beside(panel, name, theory, curve, size, trace) &&
           trace->x != NULL;
}

/* A mean over times of what is finite; NaN if nothing is. */
typedef struct {
    double sum, count;
} mean;

static void add(mean *m, double value) {
    m->sum += isfinite(value) ? value : 0.0;
    m->count += isfinite(value) ? 1.0 : 0.0;
}

/* Mean over times of (E x_N - x)^2 + Var x_N at the k-th size. */
static double measured(const nnd_panel *panel, const nnd_moments *p, size_t curve, size_t k) {
    nnd_trace theory, mc, nvar;
    mean m = {0.0, 0.0};
    if (!find(panel, p->mean, true, curve, 0, &theory) ||
        !find(panel, p->mean, false, curve, k, &mc) ||
        !find(panel, p->nvar, false, curve, k, &nvar))
        return NAN;
    for (size_t i = 0; i < mc.x->length; i++) {
        size_t j = nnd_coord_find(theory.x, mc.x, i);
        if (j == theory.x->length)
            continue;
        double shift = nnd_trace_at(&mc, i) - nnd_trace_at(&theory, j);
        add(&m, shift * shift + nnd_trace_at(&nvar, i) / panel->size->value[k]);
    }
    return m.sum / m.count;
}

/* The same of theory: N Var x/N + (b/N)^2. */
static double predicted(const nnd_panel *panel, const nnd_moments *p, size_t curve, double size) {
    nnd_trace nvar, bias;
    mean m = {0.0, 0.0};
    if (!find(panel, p->nvar, true, curve, 0, &nvar))
        return NAN;
    bool biased = find(panel, p->bias, true, curve, 0, &bias);
    for (size_t i = 0; i < nvar.x->length; i++) {
        double shift = biased ? nnd_trace_at(&bias, i) / size : 0.0;
        add(&m, nnd_trace_at(&nvar, i) / size + shift * shift);
    }
    return m.sum / m.count;
}

static void tell_predicted(const nnd_panel *panel, const nnd_moments *p, size_t curve,
                           nnd_cell *cell) {
    if (nnd_cell_begin(cell, "predicted%zu", curve)) {
        for (int i = 0; i <= 20; i++) {
            double size = cell->x.min * pow(cell->x.max / cell->x.min, i / 20.0);
            nnd_print(cell->out, "%.12g %.12g\n", size, predicted(panel, p, curve, size));
        }
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, nnd_panel_colour(panel, curve), "using 1:2 with lines lw 2 dt %s",
                  nnd_plot_dash(nnd_panel_dash(panel, curve)));
}

static void tell_measured(const nnd_panel *panel, const nnd_moments *p, size_t curve,
                          nnd_cell *cell) {
    const nnd_panel once = without_sizes(panel);
    bool writes = nnd_cell_begin(cell, "measured%zu", curve);
    for (size_t k = 0; k < panel->size->length; k++) {
        double size = panel->size->value[k], square = measured(panel, p, curve, k);
        if (writes)
            nnd_print(cell->out, "%.12g %.12g\n", size, square);
        if (cell->pass != NND_TELL_SPANS)
            continue;
        nnd_span_widen(&cell->x, size / ROOM);
        nnd_span_widen(&cell->x, size * ROOM);
        if (square > 0.0)
            nnd_span_widen(&cell->y, square);
    }
    if (writes)
        nnd_cell_end(cell);
    nnd_cell_draw(cell, nnd_panel_colour(panel, curve), "using 1:2 with points pt %d ps 0.7",
                  nnd_plot_point(nnd_panel_point(&once, curve, 0)));
}

/* From the largest measurement at the left end. */
static void tell_slope(nnd_cell *cell) {
    nnd_cell_name(cell, NND_MARK_LINE, NND_PLOT_GREY, 1, "slope -1");
    if (nnd_cell_begin(cell, "slope")) {
        nnd_print(cell->out, "%.12g %.12g\n%.12g %.12g\n", cell->x.min, cell->y.max, cell->x.max,
                  cell->y.max * cell->x.min / cell->x.max);
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, NND_PLOT_GREY, "using 1:2 with lines lw 1 dt %s", nnd_plot_dash(1));
}

static void tell_layers(const nnd_panel *panel, nnd_cell *cell) {
    nnd_moments p;
    if (nnd_dim_is_category(panel->size) || !find_parts(panel, &p))
        return;
    for (size_t curve = 0; curve < panel->curves; curve++) {
        tell_predicted(panel, &p, curve, cell);
        tell_measured(panel, &p, curve, cell);
    }
    tell_slope(cell);
}

static nnd_axis y_axis(const nnd_panel *panel, nnd_span y) {
    nnd_axis axis = {.log = true, .upright = true, .room = panel->upright};
    nnd_axis_fit(&axis, (nnd_span){y.min / BEYOND, y.max * BEYOND});
    return axis;
}

/* The sizes themselves are the tics. */
static void write_axes(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out) {
    char text[NND_PLOT_TEXT];
    if (nnd_span_is_empty(y))
        return;
    nnd_axis axis = y_axis(panel, y);
    nnd_axis_write(&axis, "y", out);
    nnd_print(out, "set logscale x\nset xrange [%.12g:%.12g]\nset xtics (", x.min, x.max);
    for (size_t k = 0; k < panel->size->length; k++)
        nnd_print(out, "%s%.12g", k > 0 ? ", " : "", panel->size->value[k]);
    fputs(")\n", out);
    snprintf(text, sizeof text, "%s N", panel->scaling);
    nnd_plot_x_label(panel, text, out);
}

static void sides(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar) {
    nnd_moments p;
    (void)at;
    (void)bar;
    if (!find_parts(panel, &p))
        return;
    const char *symbol = nnd_plot_symbol(panel->model, p.mean);
    snprintf(y->text, sizeof y->text, "(%s_N - %s)², mean over seeds and times", symbol, symbol);
    nnd_span span = nnd_cell_y_span(panel, tell_layers);
    if (nnd_span_is_empty(span))
        return;
    nnd_axis axis = y_axis(panel, span);
    y->tics = nnd_axis_width(&axis);
}

static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    char title[NND_PLOT_LABEL];
    (void)at;
    snprintf(title, sizeof title, "distance from infinite %s", panel->scaling);
    nnd_plot_title(panel, title, "", out);
    nnd_cell_write(panel, tell_layers, write_axes, legend, out);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_panel once = without_sizes(panel);
    nnd_legend_make(&once, legend);
    nnd_cell_names(panel, tell_layers, legend);
}

const nnd_cell_kind nnd_cell_scaling = {legend, sides, draw};
