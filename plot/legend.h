/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Legends name each colour, dash and point type once, not each curve: three sweep values and four
 * layers make seven entries, not twelve.
 */
#ifndef NNDMFT_PLOT_LEGEND_H
#define NNDMFT_PLOT_LEGEND_H

#include "plot/panel.h"
#include "plot/style.h"

/** How an entry is drawn. */
typedef enum {
    NND_MARK_LINE,
    NND_MARK_LINE_POINT,
    NND_MARK_POINT,
    NND_MARK_BAND,
    NND_MARK_ARROW
} nnd_mark;

typedef struct {
    char label[NND_PLOT_LABEL];
    nnd_mark mark;
    unsigned colour;
    size_t style; /**< dash of a line, type of a point, or both */
} nnd_legend_entry;

enum { NND_PLOT_LEGEND = 64 }; /**< the most entries */

typedef struct {
    size_t count;
    nnd_legend_entry entry[NND_PLOT_LEGEND];
} nnd_legend;

/** Adds an entry if there is room. */
void nnd_legend_add(nnd_legend *legend, nnd_mark mark, unsigned colour, size_t style,
                    const char *label);
/** The entries that explain colours, dashes, and what is theory and what simulation. */
void nnd_legend_make(const nnd_panel *panel, nnd_legend *legend);
/** Keeps the entries that `other` has, or has not. */
void nnd_legend_filter(nnd_legend *legend, const nnd_legend *other, bool has);
/** Adds the entries of another one that are not there yet. */
void nnd_legend_unite(nnd_legend *legend, const nnd_legend *other);
/** Width of an entry in pixels, with letters of 12 pixels. */
double nnd_legend_width(const nnd_legend *legend);
/** Writes the entries as elements of a plot command, each preceded by `separator`. */
void nnd_legend_write(const nnd_legend *legend, const char *separator, FILE *out);

#endif
