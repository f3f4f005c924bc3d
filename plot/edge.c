/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The edge of a bulk below the curves of its outliers: it belongs to a colour, not to a rank. */
#include <math.h>

#include "plot/plot_impl.h"

bool nnd_edge_trace(const nnd_panel *panel, const char *edge, size_t colour, nnd_trace *trace) {
    nnd_panel mine = *panel;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    mine.theory = nnd_source_of(panel->theory.frame, edge);
    return nnd_panel_trace(&mine, &mine.theory, colour * nnd_panel_dashes(panel), 0, trace) &&
           nnd_trace_measure(trace, &x, &y) > 0;
}

void nnd_edge_measure(const nnd_panel *panel, const char *edge, nnd_span *x, nnd_span *y) {
    nnd_trace trace;
    for (size_t c = 0; c < nnd_panel_colours(panel); c++)
        if (nnd_edge_trace(panel, edge, c, &trace))
            nnd_trace_measure(&trace, x, y);
}

static bool same_values(const nnd_trace *a, const nnd_trace *b) {
    for (size_t i = 0; i < a->count; i++) {
        double u = a->y[i * a->stride], v = b->y[i * b->stride];
        if (isfinite(u) && isfinite(v) && fabs(u - v) > 1e-9 * fmax(fabs(u), fabs(v)))
            return false;
    }
    return true;
}

bool nnd_edge_is_common(const nnd_panel *panel, const char *edge, size_t *colour) {
    nnd_trace first, other;
    size_t colours = nnd_panel_colours(panel);
    *colour = 0;
    while (*colour < colours && !nnd_edge_trace(panel, edge, *colour, &first))
        ++*colour;
    if (*colour == colours)
        return false;
    for (size_t c = *colour + 1; c < colours; c++)
        if (nnd_edge_trace(panel, edge, c, &other) && !same_values(&first, &other))
            return false;
    return true;
}

void nnd_edge_write(const nnd_panel *panel, const char *edge, FILE *out) {
    nnd_trace trace;
    for (size_t c = 0; c < nnd_panel_colours(panel); c++) {
        if (!nnd_edge_trace(panel, edge, c, &trace))
            continue;
        fprintf(out, "$%s_%zu << EOD\n", edge, c);
        nnd_trace_write_line(&trace, out);
        fputs("EOD\n", out);
    }
}

void nnd_edge_draw(const nnd_panel *panel, const char *edge, nnd_plot_elements *list) {
    nnd_trace trace;
    size_t colours = nnd_panel_colours(panel);
    for (size_t c = 0; c < colours; c++) {
        if (!nnd_edge_trace(panel, edge, c, &trace))
            continue;
        nnd_plot_next(list);
        fprintf(list->out, "$%s_%zu using 1:2 with lines lw 1.2 dt %s lc rgb '#%06X' notitle", edge,
                c, nnd_plot_dash(2), nnd_plot_colour(c, colours));
    }
}

void nnd_edge_legend(const nnd_panel *panel, const char *edge, const char *label,
                     nnd_legend *legend) {
    nnd_legend_entry *entry;
    if (panel->theory.frame == NULL || nnd_frame_find(panel->theory.frame, edge) == NULL ||
        (entry = nnd_legend_add(legend, label)) == NULL)
        return;
    entry->dash = 2;
    if (nnd_panel_colours(panel) == 1)
        entry->colour = nnd_plot_colour(0, 1);
}
