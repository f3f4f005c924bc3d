/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Every network of an ensemble as a point, one variable against another one, on logarithmic axes,
 * and the power law that fits all of them best.
 */
#include <math.h>

#include "plot/cell.h"
#include "plot/label.h"

/* ---- the fit ---- */

/* log y = slope (log x - x) + y, and the standard error of the slope. */
typedef struct {
    size_t count;
    double x, y, slope, error;
} fit;

/* Sums over points less the centre of the fit. */
typedef struct {
    double count, x, y, xx, xy;
} sums;

/* How many points have no place on the axes. */
static size_t left_out(const nnd_trace *points) {
    double x, y, se;
    size_t out = 0;
    for (size_t i = 0; i < points->count; i++)
        out += nnd_trace_point(points, i, &x, &y, &se) ? 0 : 1;
    return out;
}

/* Adds the points of one seed, at most one of each curve. */
static void add_seed(const nnd_panel *panel, size_t seed, const fit *f, sums *s) {
    nnd_trace points;
    double x, y, se;
    for (size_t curve = 0; curve < panel->curves; curve++) {
        if (!nnd_trace_find(panel, false, curve, 0, &points) || seed >= points.count ||
            !nnd_trace_point(&points, seed, &x, &y, &se))
            continue;
        double dx = log(x) - f->x, dy = log(y) - f->y;
        s->count += 1.0;
        s->x += dx;
        s->y += dy;
        s->xx += dx * dx;
        s->xy += dx * dy;
    }
}

static sums sum_up(const nnd_panel *panel, const fit *f) {
    sums s = {0};
    for (size_t seed = 0; seed < panel->x->length; seed++)
        add_seed(panel, seed, f, &s);
    return s;
}

/* NaN with fewer than three points, or none apart by more than rounding. */
static double slope_of(const sums *s) {
    double apart = s->xx - s->x * s->x / s->count;
    bool known = s->count >= 3.0 && s->xx > 1e-20 * s->count && apart > 1e-12 * s->xx;
    return known ? (s->xy - s->x * s->y / s->count) / apart : NAN;
}

/* Networks of one seed begin with the same random numbers at every point of a sweep: seeds are
 * independent and the points of one are not. So the error is that of the jackknife that leaves seed
 * after seed out of all curves, sqrt((G - 1)/G sum_g (slope_(g) - slope)^2), which allows for
 * errors of different sizes, too. */
static double error_of(const nnd_panel *panel, const fit *f, const sums *all) {
    double seeds = 0.0, sum2 = 0.0;
    for (size_t seed = 0; seed < panel->x->length; seed++) {
        sums own = {0};
        add_seed(panel, seed, f, &own);
        if (!(own.count > 0.0))
            continue;
        const sums rest = {all->count - own.count, all->x - own.x, all->y - own.y, all->xx - own.xx,
                           all->xy - own.xy};
        double off = slope_of(&rest) - f->slope;
        sum2 += off * off;
        seeds += 1.0;
    }
    return sqrt((seeds - 1.0) / seeds * sum2);
}

/* Least squares over the points of all curves. False where the slope or its error is not known. */
static bool find_fit(const nnd_panel *panel, fit *f) {
    *f = (fit){0};
    const sums raw = sum_up(panel, f);
    f->count = (size_t)raw.count;
    f->x = raw.x / raw.count;
    f->y = raw.y / raw.count;
    const sums all = sum_up(panel, f);
    f->slope = slope_of(&all);
    f->error = error_of(panel, f, &all);
    return isfinite(f->slope) && isfinite(f->error);
}

/* ---- the cell ---- */

static void tell_points(const nnd_panel *panel, size_t curve, nnd_cell *cell) {
    nnd_trace points;
    if (!nnd_trace_find(panel, false, curve, 0, &points))
        return;
    nnd_cell_span(cell, &points);
    if (nnd_cell_begin(cell, "points%zu", curve)) {
        nnd_trace_write_points(&points, points.count, 0.0, cell->out);
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, nnd_panel_colour(panel, curve), "using 1:2 with points pt %d ps 0.5",
                  nnd_plot_point(nnd_panel_point(panel, curve, curve % nnd_panel_dashes(panel))));
}

static void tell_fit(const nnd_panel *panel, nnd_cell *cell) {
    fit f;
    char label[NND_PLOT_LABEL];
    if (!find_fit(panel, &f))
        return;
    nnd_format(label, sizeof label, "slope %.3g ± %.2g, %zu runs", f.slope, f.error, f.count);
    nnd_cell_name(cell, NND_MARK_LINE, NND_PLOT_GREY, 1, label);
    if (nnd_cell_begin(cell, "fit")) {
        const double end[] = {cell->x.min, cell->x.max};
        for (size_t i = 0; i < 2; i++)
            nnd_print(cell->out, "%.12g %.12g\n", end[i], exp(f.y + f.slope * (log(end[i]) - f.x)));
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, NND_PLOT_GREY, "using 1:2 with lines lw 2 dt %s", nnd_plot_dash(1));
}

static void tell_layers(const nnd_panel *panel, nnd_cell *cell) {
    for (size_t curve = 0; curve < panel->curves; curve++)
        tell_points(panel, curve, cell);
    tell_fit(panel, cell);
}

static void write_axes(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out) {
    nnd_plot_x_dim_label(panel, panel->x, out);
    if (nnd_span_is_empty(y))
        return;
    nnd_axis across = {.log = panel->log_x, .room = panel->level}, up = nnd_cell_y_axis(panel, y);
    nnd_axis_fit_loosely(&across, x);
    nnd_axis_write(&across, "x", out);
    nnd_axis_write(&up, "y", out);
}

static void sides(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar) {
    (void)at;
    (void)bar;
    nnd_plot_value_text(panel, sizeof y->text, y->text);
    y->tics = nnd_cell_y_tics(panel, tell_layers);
}

static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    char more[NND_PLOT_LABEL] = "";
    size_t hidden = 0;
    nnd_trace points;
    (void)at;
    for (size_t curve = 0; curve < panel->curves; curve++)
        if (nnd_trace_find(panel, false, curve, 0, &points))
            hidden += left_out(&points);
    if (hidden > 0)
        snprintf(more, sizeof more, " (without a logarithm: %zu)", hidden);
    nnd_plot_title(panel, panel->name, more, out);
    nnd_cell_write(panel, tell_layers, write_axes, legend, out);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    nnd_cell_names(panel, tell_layers, legend);
}

const nnd_cell_kind nnd_cell_scatter = {legend, sides, draw};
