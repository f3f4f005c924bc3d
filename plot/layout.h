/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where the cells of a picture are, and how much room is beside them. */
#ifndef NNDMFT_PLOT_LAYOUT_H
#define NNDMFT_PLOT_LAYOUT_H

#include "plot/cell.h"
#include "plot/sheet.h"

enum { NND_LAYOUT_COLUMNS = 4 }; /**< the most columns */

/** A variable of a picture. */
typedef struct {
    nnd_panel panel;
    const nnd_cell_kind *kind;
    nnd_legend legend; /**< beside each of its cells */
} nnd_layout_entry;

/** One of its cells. */
typedef struct {
    nnd_layout_entry *of;
    size_t at;
    nnd_side y, bar;
    size_t y_lines, bar_lines; /**< of what they say */
} nnd_layout_cell;

/** Room beside the cells of a column: for labels of y, for those of tics, and on the right. */
typedef struct {
    double label, tics, right;
} nnd_layout_column;

typedef struct {
    size_t count, cells, columns, rows;
    nnd_layout_entry *entry;
    nnd_layout_cell *cell;
    nnd_layout_column column[NND_LAYOUT_COLUMNS];
    nnd_sheet sheet;
    nnd_legend shared; /**< what the legends of all entries say, or, below them, any */
    double width, height;
} nnd_layout;

/** Finds columns, rows, margins and the size of the picture, and tells the panels how long their
 *  axes are. Sheet, entries, cells and legends are there. */
void nnd_layout_find(nnd_layout *layout);
/** Where the axes of a column begin. */
double nnd_layout_left(const nnd_layout *layout, size_t column);
/** Where they end at the top in a row. */
double nnd_layout_top(const nnd_layout *layout, size_t row);
/** Length of so many characters. */
double nnd_layout_length(const nnd_layout *layout, size_t characters);
/** Width of an entry of a legend. */
double nnd_layout_legend(const nnd_layout *layout, const nnd_legend *legend);
/** Rows of the legend below the cells, and how many entries stand in one. */
size_t nnd_layout_rows_below(const nnd_layout *layout, size_t *across);

#endif
