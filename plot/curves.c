/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A panel of curves: theory as lines, simulation as points with error bars. */
#include <math.h>

#include "core/text.h"
#include "plot/plot_impl.h"

/* Further outliers of a simulation mean something only where the theory has them. */
static bool is_idle(const nnd_panel *panel, size_t curve) {
    nnd_trace trace;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    if (!panel->ranked || panel->theory.array == NULL || curve % nnd_panel_dashes(panel) == 0)
        return false;
    return !nnd_panel_trace(panel, &panel->theory, curve, 0, &trace) ||
           nnd_trace_measure(&trace, &x, &y) == 0;
}

/* A trace that has a point: curves of the theory, then those of the simulation at each size. */
typedef struct {
    size_t next; /* 0 before the first */
    bool theory;
    size_t curve, size;
    nnd_trace trace;
} drawn;

static bool next_drawn(const nnd_panel *panel, drawn *d) {
    size_t sizes = nnd_panel_sizes(panel), curves = panel->curves;
    while (d->next < curves + curves * sizes) {
        nnd_span x = nnd_span_empty, y = nnd_span_empty;
        size_t i = d->next++;
        d->theory = i < curves;
        d->curve = d->theory ? i : (i - curves) / sizes;
        d->size = d->theory ? 0 : (i - curves) % sizes;
        if ((d->theory || !is_idle(panel, d->curve)) &&
            nnd_panel_trace(panel, d->theory ? &panel->theory : &panel->mc, d->curve, d->size,
                            &d->trace) &&
            nnd_trace_measure(&d->trace, &x, &y) > 0)
            return true;
    }
    return false;
}

void nnd_curves_measure(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    for (drawn d = {.next = 0}; next_drawn(panel, &d);)
        nnd_trace_measure(&d.trace, x, y);
}

/* Points are as many as can be told apart; phases keep curves from covering each other. */
static void write_data(const nnd_panel *panel, FILE *out) {
    size_t sizes = nnd_panel_sizes(panel), traces = panel->curves * sizes;
    size_t limit = NND_PLOT_CROWD / traces;
    limit = limit > NND_PLOT_POINTS ? NND_PLOT_POINTS : limit < NND_PLOT_FEW ? NND_PLOT_FEW : limit;
    for (drawn d = {.next = 0}; next_drawn(panel, &d);) {
        double phase = (double)(d.curve * sizes + d.size) / (double)traces;
        fprintf(out, "$%s%zu_%zu << EOD\n", d.theory ? "theory" : "mc", d.curve, d.size);
        if (d.theory)
            nnd_trace_write_line(&d.trace, out);
        else
            nnd_trace_write_points(&d.trace, limit, phase, out);
        fputs("EOD\n", out);
    }
}

/* The errors of a theory that rests on samples, below all else. */
static void write_bands(const nnd_panel *panel, nnd_plot_elements *list) {
    for (drawn d = {.next = 0}; next_drawn(panel, &d);)
        if (d.theory && d.trace.se != NULL)
            nnd_plot_element(list, nnd_panel_colour(panel, d.curve),
                             "$theory%zu_0 using 1:3:4 with filledcurves fs transparent solid 0.2"
                             " noborder",
                             d.curve);
}

/* Bars are vectors with flat heads: gnuplot's own wipe out the lines below each point. Further
 * outliers are open and small, beside the first. */
static void write_simulation(const nnd_panel *panel, const drawn *d, nnd_plot_elements *list) {
    size_t dash = d->curve % nnd_panel_dashes(panel);
    bool further = panel->ranked && dash > 0;
    unsigned colour = nnd_panel_colour(panel, d->curve);
    /* Without theory a thin line shows which points belong together. */
    if (panel->theory.array == NULL && !nnd_plot_is_category(panel->x))
        nnd_plot_element(list, colour, "$mc%zu_%zu using 1:2 with lines lw 1 dt %s", d->curve,
                         d->size, nnd_plot_dash(dash));
    if (d->trace.se != NULL)
        nnd_plot_element(list, colour,
                         "$mc%zu_%zu using 1:3:(0):($4-$3) with vectors heads size graph 0.006,90"
                         " lw 1",
                         d->curve, d->size);
    nnd_plot_element(list, colour, "$mc%zu_%zu using 1:2 with points pt %d ps %s", d->curve,
                     d->size,
                     nnd_plot_point(further ? NND_PLOT_OPEN + d->size % NND_PLOT_OPEN : d->size),
                     further ? "0.45" : "0.55");
}

static void write_elements(const nnd_panel *panel, nnd_plot_elements *list) {
    for (drawn d = {.next = 0}; next_drawn(panel, &d);)
        if (d.theory)
            nnd_plot_element(list, nnd_panel_colour(panel, d.curve),
                             "$theory%zu_0 using 1:2 with lines lw 2 dt %s", d.curve,
                             nnd_plot_dash(d.curve % nnd_panel_dashes(panel)));
        else
            write_simulation(panel, &d, list);
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

static void write_axes(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out) {
    write_x_axis(panel, out);
    nnd_plot_value_label(panel, "y", out);
    if (y.min > y.max)
        return;
    if (!nnd_plot_is_category(panel->x))
        nnd_span_write(x, panel->log_x, "x", out);
    nnd_span_write(y, panel->log_y, "y", out);
}

/* What is added to the curves where columns of the variable ask for it. */
static const nnd_addition *const ADDITIONS[] = {&nnd_spread, &nnd_stack, &nnd_guides, &nnd_lowest,
                                                &nnd_markers};
enum { ADDITION_COUNT = sizeof ADDITIONS / sizeof *ADDITIONS };

static void write_plot(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->below != NULL)
            ADDITIONS[i]->below(panel, list);
    write_bands(panel, list);
    write_elements(panel, list);
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->above != NULL)
            ADDITIONS[i]->above(panel, list);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    here.facet.at = cell;
    nnd_curves_measure(&here, &x, &y);
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->widen != NULL)
            ADDITIONS[i]->widen(&here, &x, &y);
    nnd_plot_title(&here, here.name, out);
    write_axes(&here, x, y, out);
    nnd_plot_legend_place(out);
    if (y.min > y.max) {
        nnd_plot_nothing(out);
        return;
    }
    write_data(&here, out);
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->prepare != NULL)
            ADDITIONS[i]->prepare(&here, x, out);
    nnd_plot_elements list = {out, "plot "};
    write_plot(&here, &list);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

static void make_legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    for (size_t i = 0; i < ADDITION_COUNT; i++)
        if (ADDITIONS[i]->legend != NULL)
            ADDITIONS[i]->legend(panel, legend);
}

const nnd_panel_kind nnd_panel_curves = {nnd_panel_cells, 14.0, make_legend, draw};
