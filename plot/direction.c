/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The direction of a predictor over log t: its norm and angle beside their asymptotic laws, the
 * norm beyond which the angle grows again, the angle that samples do not resolve, and the factor of
 * the perpendicular part in a step between its limits.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

/* What theory draws dotted below a variable, and what the legend calls it. */
static const struct {
    const char *variable, *companion, *label;
} COMPANIONS[] = {
    {"omega", "omega_law", "asymptotic law"},
    {"omega", "omega_critical", "critical norm"},
    {"neg_log_sin", "neg_log_sin_law", "asymptotic law"},
    {"theta", "theta_floor", "sampling noise"},
};
enum { COUNT = sizeof COMPANIONS / sizeof *COMPANIONS };

static const char MULTIPLIER[] = "multiplier";
static const char GREY[] = "#555555";

static bool is_multiplier(const nnd_panel *panel) {
    return strcmp(panel->name, MULTIPLIER) == 0;
}

/* The i-th companion, if it belongs to the panel and theory has it. */
static const char *companion_at(const nnd_panel *panel, size_t i) {
    bool mine = strcmp(panel->name, COMPANIONS[i].variable) == 0;
    bool there = mine && panel->theory.frame != NULL &&
                 nnd_frame_find(panel->theory.frame, COMPANIONS[i].companion) != NULL;
    return there ? COMPANIONS[i].companion : NULL;
}

static bool suits(const nnd_panel *panel) {
    bool any = is_multiplier(panel);
    for (size_t i = 0; i < COUNT; i++)
        any = any || companion_at(panel, i) != NULL;
    return any && panel->y == NULL && panel->x != NULL && strcmp(panel->x->name, "t") == 0;
}

/* Below this part of the sampling noise an angle is of no interest beside a simulation. */
static const double BELOW_NOISE = 1e-3;

/* The laws stretch no axis: where they do not hold yet they may be far off. */
static void widen(const nnd_panel *panel, nnd_span *x, nnd_span *y) {
    if (y->min > y->max)
        return;
    if (is_multiplier(panel)) {
        y->min = fmin(y->min, -1.05);
        y->max = fmax(y->max, 1.05);
        return;
    }
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = companion_at(panel, i);
        nnd_span noise = nnd_span_empty;
        if (name == NULL || strstr(name, "_law") != NULL)
            continue;
        nnd_edge_measure(panel, name, x, &noise);
        y->max = fmax(y->max, noise.max);
        y->min = fmin(y->min, noise.min);
        if (strcmp(name, "theta_floor") == 0)
            y->min = fmax(y->min, BELOW_NOISE * noise.min);
    }
}

static void prepare(const nnd_panel *panel, FILE *out) {
    for (int limit = -1; is_multiplier(panel) && limit <= 1; limit++)
        fprintf(out,
                "set arrow from graph 0, first %d to graph 1, first %d nohead back lw 1 dt (8,4)"
                " lc rgb '%s'\n",
                limit, limit, GREY);
    for (size_t i = 0; i < COUNT; i++)
        if (companion_at(panel, i) != NULL)
            nnd_edge_write(panel, companion_at(panel, i), out);
}

static void below(const nnd_panel *panel, nnd_plot_elements *list) {
    for (size_t i = 0; i < COUNT; i++)
        if (companion_at(panel, i) != NULL)
            nnd_edge_draw(panel, companion_at(panel, i), list);
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    nnd_legend_make(panel, legend);
    for (size_t i = 0; i < COUNT; i++)
        if (companion_at(panel, i) != NULL)
            nnd_edge_legend(panel, companion_at(panel, i), COMPANIONS[i].label, legend);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, prepare, below, NULL};
    nnd_panel here = *panel;
    here.log_x = true;
    here.log_y = !is_multiplier(panel);
    nnd_curves_draw(&here, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_direction = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
