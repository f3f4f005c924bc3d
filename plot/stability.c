/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The edge of stability, and the leading modes of the NTK above their bulk. */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const char LIMIT[] = "stability_edge", EDGE[] = "ntk_edge";
static const char GREY[] = "#555555";
/* Of descent without momentum. */
static const double PLAIN_LIMIT = 2.0;

static bool suits_stability(const nnd_panel *panel) {
    return strcmp(panel->name, "stability") == 0 && panel->y == NULL;
}

/* The edge of stability if it is the same for all curves and everywhere, else NaN. A theory without
 * momentum does not tell it; without any theory it is not known. */
static double level(const nnd_panel *panel) {
    nnd_trace trace;
    size_t colour;
    if (panel->theory.array == NULL)
        return NAN;
    if (nnd_frame_find(panel->theory.frame, LIMIT) == NULL)
        return PLAIN_LIMIT;
    bool common = nnd_edge_is_common(panel, LIMIT, &colour) &&
                  nnd_edge_trace(panel, LIMIT, colour, &trace) && trace.stride == 0;
    return common ? trace.y[0] : NAN;
}

static void widen_stability(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    if (y->min > y->max || panel->theory.array == NULL)
        return;
    nnd_span edge = {level(panel), level(panel)};
    if (isnan(edge.min)) {
        edge = nnd_span_empty;
        nnd_edge_measure(panel, LIMIT, x, &edge);
    }
    y->min = fmin(y->min, edge.min);
    y->max = fmax(y->max, 1.05 * edge.max);
}

static void prepare_stability(const nnd_panel *panel, FILE *out) {
    double edge = level(panel);
    if (isnan(edge) && panel->theory.array != NULL)
        nnd_edge_write(panel, LIMIT, out);
    else if (!isnan(edge))
        nnd_print(
            out,
            "set arrow from graph 0, first %g to graph 1, first %g nohead back lw 1 dt (8,4)"
            " lc rgb '%s'\n"
            "set label '%g' at graph 0.985, first %g right offset 0, 0.6 textcolor rgb '%s'\n",
            edge, edge, GREY, edge, edge, GREY);
}

static void below_stability(const nnd_panel *panel, nnd_plot_elements *list) {
    if (isnan(level(panel)) && panel->theory.array != NULL)
        nnd_edge_draw(panel, LIMIT, list);
}

static void legend_stability(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    if (isnan(level(panel)))
        nnd_edge_legend(panel, LIMIT, "edge of stability", legend);
}

static void draw_stability(const nnd_panel *panel, size_t cell, const nnd_legend *legend,
                           FILE *out) {
    static const nnd_curves_extra extra = {widen_stability, prepare_stability, below_stability,
                                           NULL};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_stability = {
    .suits = suits_stability,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend_stability,
    .draw = draw_stability,
};

static bool suits_ntk(const nnd_panel *panel) {
    return strcmp(panel->name, "ntk_top") == 0 && panel->y == NULL;
}

static void widen_ntk(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    nnd_edge_measure(panel, EDGE, x, y);
    /* Room for the words. */
    if (y->min < y->max && !panel->log_y)
        y->max += 0.08 * (y->max - y->min);
}

static void prepare_ntk(const nnd_panel *panel, FILE *out) {
    nnd_edge_write(panel, EDGE, out);
    if (nnd_source_of(panel->theory.frame, EDGE).array != NULL)
        fprintf(out,
                "set label 'dotted: edge of the bulk' at graph 0.03, graph 0.94 left"
                " textcolor rgb '%s'\n",
                GREY);
}

static void below_ntk(const nnd_panel *panel, nnd_plot_elements *list) {
    nnd_edge_draw(panel, EDGE, list);
}

static void draw_ntk(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen_ntk, prepare_ntk, below_ntk, NULL};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_ntk = {
    .suits = suits_ntk,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = nnd_legend_make,
    .draw = draw_ntk,
};
