/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What theory says beside a variable: the edge of a bulk, an asymptotic law, bounds, a limit, a
 * threshold on the x axis. It belongs to a colour, not to a dash.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

enum { DOTTED = 2 };
static const unsigned PALE = 0xE6E6E6, GREY = 0x555555;
/* What happens is near the edge of a bulk: the axis begins a little below it. */
static const double BELOW_BULK = 0.9, ABOVE_BULK = 1.05;
/* Room for the number of a level. */
static const double BEYOND_LEVEL = 1.05;

const nnd_guide *nnd_guide_next(const nnd_panel *panel, const nnd_guide *after) {
    const nnd_guide *g = after != NULL ? after + 1 : panel->drawing->guides;
    while (g != NULL && g->name != NULL &&
           nnd_source_of(panel->theory.frame, g->name).array == NULL)
        g++;
    return g != NULL && g->name != NULL ? g : NULL;
}

const nnd_guide *nnd_guide_of(const nnd_panel *panel, nnd_guide_kind kind) {
    const nnd_guide *g = nnd_guide_next(panel, NULL);
    while (g != NULL && g->kind != kind)
        g = nnd_guide_next(panel, g);
    return g;
}

static size_t dash(const nnd_guide *g) {
    return g->dash > 0 ? (size_t)g->dash : DOTTED;
}

static bool find_trace(const nnd_panel *panel, const char *name, size_t colour, nnd_trace *trace) {
    nnd_panel mine = *panel;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    mine.theory = nnd_source_of(panel->theory.frame, name);
    return nnd_panel_trace(&mine, &mine.theory, colour * nnd_panel_dashes(panel), 0, trace) &&
           nnd_trace_measure(trace, &x, &y) > 0;
}

static bool same_values(const nnd_trace *a, const nnd_trace *b) {
    for (size_t i = 0; i < a->count; i++) {
        double u = nnd_trace_at(a, i), v = nnd_trace_at(b, i);
        if (isfinite(u) && isfinite(v) && fabs(u - v) > 1e-9 * fmax(fabs(u), fabs(v)))
            return false;
    }
    return true;
}

/* True if all colours that have the guide have the same values; the first one of them. */
static bool is_common(const nnd_panel *panel, const char *name, nnd_trace *first) {
    nnd_trace other;
    bool any = false;
    for (size_t c = 0; c < nnd_panel_colours(panel); c++) {
        if (!find_trace(panel, name, c, any ? &other : first))
            continue;
        if (any && !same_values(first, &other))
            return false;
        any = true;
    }
    return any;
}

/* Values differ from cell to cell; a band is drawn only where no cell needs more than one. */
static bool is_band(const nnd_panel *panel, const nnd_guide *g) {
    nnd_panel here = *panel;
    nnd_trace trace;
    bool band = g->kind == NND_GUIDE_BULK;
    for (here.facet.at = 0; band && here.facet.at < nnd_panel_cells(panel); here.facet.at++)
        band = is_common(&here, g->name, &trace);
    return band;
}

/* A limit that is one number is no line but a level. */
static bool is_number(const nnd_panel *panel, const nnd_guide *g, double *number) {
    nnd_trace trace;
    if (g->kind != NND_GUIDE_LIMIT || !is_common(panel, g->name, &trace) || trace.stride != 0)
        return false;
    *number = trace.y[0];
    return true;
}

/* The next guide that is drawn as a curve over x; NULL past the last. */
static const nnd_guide *next_curve(const nnd_panel *panel, const nnd_guide *after) {
    const nnd_guide *g = nnd_guide_next(panel, after);
    double number;
    while (g != NULL && (g->kind > NND_GUIDE_BULK || is_number(panel, g, &number)))
        g = nnd_guide_next(panel, g);
    return g;
}

/* ---- levels ---- */

/* The number that a one-sided check holds a variable to. */
static bool is_bounded(const nnd_panel *panel, double *bound) {
    const nnd_variable *v =
        panel->model != NULL ? nnd_model_variable(panel->model, panel->name) : NULL;
    return v != NULL && v->check.bound != NULL && nnd_number_read(v->check.bound, bound) &&
           !(panel->log_y && *bound <= 0.0);
}

/* The horizontal lines: without theory it is not known which hold, but for a bound. */
static size_t levels(const nnd_panel *panel, double level[NND_DRAWING_LEVELS]) {
    const nnd_guide *limit = nnd_guide_of(panel, NND_GUIDE_LIMIT);
    size_t count = 0;
    if (is_bounded(panel, level))
        return 1;
    if (panel->theory.array == NULL)
        return 0;
    if (limit != NULL)
        return is_number(panel, limit, level) ? 1 : 0;
    for (size_t i = 0; i < panel->drawing->level_count; i++)
        if (!panel->log_y || panel->drawing->level[i] > 0.0)
            level[count++] = panel->drawing->level[i];
    return count;
}

static void widen_levels(const nnd_panel *panel, nnd_span *y) {
    double level[NND_DRAWING_LEVELS];
    size_t count = y->min > y->max ? 0 : levels(panel, level);
    for (size_t i = 0; i < count; i++) {
        y->min = fmin(y->min, (level[i] < 0.0 ? BEYOND_LEVEL : 1.0) * level[i]);
        y->max = fmax(y->max, (level[i] > 0.0 ? BEYOND_LEVEL : 1.0) * level[i]);
    }
}

static void write_levels(const nnd_panel *panel, FILE *out) {
    double level[NND_DRAWING_LEVELS];
    size_t count = levels(panel, level);
    for (size_t i = 0; i < count; i++)
        nnd_print(out,
                  "set arrow from graph 0, first %g to graph 1, first %g nohead back lw 1 dt (8,4)"
                  " lc rgb '#%06X'\n"
                  "set label '%g' at graph 0.985, first %g right offset 0, 0.6 textcolor rgb"
                  " '#%06X'\n",
                  level[i], level[i], GREY, level[i], level[i], GREY);
}

/* ---- places on the x axis ---- */

static bool is_placed(const nnd_panel *panel, const nnd_guide *g) {
    return g->kind == NND_GUIDE_PLACE && panel->x != NULL && strcmp(panel->x->name, g->along) == 0;
}

static void write_places(const nnd_panel *panel, nnd_span x, FILE *out) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    for (const nnd_guide *g = NULL; (g = nnd_guide_next(panel, g)) != NULL;)
        for (size_t k = 0; k < colours && is_placed(panel, g); k++)
            if (find_trace(panel, g->name, k, &trace) && trace.y[0] >= x.min && trace.y[0] <= x.max)
                nnd_print(out,
                          "set arrow from first %.12g, graph 0 to first %.12g, graph 1 nohead back"
                          " lw 1.2 dt %s lc rgb '#%06X'\n",
                          trace.y[0], trace.y[0], nnd_plot_dash(dash(g)),
                          nnd_plot_colour(k, colours));
}

/* ---- all of them ---- */

static void widen_by(const nnd_panel *panel, const nnd_guide *g, nnd_span *x, nnd_span *y) {
    bool bulk = g->kind == NND_GUIDE_BULK;
    nnd_span mine = nnd_span_empty;
    nnd_trace trace;
    for (size_t k = 0; !g->aside && k < nnd_panel_colours(panel); k++)
        if (find_trace(panel, g->name, k, &trace))
            nnd_trace_measure(&trace, x, &mine);
    if (mine.min > mine.max)
        return;
    y->min = fmin(y->min, (bulk ? BELOW_BULK : 1.0) * mine.min);
    y->max = fmax(y->max, (bulk ? ABOVE_BULK : 1.0) * mine.max);
    if (g->least > 0.0)
        y->min = fmax(y->min, g->least * mine.min);
}

static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    for (const nnd_guide *g = NULL; (g = next_curve(panel, g)) != NULL;)
        widen_by(panel, g, x, y);
    widen_levels(panel, y);
}

/* One curve for each colour, or a single one if it is common to all. */
static size_t curves(const nnd_panel *panel, const nnd_guide *g) {
    nnd_trace trace;
    return is_common(panel, g->name, &trace) ? 1 : nnd_panel_colours(panel);
}

/* The k-th curve of a guide. */
static bool curve(const nnd_panel *panel, const nnd_guide *g, size_t k, nnd_trace *trace) {
    return is_common(panel, g->name, trace) || find_trace(panel, g->name, k, trace);
}

static void prepare(const nnd_panel *panel, nnd_span x, FILE *out) {
    nnd_trace trace;
    write_levels(panel, out);
    write_places(panel, x, out);
    for (const nnd_guide *g = NULL; (g = next_curve(panel, g)) != NULL;)
        for (size_t k = 0; k < curves(panel, g); k++) {
            if (!curve(panel, g, k, &trace))
                continue;
            fprintf(out, "$%s_%zu << EOD\n", g->name, k);
            nnd_trace_write_line(&trace, out);
            fputs("EOD\n", out);
        }
}

/* The band ends far below the picture; zero would have no place on a logarithmic axis. */
static void draw_band(const nnd_guide *g, nnd_plot_elements *list) {
    nnd_plot_element(list, PALE,
                     "$%s_0 using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder", g->name);
}

static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    for (const nnd_guide *g = NULL; (g = next_curve(panel, g)) != NULL;) {
        size_t count = curves(panel, g);
        if (is_band(panel, g)) {
            draw_band(g, list);
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            if (!curve(panel, g, k, &trace))
                continue;
            nnd_plot_element(list, count < colours ? GREY : nnd_plot_colour(k, colours),
                             "$%s_%zu using 1:2 with lines lw 1.2 dt %s", g->name, k,
                             nnd_plot_dash(dash(g)));
        }
    }
}

static void add_line(const nnd_panel *panel, const nnd_guide *g, nnd_legend *legend) {
    nnd_legend_entry *entry = nnd_legend_add(legend, g->label);
    if (entry == NULL)
        return;
    entry->dash = dash(g);
    if (nnd_panel_colours(panel) == 1)
        entry->colour = nnd_plot_colour(0, 1);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    for (const nnd_guide *g = NULL; (g = next_curve(panel, g)) != NULL;)
        if (is_band(panel, g))
            nnd_legend_add_band(legend, g->band, PALE);
        else
            add_line(panel, g, legend);
    for (const nnd_guide *g = NULL; (g = nnd_guide_next(panel, g)) != NULL;)
        if (is_placed(panel, g))
            add_line(panel, g, legend);
}

const nnd_addition nnd_guides = {widen, prepare, below, NULL, legend};
