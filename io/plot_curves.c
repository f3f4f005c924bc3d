/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A panel of curves: theory as lines, simulation as points with error bars. */
#include <math.h>

#include "io/plot_impl.h"

/* Calls `visit` for all traces of a source that have a point. */
typedef void (*visitor)(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                        size_t size, void *state);

static void visit_source(const nnd_panel *panel, bool theory, visitor visit, void *state) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    size_t sizes = theory ? 1 : nnd_panel_sizes(panel);
    for (size_t curve = 0; curve < panel->curves; curve++)
        for (size_t size = 0; size < sizes; size++) {
            nnd_trace trace;
            nnd_span x = nnd_span_empty, y = nnd_span_empty;
            if (nnd_panel_trace(panel, source, curve, size, &trace) &&
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

/* The list of a plot command, as it grows. */
typedef struct {
    FILE *out;
    const char *separator;
    bool bands; /* the errors of a theory that rests on samples, below all else */
} plot_list;

static void write_theory(const nnd_panel *panel, const nnd_trace *trace, size_t curve,
                         plot_list *list) {
    size_t dashes = nnd_panel_dashes(panel);
    unsigned colour = nnd_plot_colour(curve / dashes, nnd_panel_colours(panel));
    if (list->bands && trace->se == NULL)
        return;
    fprintf(list->out, "%s$theory%zu_0 using ", list->separator, curve);
    if (list->bands)
        fprintf(list->out, "1:3:4 with filledcurves fs transparent solid 0.2 noborder");
    else
        fprintf(list->out, "1:2 with lines lw 2 dt %s", nnd_plot_dash(curve % dashes));
    fprintf(list->out, " lc rgb '#%06X' notitle", colour);
    list->separator = ", \\\n  ";
}

/* Bars are vectors with flat heads: gnuplot's own wipe out the lines below each point. */
static void write_simulation(const nnd_panel *panel, const nnd_trace *trace, size_t curve,
                             size_t size, plot_list *list) {
    size_t dashes = nnd_panel_dashes(panel);
    unsigned colour = nnd_plot_colour(curve / dashes, nnd_panel_colours(panel));
    char data[64];
    snprintf(data, sizeof data, "$mc%zu_%zu using", curve, size);
    /* Without theory a thin line shows which points belong together. */
    if (panel->theory.array == NULL && !nnd_plot_is_category(panel->x)) {
        fprintf(list->out, "%s%s 1:2 with lines lw 1 dt %s lc rgb '#%06X' notitle", list->separator,
                data, nnd_plot_dash(curve % dashes), colour);
        list->separator = ", \\\n  ";
    }
    if (trace->se != NULL) {
        fprintf(list->out,
                "%s%s 1:3:(0):($4-$3) with vectors heads size graph 0.006,90 lw 1 lc rgb '#%06X'"
                " notitle",
                list->separator, data, colour);
        list->separator = ", \\\n  ";
    }
    fprintf(list->out, "%s%s 1:2 with points pt %d ps 0.55 lc rgb '#%06X' notitle", list->separator,
            data, nnd_plot_point(size), colour);
    list->separator = ", \\\n  ";
}

static void write_element(const nnd_panel *panel, const nnd_trace *trace, bool theory, size_t curve,
                          size_t size, void *state) {
    if (theory)
        write_theory(panel, trace, curve, state);
    else
        write_simulation(panel, trace, curve, size, state);
}

/* Tic labels: names of a category axis; powers of ten where a logarithmic axis is long enough. */
static void write_x_axis(const nnd_panel *panel, FILE *out) {
    char text[NND_PLOT_TEXT];
    if (panel->x == NULL) {
        fputs("unset xtics\nset xrange [-1:1]\n", out);
        return;
    }
    nnd_plot_dim_label(panel, panel->x, sizeof text, text);
    fputs("set xlabel ", out);
    nnd_plot_quote(out, text);
    fputs(" noenhanced\n", out);
    if (!nnd_plot_is_category(panel->x))
        return;
    fprintf(out, "set xrange [-0.6:%g]\nset xtics noenhanced (", (double)panel->x->length - 0.4);
    for (size_t i = 0; i < panel->x->length; i++) {
        fputs(i > 0 ? ", " : "", out);
        nnd_plot_quote(out, panel->x->text[i]);
        fprintf(out, " %zu", i);
    }
    fputs(")\n", out);
}

static void write_axes(const nnd_panel *panel, const spans *s, FILE *out) {
    char text[NND_PLOT_TEXT];
    write_x_axis(panel, out);
    nnd_plot_value_label(panel, sizeof text, text);
    fputs("set ylabel ", out);
    nnd_plot_quote_wrapped(out, text);
    fputs(" noenhanced\n", out);
    if (s->y.min > s->y.max)
        return;
    if (!nnd_plot_is_category(panel->x))
        nnd_span_write(s->x, panel->log_x, "x", out);
    nnd_span_write(s->y, panel->log_y, "y", out);
}

static void write_title(const nnd_panel *panel, FILE *out) {
    char text[NND_PLOT_TEXT];
    int used = snprintf(text, sizeof text, "%.256s", panel->name);
    if (panel->curves < panel->all_curves)
        snprintf(text + used, sizeof text - (size_t)used, " (%zu of %zu curves)", panel->curves,
                 panel->all_curves);
    fputs("set title ", out);
    nnd_plot_quote(out, text);
    fputs(" noenhanced\n", out);
}

static bool suits(const nnd_panel *panel) {
    (void)panel;
    return true;
}

static size_t cells(const nnd_panel *panel) {
    (void)panel;
    return 1;
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    (void)cell;
    spans s = {nnd_span_empty, nnd_span_empty};
    visit_all(panel, measure, &s);
    write_title(panel, out);
    write_axes(panel, &s, out);
    fputs(
        "set key at graph 1.0, graph 1.0 left top Left reverse maxcols 1 samplen 2.5 spacing 1.2\n",
        out);
    if (s.y.min > s.y.max) {
        fputs("set label 'no finite values' at graph 0.5, graph 0.5 center\n"
              "unset tics\nplot [0:1] [0:1] NaN notitle\n",
              out);
        return;
    }
    visit_all(panel, write_data, out);
    plot_list list = {out, "plot ", true};
    visit_source(panel, true, write_element, &list);
    list.bands = false;
    visit_source(panel, true, write_element, &list);
    visit_source(panel, false, write_element, &list);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

const nnd_panel_kind nnd_panel_curves = {
    .suits = suits,
    .cells = cells,
    .right_margin = 14.0,
    .legend = nnd_legend_make,
    .draw = draw,
};
