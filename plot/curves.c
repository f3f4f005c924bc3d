/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A panel of curves: theory as lines, simulation as points with error bars. */
#include <math.h>

#include "core/text.h"
#include "plot/plot_impl.h"

/* Calls `visit` for all traces of a source that have a point. */
typedef void (*visitor)(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                        size_t size, void *state);

/* Further outliers of a simulation mean something only where the theory has them. */
static bool is_idle(const nnd_panel *panel, size_t curve) {
    nnd_trace trace;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    if (!panel->ranked || panel->theory.array == NULL || curve % nnd_panel_dashes(panel) == 0)
        return false;
    return !nnd_panel_trace(panel, &panel->theory, curve, 0, &trace) ||
           nnd_trace_measure(&trace, &x, &y) == 0;
}

static void visit_source(const nnd_panel *panel, bool theory, visitor visit, void *state) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    size_t sizes = theory ? 1 : nnd_panel_sizes(panel);
    for (size_t curve = 0; curve < panel->curves; curve++)
        for (size_t size = 0; size < sizes; size++) {
            nnd_trace trace;
            nnd_span x = nnd_span_empty, y = nnd_span_empty;
            if (!(!theory && is_idle(panel, curve)) &&
                nnd_panel_trace(panel, source, curve, size, &trace) &&
                nnd_trace_measure(&trace, &x, &y) > 0)
                visit(panel, &trace, theory, curve, size, state);
        }
}

static void visit_all(const nnd_panel *panel, visitor visit, void *state) {
    visit_source(panel, true, visit, state);
    visit_source(panel, false, visit, state);
}

typedef struct {
    nnd_span x, y;
} spans;

static void measure(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                    size_t size, void *state) {
    (void)panel, (void)theory, (void)curve, (void)size;
    spans *s = state;
    nnd_trace_measure(trace, &s->x, &s->y);
}

static void write_data(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                       size_t size, void *state) {
    FILE *out = state;
    size_t sizes = nnd_panel_sizes(panel), traces = panel->curves * sizes;
    size_t limit = NND_PLOT_CROWD / traces;
    limit = limit > NND_PLOT_POINTS ? NND_PLOT_POINTS : limit < NND_PLOT_FEW ? NND_PLOT_FEW : limit;
    double phase = (double)(curve * sizes + size) / (double)traces;
    fprintf(out, "$%s%zu_%zu << EOD\n", theory ? "theory" : "mc", curve, size);
    if (theory)
        nnd_trace_write_line(trace, out);
    else
        nnd_trace_write_points(trace, limit, phase, out);
    fputs("EOD\n", out);
}

void nnd_curves_measure(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    spans s = {*x, *y};
    visit_all(panel, measure, &s);
    *x = s.x;
    *y = s.y;
}

void nnd_plot_next(nnd_plot_elements *list) {
    fputs(list->separator, list->out);
    list->separator = ", \\\n  ";
}

typedef struct {
    nnd_plot_elements list;
    bool bands; /* the errors of a theory that rests on samples, below all else */
} plot_list;

static void write_theory(const nnd_panel *panel, const nnd_trace *trace, size_t curve,
                         plot_list *plot) {
    size_t dash = curve % nnd_panel_dashes(panel);
    unsigned colour = nnd_panel_colour(panel, curve);
    FILE *out = plot->list.out;
    if (plot->bands && trace->se == NULL)
        return;
    nnd_plot_next(&plot->list);
    fprintf(out, "$theory%zu_0 using ", curve);
    if (plot->bands)
        fprintf(out, "1:3:4 with filledcurves fs transparent solid 0.2 noborder");
    else
        fprintf(out, "1:2 with lines lw 2 dt %s", nnd_plot_dash(dash));
    fprintf(out, " lc rgb '#%06X' notitle", colour);
}

/* Further outliers are open and small, beside the first. */
static void write_points(const nnd_panel *panel, size_t curve, size_t size, FILE *out) {
    bool further = panel->ranked && curve % nnd_panel_dashes(panel) > 0;
    fprintf(out, " 1:2 with points pt %d ps %s",
            nnd_plot_point(further ? NND_PLOT_OPEN + size % NND_PLOT_OPEN : size),
            further ? "0.45" : "0.55");
}

/* Bars are vectors with flat heads: gnuplot's own wipe out the lines below each point. */
static void write_simulation(const nnd_panel *panel, const nnd_trace *trace, size_t curve,
                             size_t size, nnd_plot_elements *list) {
    size_t dash = curve % nnd_panel_dashes(panel);
    unsigned colour = nnd_panel_colour(panel, curve);
    char data[64];
    snprintf(data, sizeof data, "$mc%zu_%zu using", curve, size);
    /* Without theory a thin line shows which points belong together. */
    if (panel->theory.array == NULL && !nnd_plot_is_category(panel->x)) {
        nnd_plot_next(list);
        fprintf(list->out, "%s 1:2 with lines lw 1 dt %s lc rgb '#%06X' notitle", data,
                nnd_plot_dash(dash), colour);
    }
    if (trace->se != NULL) {
        nnd_plot_next(list);
        fprintf(list->out,
                "%s 1:3:(0):($4-$3) with vectors heads size graph 0.006,90 lw 1 lc rgb '#%06X'"
                " notitle",
                data, colour);
    }
    nnd_plot_next(list);
    fputs(data, list->out);
    write_points(panel, curve, size, list->out);
    fprintf(list->out, " lc rgb '#%06X' notitle", colour);
}

static void write_element(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                          size_t size, void *state) {
    plot_list *plot = state;
    if (theory)
        write_theory(panel, trace, curve, plot);
    else
        write_simulation(panel, trace, curve, size, &plot->list);
}

/* Tic labels: names of a category axis; powers of ten where a logarithmic axis is long enough. */
static void write_x_axis(const nnd_panel *panel, FILE *out) {
    if (panel->x == NULL) {
        fputs("unset xtics\nset xrange [-1:1]\n", out);
        return;
    }
    nnd_plot_dim_label(panel, panel->x, "x", out);
    if (!nnd_plot_is_category(panel->x))
        return;
    nnd_print(out, "set xrange [-0.6:%g]\nset xtics noenhanced (", (double)panel->x->length - 0.4);
    for (size_t i = 0; i < panel->x->length; i++) {
        fputs(i > 0 ? ", " : "", out);
        nnd_plot_quote(out, panel->x->text[i]);
        fprintf(out, " %zu", i);
    }
    fputs(")\n", out);
}

static void write_axes(const nnd_panel *panel, const spans *s, FILE *out) {
    write_x_axis(panel, out);
    nnd_plot_value_label(panel, "y", out);
    if (s->y.min > s->y.max)
        return;
    if (!nnd_plot_is_category(panel->x))
        nnd_span_write(s->x, panel->log_x, "x", out);
    nnd_span_write(s->y, panel->log_y, "y", out);
}

/* What is added to the curves where columns of the variable ask for it. */
static const nnd_addition *const ADDITIONS[] = {&nnd_spread, &nnd_guides, &nnd_lowest,
                                                &nnd_markers};
enum { ADDITION_COUNT = sizeof ADDITIONS / sizeof *ADDITIONS };

static void widen(const nnd_panel *panel, spans *s) {
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        ADDITIONS[i]->widen(panel, &s->x, &s->y);
}

static void prepare(const nnd_panel *panel, nnd_span x, FILE *out) {
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->prepare != NULL)
            ADDITIONS[i]->prepare(panel, x, out);
}

static void write_below(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->below != NULL)
            ADDITIONS[i]->below(panel, list);
}

static void write_above(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->above != NULL)
            ADDITIONS[i]->above(panel, list);
}

static void write_plot(const nnd_panel *panel, const nnd_legend *legend, FILE *out) {
    plot_list plot = {{out, "plot "}, true};
    write_below(panel, &plot.list);
    visit_source(panel, true, write_element, &plot);
    plot.bands = false;
    visit_source(panel, true, write_element, &plot);
    visit_source(panel, false, write_element, &plot);
    write_above(panel, &plot.list);
    nnd_legend_write(legend, &plot.list.separator, out);
    fputc('\n', out);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    spans s = {nnd_span_empty, nnd_span_empty};
    here.facet.at = cell;
    visit_all(&here, measure, &s);
    widen(&here, &s);
    nnd_plot_title(&here, here.name, out);
    write_axes(&here, &s, out);
    nnd_plot_legend_place(out);
    if (s.y.min > s.y.max) {
        nnd_plot_nothing(out);
        return;
    }
    visit_all(&here, write_data, out);
    prepare(&here, s.x, out);
    write_plot(&here, legend, out);
}

static void make_legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->legend != NULL)
            ADDITIONS[i]->legend(panel, legend);
}

const nnd_panel_kind nnd_panel_curves = {nnd_panel_cells, 14.0, make_legend, draw};
