/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How networks of the last size are spread over their seeds, each time in a cell of its own: boxes
 * of a density, and the normal law of theory, of mean x + bias/N and variance nvar/N.
 */
#include <math.h>

#include "core/companion.h"
#include "models/moments.h"
#include "plot/cell.h"
#include "plot/label.h"

enum { BINS = 100, ROUNDS = 20, LAW_POINTS = 81, DOTTED = 2 };
/* What is further from the mean, in standard deviations, is counted, not drawn. */
static const double FAR = 6.0;
/* The law is drawn up to so many. */
static const double LAW_FAR = 4.0;

/* ---- what seeds are like ---- */

typedef struct {
    size_t finite, near; /* seeds: all that have a value; those that are not far */
    double mean, sd;     /* of those that are near */
    double from, width;  /* of the bins */
    size_t count[BINS];
} spread;

static bool is_near(const spread *s, double x) {
    return isfinite(x) && fabs(x - s->mean) <= FAR * s->sd;
}

/* Mean and standard deviation of what is near the mean of the round before. */
static spread next_round(const nnd_trace *seeds, const spread *before) {
    spread s = {0};
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < seeds->count; i++) {
        double x = nnd_trace_at(seeds, i);
        s.finite += isfinite(x) ? 1 : 0;
        if (!is_near(before, x))
            continue;
        s.near++;
        sum += x;
    }
    s.mean = sum / (double)s.near;
    for (size_t i = 0; i < seeds->count; i++) {
        double x = nnd_trace_at(seeds, i);
        squares += is_near(before, x) ? (x - s.mean) * (x - s.mean) : 0.0;
    }
    s.sd = sqrt(squares / (double)(s.near - 1));
    return s;
}

/* Bins as wide as Scott's rule has them, 3.49 sd n^(-1/3), unless these are too many. */
static void fill_bins(const nnd_trace *seeds, spread *s) {
    double least = 2.0 * FAR * s->sd / BINS;
    s->width = fmax(3.49 * s->sd / cbrt((double)s->near), least);
    s->from = s->mean - FAR * s->sd;
    for (size_t i = 0; i < seeds->count; i++) {
        double x = nnd_trace_at(seeds, i);
        size_t bin = is_near(s, x) ? (size_t)((x - s->from) / s->width) : BINS;
        if (is_near(s, x))
            s->count[bin < BINS ? bin : BINS - 1]++;
    }
}

/* False if there is nothing to see: no seeds, or all alike. A round without what was far in the one
 * before frees mean and variance of runs that nearly diverged. */
static bool find_spread(const nnd_panel *panel, size_t curve, spread *s) {
    nnd_trace seeds;
    size_t before = 0;
    *s = (spread){.sd = INFINITY};
    if (!nnd_trace_find(panel, false, curve, 0, &seeds))
        return false;
    for (int round = 0; round < ROUNDS && (round == 0 || s->near != before); round++) {
        before = s->near;
        *s = next_round(&seeds, s);
        if (s->near < 2 || !(s->sd > 1e-12 * fabs(s->mean)))
            return false;
    }
    fill_bins(&seeds, s);
    return true;
}

/* ---- boxes ---- */

static void tell_boxes(const nnd_panel *panel, size_t curve, const spread *s, nnd_cell *cell) {
    bool writes = nnd_cell_begin(cell, "seeds%zu", curve);
    for (size_t i = 0; i < BINS; i++) {
        double at = s->from + ((double)i + 0.5) * s->width;
        double density = (double)s->count[i] / ((double)s->finite * s->width);
        if (s->count[i] == 0)
            continue;
        if (writes)
            nnd_print(cell->out, "%.12g %.12g %.12g\n", at, density, s->width);
        if (cell->pass != NND_TELL_SPANS)
            continue;
        nnd_span_widen(&cell->x, at - 0.5 * s->width);
        nnd_span_widen(&cell->x, at + 0.5 * s->width);
        nnd_span_widen(&cell->y, density);
    }
    if (writes)
        nnd_cell_end(cell);
    nnd_cell_draw(cell, nnd_panel_colour(panel, curve),
                  "using 1:2:3 with boxes fs transparent solid 0.35 noborder");
}

/* ---- the law ---- */

/* Mean and standard deviation of theory; `claimed` if it is one of networks of this size. */
typedef struct {
    double mean, sd;
    bool claimed;
} law;

/* The number of theory for the curve; NaN if there is none. */
static double number(const nnd_panel *panel, const char *name, size_t curve) {
    nnd_trace trace;
    return name != NULL && nnd_trace_beside(panel, name, true, curve, 0, &trace) ? trace.y[0] : NAN;
}

static bool find_law(const nnd_panel *panel, size_t curve, law *l) {
    const nnd_moments m = nnd_moments_of(panel->model, panel->name);
    if (m.nvar == NULL || nnd_dim_is_category(panel->size))
        return false;
    double size = panel->size->value[panel->size->length - 1];
    double bias = number(panel, m.bias, curve);
    char least[NND_COMPANION_SIZE];
    nnd_companion_name(m.nvar, NND_MIN_SIZE, sizeof least, least);
    l->mean = number(panel, m.mean, curve) + (isfinite(bias) ? bias / size : 0.0);
    l->sd = sqrt(number(panel, m.nvar, curve) / size);
    l->claimed = !(number(panel, least, curve) > size);
    return isfinite(l->mean) && l->sd > 0.0;
}

static double density(const law *l, double z) {
    return exp(-0.5 * z * z) / (l->sd * sqrt(2.0 * M_PI));
}

static void tell_law(const nnd_panel *panel, size_t curve, const law *l, nnd_cell *cell) {
    if (cell->pass == NND_TELL_SPANS)
        nnd_span_widen(&cell->y, density(l, 0.0));
    if (nnd_cell_begin(cell, "law%zu", curve)) {
        for (int i = 0; i < LAW_POINTS; i++) {
            double z = LAW_FAR * (2.0 * i / (LAW_POINTS - 1.0) - 1.0);
            nnd_print(cell->out, "%.12g %.12g\n", l->mean + z * l->sd, density(l, z));
        }
        nnd_cell_end(cell);
    }
    nnd_cell_draw(cell, nnd_panel_colour(panel, curve), "using 1:2 with lines lw 2 dt %s",
                  nnd_plot_dash(l->claimed ? 0 : DOTTED));
}

/* ---- cells ---- */

static void tell_layers(const nnd_panel *panel, nnd_cell *cell) {
    spread s;
    law l;
    for (size_t curve = 0; curve < panel->curves; curve++)
        if (find_spread(panel, curve, &s))
            tell_boxes(panel, curve, &s, cell);
    for (size_t curve = 0; curve < panel->curves; curve++)
        if (find_spread(panel, curve, &s) && find_law(panel, curve, &l))
            tell_law(panel, curve, &l, cell);
}

static void write_axes(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out) {
    char text[NND_PLOT_TEXT];
    nnd_plot_value_text(panel, sizeof text, text);
    nnd_plot_x_label(panel, text, out);
    if (nnd_span_is_empty(y))
        return;
    nnd_axis across = {.room = panel->level}, up = nnd_cell_y_axis(panel, y);
    nnd_axis_fit_loosely(&across, x);
    nnd_axis_write(&across, "x", out);
    nnd_axis_write(&up, "y", out);
}

static void sides(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar) {
    nnd_panel here = *panel;
    here.facet.at = nnd_panel_facet(panel, at);
    (void)bar;
    snprintf(y->text, sizeof y->text, "probability density");
    y->tics = nnd_cell_y_tics(&here, tell_layers);
}

/* Whether seeds differ in a cell, whether any is there, and how many the axis leaves out. */
typedef struct {
    bool differ, any;
    size_t far;
} sight;

static sight look(const nnd_panel *panel) {
    sight all = {0};
    spread s;
    for (size_t curve = 0; curve < panel->curves; curve++) {
        bool differ = find_spread(panel, curve, &s);
        all.differ |= differ;
        all.any |= s.finite > 0;
        all.far += differ ? s.finite - s.near : 0;
    }
    return all;
}

static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    char more[NND_PLOT_LABEL] = "";
    here.facet.at = nnd_panel_facet(panel, at);
    const sight seen = look(&here);
    if (seen.far > 0)
        snprintf(more, sizeof more, " (seeds far off: %zu)", seen.far);
    nnd_plot_title(&here, here.name, more, out);
    if (seen.differ)
        nnd_cell_write(&here, tell_layers, write_axes, legend, out);
    else
        nnd_cell_nothing(seen.any ? "all seeds are alike" : "no finite values", out);
}

/* True if a cell has a law that is not claimed. */
static bool has_unclaimed(const nnd_panel *panel) {
    nnd_panel here = *panel;
    law l;
    for (size_t i = 0; i < nnd_panel_facets(panel); i++) {
        here.facet.at = nnd_panel_facet(panel, i);
        for (size_t curve = 0; curve < panel->curves; curve++)
            if (find_law(&here, curve, &l) && !l.claimed)
                return true;
    }
    return false;
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    if (has_unclaimed(panel))
        nnd_legend_add(legend, NND_MARK_LINE, nnd_panel_neutral(panel), DOTTED,
                       "not claimed of this size");
}

const nnd_cell_kind nnd_cell_seeds = {legend, sides, draw};
