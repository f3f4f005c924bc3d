/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Every network of an ensemble as a point, one variable against another one, on logarithmic axes,
 * and the power law that fits all of them best.
 */
#include <math.h>

#include "plot/cell.h"
#include "plot/label.h"

/* ---- the fit ---- */

/* Sums over points (log x, log y), from their means if these are known. */
typedef struct {
    size_t count;
    double x, y, xx, xy;  /* means first, then sums of products of deviations */
    double slope, spread; /* spread: of the slope, not yet divided */
} fit;

/* How many points have no place on the axes. */
static size_t left_out(const nnd_trace *points) {
    double x, y, se;
    size_t out = 0;
    for (size_t i = 0; i < points->count; i++)
        out += nnd_trace_point(points, i, &x, &y, &se) ? 0 : 1;
    return out;
}

typedef enum { MEANS, PRODUCTS, ERRORS } round_of;

/* log y = slope log x + c with all that is known of the fit before this round. */
static void take(fit *f, round_of round, double x, double y) {
    double dx = x - f->x, dy = y - f->y;
    if (round == MEANS) {
        f->count++;
        f->x += dx / (double)f->count;
        f->y += dy / (double)f->count;
    } else if (round == PRODUCTS) {
        f->xx += dx * dx;
        f->xy += dx * dy;
    } else {
        double leverage = 1.0 / (double)f->count + dx * dx / f->xx;
        double residual = (dy - f->slope * dx) / (1.0 - leverage);
        f->spread += dx * dx * residual * residual;
    }
}

static void take_all(const nnd_panel *panel, fit *f, round_of round) {
    nnd_trace points;
    double x, y, se;
    for (size_t curve = 0; curve < panel->curves; curve++) {
        if (!nnd_trace_find(panel, false, curve, 0, &points))
            continue;
        for (size_t i = 0; i < points.count; i++)
            if (nnd_trace_point(&points, i, &x, &y, &se))
                take(f, round, log(x), log(y));
    }
}

/* Least squares over the points of all curves. The standard error of the slope,
 * sqrt(sum_i dx_i^2 (e_i/(1 - h_i))^2)/sum_i dx_i^2 with leverages h, allows for errors of
 * different sizes (HC3: MacKinnon & White, J. Econometrics 29 (1985) 305). False with fewer than
 * three points, or none apart. */
static bool find_fit(const nnd_panel *panel, fit *f, double *error) {
    *f = (fit){0};
    take_all(panel, f, MEANS);
    take_all(panel, f, PRODUCTS);
    if (f->count < 3 || !(f->xx > 1e-20 * (double)f->count))
        return false;
    f->slope = f->xy / f->xx;
    take_all(panel, f, ERRORS);
    *error = sqrt(f->spread) / f->xx;
    return true;
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
                  nnd_plot_point(curve % nnd_panel_dashes(panel)));
}

static void tell_fit(const nnd_panel *panel, nnd_cell *cell) {
    fit f;
    double error;
    char label[NND_PLOT_LABEL];
    if (!find_fit(panel, &f, &error))
        return;
    nnd_format(label, sizeof label, "slope %.3g ± %.2g, %zu runs", f.slope, error, f.count);
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
    nnd_plot_dim_label(panel, panel->x, "x", out);
    nnd_plot_value_label(panel, "y", out);
    if (y.min > y.max)
        return;
    nnd_span_write(x, panel->log_x, "x", out);
    nnd_span_write(y, panel->log_y, "y", out);
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

const nnd_cell_kind nnd_cell_scatter = {legend, draw};
