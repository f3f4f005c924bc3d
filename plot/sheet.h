/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The lengths of a picture. */
#ifndef NNDMFT_PLOT_SHEET_H
#define NNDMFT_PLOT_SHEET_H

#include "nndmft/io.h"

/** Lengths in pixels of 1/96 inch. */
typedef struct {
    double letter;                  /**< height of letters */
    double cell_width, cell_height; /**< between the axes; of a given width the least */
    double top, bottom, right;      /**< beside the axes; `right` is besides a legend */
    double sides;                   /**< about what a cell needs left and right of its axes */
    double gap;                     /**< between what stands beside an axis */
    double line;                    /**< from one line of a text to the next */
    double bar;                     /**< width of the bar of colours */
    double head;                    /**< above all; 0: no heading */
    double row;                     /**< of an entry of a legend */
    double stroke;                  /**< width of lines, relative to that on a screen */
    double width;                   /**< of the picture; 0: what its cells need */
    bool below;                     /**< one legend, below all cells */
    const char *font;
} nnd_sheet;

/** The lengths that options ask for. NND_E_INPUT: a width or a font that is not allowed. */
NND_MUST_USE nnd_status nnd_sheet_make(nnd_context *ctx, const nnd_plot_options *options,
                                       nnd_sheet *sheet);

#endif
