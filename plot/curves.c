/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Curves: theory as lines, simulation as points with error bars, or as boxes of a histogram. */
#include <math.h>

#include "plot/cell.h"
#include "plot/label.h"
#include "plot/layers.h"

enum {
    CROWD = 240,      /* about the most points in a cell */
    FEW = 8,          /* points that every curve keeps in a crowd */
    MOST_VALUES = 400 /* points of a curve that are told one by one */
};

/* Further outliers of a simulation mean something only where the theory has them. */
static bool is_idle(const nnd_panel *panel, size_t curve) {
    nnd_trace trace;
    return panel->ranked && panel->theory.array != NULL && curve % nnd_panel_dashes(panel) > 0 &&
           !(nnd_trace_find(panel, true, curve, 0, &trace) && nnd_trace_is_shown(&trace));
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
        size_t i = d->next++;
        d->theory = i < curves;
        d->curve = d->theory ? i : (i - curves) / sizes;
        d->size = d->theory ? 0 : (i - curves) % sizes;
        if ((d->theory || !is_idle(panel, d->curve)) &&
            nnd_trace_find(panel, d->theory, d->curve, d->size, &d->trace) &&
            nnd_trace_is_shown(&d->trace))
            return true;
    }
    return false;
}

/* Unseen points that tell what is where they are. Of ridges heights are no values, and of long
 * curves they would be more than the curve. */
static void tell_values(const nnd_panel *panel, const drawn *d, nnd_cell *cell) {
    if (!panel->hover || panel->lift > 0.0 || panel->x == NULL || d->trace.count > MOST_VALUES)
        return;
    const char *error = d->trace.se != NULL ? " ± %.2g\",$2,$4-$2)" : "\",$2)";
    /* What a colour begins with here is how far one sees through it. */
    nnd_cell_draw(cell, 0xff000000u,
                  "using 1:2:(sprintf(\"%%.5g%s) with labels hypertext point pt 7 ps 1", error);
}

/* A theory that rests on samples has errors. */
static void tell_theory(const nnd_panel *panel, const drawn *d, nnd_cell *cell) {
    unsigned colour = nnd_panel_colour(panel, d->curve);
    if (nnd_cell_begin(cell, "theory%zu_0", d->curve)) {
        nnd_trace_write_line(&d->trace, cell->out);
        nnd_cell_end(cell);
    }
    if (panel->lift > 0.0) {
        char base[NND_PLOT_LABEL];
        nnd_format(base, sizeof base, "%.12g", d->trace.lift);
        nnd_cell_draw(cell, colour, "using 1:2 with filledcurves y1=%s fs transparent solid 0.25",
                      base);
    }
    if (d->trace.se != NULL)
        nnd_cell_draw(cell, colour,
                      "using 1:3:4 with filledcurves fs transparent solid 0.2 noborder");
    nnd_cell_draw(cell, colour, "using 1:2 with lines lw 2 dt %s",
                  nnd_plot_dash(nnd_panel_dash(panel, d->curve)));
    /* A value between two gaps would not be seen as a line. */
    if (panel->drawing->markers && !nnd_dim_is_category(panel->x))
        nnd_cell_draw(cell, colour, "using 1:2 with points pt 6 ps 0.5");
    tell_values(panel, d, cell);
}

/* Bars are vectors with flat heads: gnuplot's own wipe out the lines below each point. Further
 * outliers are open and small, beside the first. */
static void draw_points(const nnd_panel *panel, const drawn *d, nnd_cell *cell) {
    size_t dash = d->curve % nnd_panel_dashes(panel);
    bool further = panel->ranked && dash > 0;
    unsigned colour = nnd_panel_colour(panel, d->curve);
    /* Without theory a thin line shows which points belong together. */
    if (panel->theory.array == NULL && !nnd_dim_is_category(panel->x))
        nnd_cell_draw(cell, colour, "using 1:2 with lines lw 1 dt %s", nnd_plot_dash(dash));
    if (d->trace.se != NULL)
        nnd_cell_draw(cell, colour,
                      "using 1:3:(0):($4-$3) with vectors heads size graph 0.006,90 lw 1");
    nnd_cell_draw(cell, colour, "using 1:2 with points pt %d ps %s",
                  nnd_plot_point(further ? NND_PLOT_OPEN + d->size % NND_PLOT_OPEN
                                         : nnd_panel_point(panel, d->curve, d->size)),
                  further ? "0.45" : "0.55");
}

/* Points are as many as can be told apart; phases keep curves from covering each other. */
static void write_points(const nnd_panel *panel, const drawn *d, FILE *out) {
    size_t sizes = nnd_panel_sizes(panel), traces = panel->curves * sizes, limit = CROWD / traces;
    limit = limit > NND_PLOT_POINTS ? NND_PLOT_POINTS : limit < FEW ? FEW : limit;
    double phase = (double)(d->curve * sizes + d->size) / (double)traces;
    nnd_trace_write_points(&d->trace, limit, phase, out);
}

static void tell_simulation(const nnd_panel *panel, const drawn *d, nnd_cell *cell) {
    if (nnd_cell_begin(cell, "mc%zu_%zu", d->curve, d->size)) {
        write_points(panel, d, cell->out);
        nnd_cell_end(cell);
    }
    if (panel->histogram)
        nnd_cell_draw(cell, nnd_panel_colour(panel, d->curve),
                      "using 1:2 with boxes fs transparent solid 0.35 noborder");
    else
        draw_points(panel, d, cell);
    tell_values(panel, d, cell);
}

static void tell_source(const nnd_panel *panel, bool theory, nnd_cell *cell) {
    for (drawn d = {.next = 0}; next_drawn(panel, &d);) {
        if (d.theory != theory)
            continue;
        nnd_cell_span(cell, &d.trace);
        if (theory)
            tell_theory(panel, &d, cell);
        else
            tell_simulation(panel, &d, cell);
    }
}

/* The axis has all values of a sweep, those that are gaps too. */
static void widen_by_coordinates(const nnd_panel *panel, nnd_span *x) {
    for (size_t i = 0; !nnd_dim_is_category(panel->x) && i < panel->x->length; i++) {
        double value = panel->x->value[i];
        if (isfinite(value) && !(panel->log_x && value <= 0.0))
            nnd_span_widen(x, value);
    }
}

/* Boxes would cover lines. */
static void tell_layers(const nnd_panel *panel, nnd_cell *cell) {
    nnd_stack_tell(panel, cell);
    nnd_guides_tell(panel, cell);
    tell_source(panel, !panel->histogram, cell);
    nnd_histogram_tell(panel, cell);
    tell_source(panel, panel->histogram, cell);
    nnd_levels_tell(panel, cell);
    nnd_lowest_tell(panel, cell);
    if (panel->drawing->markers && cell->pass == NND_TELL_SPANS)
        widen_by_coordinates(panel, &cell->x);
}

/* ---- axes ---- */

static void write_x_axis(const nnd_panel *panel, nnd_span x, FILE *out) {
    if (panel->x == NULL) {
        fputs("unset xtics\nset xrange [-1:1]\n", out);
        return;
    }
    nnd_plot_x_dim_label(panel, panel->x, out);
    if (nnd_dim_is_category(panel->x)) {
        nnd_print(out, "set xrange [-0.6:%g]\n", (double)panel->x->length - 0.4);
        nnd_plot_list_tics(panel, panel->x, "x", out);
        return;
    }
    nnd_axis axis = {
        .log = panel->log_x, .whole = panel->x->kind == NND_COORD_INTEGER, .room = panel->level};
    if (!nnd_span_is_empty(x)) {
        nnd_axis_fit_loosely(&axis, x);
        nnd_axis_write(&axis, "x", out);
    }
}

/* The values that have base lines, at these; what is common to the curves is their form. */
static void write_base_lines(const nnd_panel *panel, FILE *out) {
    const nnd_plot_key *ridge = nnd_panel_ridge(panel);
    char text[NND_PLOT_LABEL];
    fputs("set ytics noenhanced (", out);
    for (size_t c = 0; c < panel->curves; c++) {
        nnd_coord_text(ridge->dim, nnd_panel_ridge_position(panel, c), sizeof text, text);
        fputs(c > 0 ? ", " : "", out);
        nnd_plot_quote(out, text);
        nnd_print(out, " %.12g", nnd_panel_lift(panel, c));
    }
    fputs(")\n", out);
}

static void write_axes(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out) {
    write_x_axis(panel, x, out);
    if (nnd_span_is_empty(y))
        return;
    nnd_axis axis = nnd_cell_y_axis(panel, y);
    nnd_axis_write(&axis, "y", out);
    if (panel->lift > 0.0)
        write_base_lines(panel, out);
}

static void sides(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar) {
    const nnd_plot_key *ridge = nnd_panel_ridge(panel);
    nnd_panel here = *panel;
    here.facet.at = at;
    (void)bar;
    y->tics = ridge != NULL ? nnd_plot_list_width(ridge->dim) : nnd_cell_y_tics(&here, tell_layers);
    if (ridge != NULL)
        nnd_plot_dim_text(panel, ridge->dim, sizeof y->text, y->text);
    else
        nnd_plot_value_text(panel, sizeof y->text, y->text);
}

static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    /* A histogram stands for its law too. */
    const nnd_variable *v = here.histogram ? nnd_panel_variable(&here) : NULL;
    const char *title = v != NULL && v->view != NULL ? v->view : here.name;
    here.facet.at = at;
    nnd_plot_title(&here, title, "", out);
    nnd_cell_write(&here, tell_layers, write_axes, legend, out);
}

static void make_legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    nnd_cell_names(panel, tell_layers, legend);
}

const nnd_cell_kind nnd_cell_curves = {make_legend, sides, draw};
