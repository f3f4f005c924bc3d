/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The gnuplot program of one cell of a picture. */
#ifndef NNDMFT_PLOT_CELL_H
#define NNDMFT_PLOT_CELL_H

#include "plot/axis.h"
#include "plot/legend.h"
#include "plot/trace.h"

/**
 * What is drawn is told by the same functions in each pass: what the legend calls it, what the axes
 * must span, then data and settings, and last the elements of the plot command that use them.
 */
typedef enum { NND_TELL_NAMES, NND_TELL_SPANS, NND_TELL_DATA, NND_TELL_PLOT } nnd_pass;

typedef struct {
    nnd_pass pass;
    nnd_legend *legend;
    nnd_span x, y; /**< empty at first; not changed any more when data are written */
    double least;  /**< the y axis begins there, even above the curves */
    FILE *out;
    const char *separator; /**< of elements */
    char data[NND_PLOT_LABEL];
} nnd_cell;

/** Tells layers, from below. */
typedef void (*nnd_layers)(const nnd_panel *panel, nnd_cell *cell);

/** Writes axes that span so much; y is empty if there is nothing to see. */
typedef void (*nnd_axes)(const nnd_panel *panel, nnd_span x, nnd_span y, FILE *out);

/** An entry of the legend. */
void nnd_cell_name(nnd_cell *cell, nnd_mark mark, unsigned colour, size_t style, const char *label);
/** What the axes must span. */
void nnd_cell_span(nnd_cell *cell, const nnd_trace *trace);
/** Data of the elements that follow; true if they are to be written, until nnd_cell_end. */
bool nnd_cell_begin(nnd_cell *cell, const char *format, ...) __attribute__((format(printf, 2, 3)));
void nnd_cell_end(nnd_cell *cell);
/** An element of these data, in a colour. */
void nnd_cell_draw(nnd_cell *cell, unsigned colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Adds the names of layers. */
void nnd_cell_names(const nnd_panel *panel, nnd_layers layers, nnd_legend *legend);
/** Writes a cell below its title: axes, what layers tell, legend. */
void nnd_cell_write(const nnd_panel *panel, nnd_layers layers, nnd_axes axes,
                    const nnd_legend *legend, FILE *out);
/** What the y axis of a cell must span. */
nnd_span nnd_cell_y_span(const nnd_panel *panel, nnd_layers layers);
/** The y axis that spans so much. Boxes, and curves with base lines, stand on zero. */
nnd_axis nnd_cell_y_axis(const nnd_panel *panel, nnd_span y);
/** Characters of the widest label of its tics. */
size_t nnd_cell_y_tics(const nnd_panel *panel, nnd_layers layers);
/** Says why there is nothing to see in a cell. */
void nnd_cell_nothing(const char *why, FILE *out);

/* ---- kinds of cells ---- */

/** What stands at an upright axis: labels of its tics, and beyond them what it means. */
typedef struct {
    char text[NND_PLOT_TEXT]; /**< "": there is no such axis */
    size_t tics;              /**< characters of the widest label */
} nnd_side;

/** A way to draw a variable. */
typedef struct {
    /** The entries of the legend; NULL: none. */
    void (*legend)(const nnd_panel *panel, nnd_legend *legend);
    /** What stands at the y axis of the at-th cell, and at the bar of its colours. */
    void (*sides)(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar);
    /** Writes title, axes, data and the plot command of the at-th cell. Margins, the place of the
     * bar of colours, and what stands at their sides are written already. */
    void (*draw)(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out);
} nnd_cell_kind;

extern const nnd_cell_kind nnd_cell_curves, nnd_cell_heat, nnd_cell_scaling, nnd_cell_scatter,
    nnd_cell_seeds;

#endif
