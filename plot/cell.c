/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdarg.h>

#include "plot/cell.h"
#include "plot/label.h"

void nnd_cell_name(nnd_cell *cell, nnd_mark mark, unsigned colour, size_t style,
                   const char *label) {
    if (cell->pass == NND_TELL_NAMES)
        nnd_legend_add(cell->legend, mark, colour, style, label);
}

void nnd_cell_span(nnd_cell *cell, const nnd_trace *trace) {
    if (cell->pass == NND_TELL_SPANS)
        nnd_trace_measure(trace, &cell->x, &cell->y);
}

bool nnd_cell_begin(nnd_cell *cell, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cell->data, sizeof cell->data, format, arguments);
    va_end(arguments);
    if (cell->pass == NND_TELL_DATA)
        fprintf(cell->out, "$%s << EOD\n", cell->data);
    return cell->pass == NND_TELL_DATA;
}

void nnd_cell_end(nnd_cell *cell) {
    fputs("EOD\n", cell->out);
}

void nnd_cell_draw(nnd_cell *cell, unsigned colour, const char *format, ...) {
    va_list arguments;
    if (cell->pass != NND_TELL_PLOT)
        return;
    fprintf(cell->out, "%s$%s ", cell->separator, cell->data);
    cell->separator = ", \\\n  ";
    va_start(arguments, format);
    vfprintf(cell->out, format, arguments);
    va_end(arguments);
    fprintf(cell->out, " lc rgb '#%06X' notitle", colour);
}

void nnd_cell_names(const nnd_panel *panel, nnd_layers layers, nnd_legend *legend) {
    nnd_cell cell = {.pass = NND_TELL_NAMES, .legend = legend};
    layers(panel, &cell);
}

void nnd_cell_nothing(const char *why, FILE *out) {
    fprintf(out,
            "set label '%s' at graph 0.5, graph 0.5 center\n"
            "unset tics\nplot [0:1] [0:1] NaN notitle\n",
            why);
}

static void measure(const nnd_panel *panel, nnd_layers layers, nnd_cell *cell) {
    nnd_panel here = *panel;
    bool alike = panel->drawing->headroom > 0.0; /* all cells have the same axes */
    cell->pass = NND_TELL_SPANS;
    for (here.facet.at = 0; alike && here.facet.at < nnd_panel_facets(panel); here.facet.at++)
        layers(&here, cell);
    layers(panel, cell);
    cell->y.min = fmax(cell->y.min, cell->least);
}

nnd_axis nnd_cell_y_axis(const nnd_panel *panel, nnd_span y) {
    bool on_zero = (panel->histogram || panel->lift > 0.0) && !panel->log_y;
    nnd_axis axis = {.log = panel->log_y, .upright = true, .room = panel->upright};
    if (on_zero)
        nnd_span_widen(&y, 0.0);
    nnd_axis_fit_loosely(&axis, y);
    if (on_zero)
        axis.min = 0.0;
    return axis;
}

nnd_span nnd_cell_y_span(const nnd_panel *panel, nnd_layers layers) {
    nnd_cell cell = {.x = nnd_span_empty, .y = nnd_span_empty, .least = -INFINITY};
    measure(panel, layers, &cell);
    return cell.y;
}

size_t nnd_cell_y_tics(const nnd_panel *panel, nnd_layers layers) {
    nnd_span y = nnd_cell_y_span(panel, layers);
    if (nnd_span_is_empty(y))
        return 0;
    nnd_axis axis = nnd_cell_y_axis(panel, y);
    return nnd_axis_width(&axis);
}

void nnd_cell_write(const nnd_panel *panel, nnd_layers layers, nnd_axes axes,
                    const nnd_legend *legend, FILE *out) {
    nnd_cell cell = {.x = nnd_span_empty,
                     .y = nnd_span_empty,
                     .least = -INFINITY,
                     .out = out,
                     .separator = "plot "};
    measure(panel, layers, &cell);
    axes(panel, cell.x, cell.y, out);
    if (nnd_span_is_empty(cell.y)) {
        nnd_cell_nothing("no finite values", out);
        return;
    }
    fputs(
        "set key at graph 1.0, graph 1.0 left top Left reverse maxcols 1 samplen 2.5 spacing 1.2\n",
        out);
    cell.pass = NND_TELL_DATA;
    layers(panel, &cell);
    cell.pass = NND_TELL_PLOT;
    layers(panel, &cell);
    nnd_legend_write(legend, cell.separator, out);
    fputc('\n', out);
}
