/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The edge of a bulk, an asymptotic law, bounds, a limit, a threshold on the x axis, the spread of
 * finite networks. A guide belongs to a colour, not to a dash.
 */
#include <math.h>
#include <string.h>

#include "core/text.h"
#include "plot/layers.h"

enum { DOTTED = 2, BAND = 0xE6E6E6 };
/* What the colour of several curves, and that of one, is behind curves, as transparent as bands
 * are. */
enum { PALE_GREY = 0xDDDDDD, PALE_BLUE = 0xCCE3F0 };
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

bool nnd_guide_values(const nnd_panel *panel, const nnd_guide *g, size_t curve, nnd_trace *trace) {
    const nnd_source source = nnd_source_of(panel->theory.frame, g->name);
    const nnd_variable *v = nnd_model_variable(panel->model, g->name);
    const nnd_dim *t = nnd_source_dim(&source, "t");
    nnd_panel mine = *panel;
    mine.x = nnd_source_dim(&source, v != NULL ? v->drawing.rank : NULL);
    if (mine.instant.dim == NULL && t != NULL && !nnd_dim_is(t, panel->x))
        mine.instant = (nnd_plot_pin){t, t->length - 1};
    return nnd_trace_beside(&mine, g->name, true, curve, 0, trace);
}

static size_t dash(const nnd_guide *g) {
    return g->dash > 0 ? (size_t)g->dash : DOTTED;
}

static bool find_trace(const nnd_panel *panel, const nnd_guide *g, size_t colour,
                       nnd_trace *trace) {
    return nnd_trace_beside(panel, g->name, true, colour * nnd_panel_dashes(panel), 0, trace) &&
           nnd_trace_is_shown(trace);
}

/* ---- curves over x ---- */

static bool same_values(const nnd_trace *a, const nnd_trace *b) {
    for (size_t i = 0; i < a->count; i++) {
        double u = nnd_trace_at(a, i), v = nnd_trace_at(b, i);
        if (isfinite(u) && isfinite(v) && fabs(u - v) > 1e-9 * fmax(fabs(u), fabs(v)))
            return false;
    }
    return true;
}

/* True if all colours that have the guide have the same values; the first one of them. */
static bool is_common(const nnd_panel *panel, const nnd_guide *g, nnd_trace *first) {
    nnd_trace other;
    bool any = false;
    for (size_t c = 0; c < nnd_panel_colours(panel); c++) {
        if (!find_trace(panel, g, c, any ? &other : first))
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
    for (here.facet.at = 0; band && here.facet.at < nnd_panel_facets(panel); here.facet.at++)
        band = is_common(&here, g, &trace);
    return band;
}

/* A limit that is one number is no line but a level. */
static bool is_number(const nnd_panel *panel, const nnd_guide *g, double *number) {
    nnd_trace trace;
    if (g->kind != NND_GUIDE_LIMIT || !is_common(panel, g, &trace) || trace.stride != 0)
        return false;
    *number = trace.y[0];
    return true;
}

/* True for a guide that is drawn as curves. The line beside a histogram is its theory. */
static bool is_curve(const nnd_panel *panel, const nnd_guide *g) {
    double number;
    return g->kind <= NND_GUIDE_BULK && !panel->histogram && !is_number(panel, g, &number);
}

static void widen_by_curves(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    bool bulk = g->kind == NND_GUIDE_BULK;
    nnd_span mine = nnd_span_empty;
    nnd_trace trace;
    for (size_t k = 0; !g->aside && k < nnd_panel_colours(panel); k++)
        if (find_trace(panel, g, k, &trace))
            nnd_trace_measure(&trace, &cell->x, &mine);
    if (mine.min > mine.max)
        return;
    nnd_span_widen(&cell->y, (bulk ? BELOW_BULK : 1.0) * mine.min);
    nnd_span_widen(&cell->y, (bulk ? ABOVE_BULK : 1.0) * mine.max);
    if (g->least > 0.0)
        cell->least = fmax(cell->least, g->least * mine.min);
}

/* One curve for each colour, or a single one if it is common to all. A band ends far below the
 * picture; zero would have no place on a logarithmic axis. */
static void tell_lines(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    nnd_trace trace;
    bool common = is_common(panel, g, &trace), band = is_band(panel, g);
    size_t colours = nnd_panel_colours(panel), count = common ? 1 : colours;
    for (size_t k = 0; k < count; k++) {
        if (!common && !find_trace(panel, g, k, &trace))
            continue;
        if (nnd_cell_begin(cell, "%s_%zu", g->name, k)) {
            nnd_trace_write_line(&trace, cell->out);
            nnd_cell_end(cell);
        }
        if (band)
            nnd_cell_draw(cell, BAND,
                          "using 1:($2*1e-6):2 with filledcurves fs solid 1.0 noborder");
        else
            nnd_cell_draw(cell, count < colours ? NND_PLOT_GREY : nnd_plot_colour(k, colours),
                          "using 1:2 with lines lw 1.2 dt %s", nnd_plot_dash(dash(g)));
    }
}

static void tell_curves(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    if (is_band(panel, g))
        nnd_cell_name(cell, NND_MARK_BAND, BAND, 0, g->band);
    else
        nnd_cell_name(cell, NND_MARK_LINE, nnd_panel_neutral(panel), dash(g), g->label);
    if (cell->pass == NND_TELL_SPANS)
        widen_by_curves(panel, g, cell);
    tell_lines(panel, g, cell);
}

/* ---- levels ---- */

/* The number that a one-sided check holds a variable to. */
static bool is_bounded(const nnd_panel *panel, double *bound) {
    const nnd_variable *v = nnd_panel_variable(panel);
    return v != NULL && v->check.bound != NULL && nnd_number_read(v->check.bound, bound) &&
           !(panel->log_y && *bound <= 0.0);
}

/* The horizontal lines: without theory it is not known which hold, but for a bound. */
static size_t levels(const nnd_panel *panel, double level[NND_DRAWING_LEVELS]) {
    size_t count = 0;
    if (is_bounded(panel, level))
        return 1;
    if (panel->theory.array == NULL)
        return 0;
    for (const nnd_guide *g = NULL; (g = nnd_guide_next(panel, g)) != NULL;)
        if (g->kind == NND_GUIDE_LIMIT)
            return is_number(panel, g, level) ? 1 : 0;
    for (size_t i = 0; i < panel->drawing->level_count; i++)
        if (!panel->log_y || panel->drawing->level[i] > 0.0)
            level[count++] = panel->drawing->level[i];
    return count;
}

static void write_level(double level, FILE *out) {
    nnd_print(out,
              "set arrow from graph 0, first %g to graph 1, first %g nohead back lw 1 dt (8,4)"
              " lc rgb '#%06X'\n"
              "set label '%g' at graph 0.985, first %g right offset 0, 0.6 textcolor rgb '#%06X'\n",
              level, level, NND_PLOT_GREY, level, level, NND_PLOT_GREY);
}

void nnd_levels_tell(const nnd_panel *panel, nnd_cell *cell) {
    double level[NND_DRAWING_LEVELS];
    size_t count = levels(panel, level);
    bool empty = cell->y.min > cell->y.max;
    for (size_t i = 0; i < count; i++) {
        if (cell->pass == NND_TELL_DATA)
            write_level(level[i], cell->out);
        if (cell->pass != NND_TELL_SPANS || empty)
            continue;
        nnd_span_widen(&cell->y, level[i]);
        nnd_span_widen(&cell->y, BEYOND_LEVEL * level[i]);
    }
}

/* ---- places on the x axis ---- */

static void write_place(double at, const nnd_guide *g, unsigned colour, nnd_cell *cell) {
    if (at >= cell->x.min && at <= cell->x.max)
        nnd_print(cell->out,
                  "set arrow from first %.12g, graph 0 to first %.12g, graph 1 nohead back"
                  " lw 1.2 dt %s lc rgb '#%06X'\n",
                  at, at, nnd_plot_dash(dash(g)), colour);
}

static void tell_places(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    nnd_cell_name(cell, NND_MARK_LINE, nnd_panel_neutral(panel), dash(g), g->label);
    for (size_t k = 0; cell->pass == NND_TELL_DATA && k < colours; k++)
        if (nnd_guide_values(panel, g, k * nnd_panel_dashes(panel), &trace))
            for (size_t i = 0; i < trace.count; i++)
                write_place(nnd_trace_at(&trace, i), g, nnd_plot_colour(k, colours), cell);
}

/* ---- the spread of networks: at each place, of those of the first size, or of sizes that theory
 * names ---- */

/* The mean, with the standard deviation as its error. */
static bool find_spread(const nnd_panel *panel, const nnd_guide *g, bool theory, size_t curve,
                        double size, nnd_trace *trace) {
    nnd_trace nvar;
    if (!nnd_trace_find(panel, theory, curve, 0, trace) ||
        !nnd_trace_beside(panel, g->name, theory, curve, 0, &nvar) || nvar.x != trace->x)
        return false;
    if (g->kind == NND_GUIDE_SD) {
        trace->se = nvar.stride == trace->stride ? nvar.y : NULL;
        return trace->se != NULL && nnd_trace_is_shown(trace);
    }
    trace->nvar = nvar.y;
    trace->nvar_stride = nvar.stride;
    trace->nvar_size = size;
    return nnd_trace_is_shown(trace);
}

/* A band of theory, small crosses of the simulation; the number-th of some. */
static void tell_source(const nnd_panel *panel, const nnd_guide *g, bool theory, double size,
                        size_t number, nnd_cell *cell) {
    nnd_trace trace;
    for (size_t c = 0; c < panel->curves; c++) {
        unsigned colour = nnd_panel_colour(panel, c);
        if (!find_spread(panel, g, theory, c, size, &trace))
            continue;
        if (nnd_cell_begin(cell, "%s%zu", theory ? "band" : "spread", number * panel->curves + c)) {
            nnd_trace_write_line(&trace, cell->out);
            nnd_cell_end(cell);
        }
        if (theory) {
            nnd_cell_span(cell, &trace);
            nnd_cell_draw(cell, colour,
                          "using 1:3:4 with filledcurves fs transparent solid 0.2 noborder");
        } else {
            nnd_cell_draw(cell, colour, "using 1:3 with points pt 2 ps 0.45");
            nnd_cell_draw(cell, colour, "using 1:4 with points pt 2 ps 0.45");
        }
    }
}

/* "standard deviation, size 64, 256" */
static void name_band(const nnd_panel *panel, const nnd_guide *g, const nnd_dim *sizes,
                      size_t count, nnd_cell *cell) {
    char size[NND_PLOT_LABEL / 2], label[NND_PLOT_LABEL];
    nnd_text text = nnd_text_in(sizeof label, label);
    nnd_text_add(&text, "%.50s%s", g->label, count > 0 ? ", size" : "");
    for (size_t k = 0; k < count; k++) {
        nnd_coord_text(sizes, k, sizeof size, size);
        nnd_text_add(&text, "%s %s", k > 0 ? "," : "", size);
    }
    nnd_cell_name(cell, NND_MARK_BAND, nnd_panel_colours(panel) > 1 ? PALE_GREY : PALE_BLUE, 0,
                  label);
}

/* With a simulation, of its first size alone: bands of several would hide its crosses. */
static void tell_sized(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    const nnd_dim *simulated = nnd_dim_is_category(panel->size) ? NULL : panel->size;
    const nnd_dim *named =
        g->along != NULL ? nnd_frame_find_dim(panel->theory.frame, g->along) : NULL;
    const nnd_dim *sizes = panel->mc.array != NULL ? simulated : named;
    size_t count = sizes == NULL ? 0 : sizes == simulated ? 1 : sizes->length;
    if (count == 0)
        return;
    name_band(panel, g, sizes, count, cell);
    for (size_t k = 0; k < count; k++)
        tell_source(panel, g, true, sizes->value[k], k, cell);
    if (sizes == simulated)
        tell_source(panel, g, false, sizes->value[0], 0, cell);
}

static void tell_spread(const nnd_panel *panel, const nnd_guide *g, nnd_cell *cell) {
    if (nnd_dim_is_category(panel->x) || panel->theory.array == NULL)
        return;
    if (g->kind == NND_GUIDE_NVAR) {
        tell_sized(panel, g, cell);
        return;
    }
    name_band(panel, g, NULL, 0, cell);
    tell_source(panel, g, true, NAN, 0, cell);
    tell_source(panel, g, false, NAN, 0, cell);
}

/* ---- all of them ---- */

void nnd_guides_tell(const nnd_panel *panel, nnd_cell *cell) {
    for (const nnd_guide *g = NULL; (g = nnd_guide_next(panel, g)) != NULL;)
        if (is_curve(panel, g))
            tell_curves(panel, g, cell);
        else if (g->kind == NND_GUIDE_NVAR || g->kind == NND_GUIDE_SD)
            tell_spread(panel, g, cell);
        else if (g->kind == NND_GUIDE_PLACE && panel->x != NULL &&
                 strcmp(panel->x->name, g->along) == 0)
            tell_places(panel, g, cell);
}
