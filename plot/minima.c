/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Sharpness between its bounds, which theory gives as levels, and distances against the learning
 * rate with the threshold above which no minimum is stable.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

enum { BOUNDS = 5 };

/* A bound that lies far from all else is not brought into view. */
static const struct {
    const char *name, *label;
    size_t dash;
    bool far;
} BOUND[BOUNDS] = {
    {"sharpness_bound", "simple bound", 2, false},
    {"sharpness_min", "least sharpness", 1, false},
    {"sharpness_flow", "flow, small start", 3, false},
    {"sharpness_ceiling", "ceiling", 5, true},
    {"stability_limit", "2/lr", 4, true},
};
static const char THRESHOLD[] = "lr_max";
static const unsigned GREY = 0x555555;

static bool theory_has(const nnd_panel *panel, const char *name) {
    return panel->theory.frame != NULL && nnd_frame_find(panel->theory.frame, name) != NULL;
}

/* ---- sharpness ---- */

static bool suits_minima(const nnd_panel *panel) {
    bool sharpness =
        strcmp(panel->name, "final_sharpness") == 0 || strcmp(panel->name, "sharpness") == 0;
    return sharpness && panel->y == NULL && theory_has(panel, "sharpness_min");
}

static void widen_minima(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    for (size_t i = 0; i < BOUNDS; i++)
        if (!BOUND[i].far)
            nnd_edge_measure(panel, BOUND[i].name, x, y);
}

/* How many curves a bound takes: one if it is the same for all colours. */
static size_t bound_curves(const nnd_panel *panel, size_t i, size_t *first) {
    *first = 0;
    return nnd_edge_is_common(panel, BOUND[i].name, first) ? *first + 1 : nnd_panel_colours(panel);
}

static void prepare_minima(const nnd_panel *panel, FILE *out) {
    nnd_trace trace;
    for (size_t i = 0; i < BOUNDS; i++) {
        size_t first, last = bound_curves(panel, i, &first);
        for (size_t c = first; c < last; c++) {
            if (!nnd_edge_trace(panel, BOUND[i].name, c, &trace))
                continue;
            fprintf(out, "$bound%zu_%zu << EOD\n", i, c);
            nnd_trace_write_line(&trace, out);
            fputs("EOD\n", out);
        }
    }
}

static void below_minima(const nnd_panel *panel, nnd_plot_elements *list) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    for (size_t i = 0; i < BOUNDS; i++) {
        size_t first, last = bound_curves(panel, i, &first);
        bool common = last == first + 1 && colours > 1;
        for (size_t c = first; c < last; c++) {
            if (!nnd_edge_trace(panel, BOUND[i].name, c, &trace))
                continue;
            nnd_plot_next(list);
            fprintf(list->out,
                    "$bound%zu_%zu using 1:2 with lines lw 1.2 dt %s lc rgb '#%06X' notitle", i, c,
                    nnd_plot_dash(BOUND[i].dash), common ? GREY : nnd_plot_colour(c, colours));
        }
    }
}

static void legend_minima(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    for (size_t i = 0; i < BOUNDS; i++) {
        nnd_legend_entry *entry = NULL;
        if (theory_has(panel, BOUND[i].name))
            entry = nnd_legend_add(legend, BOUND[i].label);
        if (entry != NULL)
            entry->dash = BOUND[i].dash;
    }
}

static void draw_minima(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen_minima, prepare_minima, below_minima, NULL};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_minima = {
    .suits = suits_minima,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend_minima,
    .draw = draw_minima,
};

/* ---- distance ---- */

static bool suits_distance(const nnd_panel *panel) {
    return strcmp(panel->name, "final_distance2") == 0 && panel->y == NULL && panel->x != NULL &&
           strcmp(panel->x->name, "lr") == 0 && theory_has(panel, THRESHOLD);
}

static void prepare_distance(const nnd_panel *panel, FILE *out) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    for (size_t c = 0; c < colours; c++)
        if (nnd_edge_trace(panel, THRESHOLD, c, &trace))
            nnd_print(
                out,
                "set arrow from first %.12g, graph 0 to first %.12g, graph 1 nohead back lw 1.2"
                " dt %s lc rgb '#%06X'\n",
                trace.y[0], trace.y[0], nnd_plot_dash(1), nnd_plot_colour(c, colours));
}

static void legend_distance(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    nnd_legend_entry *entry = nnd_legend_add(legend, "2/least sharpness");
    if (entry != NULL)
        entry->dash = 1;
}

static void draw_distance(const nnd_panel *panel, size_t cell, const nnd_legend *legend,
                          FILE *out) {
    static const nnd_curves_extra extra = {NULL, prepare_distance, NULL, NULL};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_distance = {
    .suits = suits_distance,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend_distance,
    .draw = draw_distance,
};
