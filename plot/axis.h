/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The range of an axis, and as many tics as have room for their labels. */
#ifndef NNDMFT_PLOT_AXIS_H
#define NNDMFT_PLOT_AXIS_H

#include <stddef.h>
#include <stdio.h>

#include "plot/span.h"

enum { NND_AXIS_TICS = 24 }; /**< the most tics of an axis */

/** An axis of numbers. */
typedef struct {
    bool log;
    bool upright;    /**< labels stand one above the other, not side by side */
    bool whole;      /**< there is nothing between integers */
    size_t room;     /**< length of the axis in characters */
    double min, max; /**< its ends */
    size_t decades;  /**< tics are powers of ten, so many decades apart; 0: not so */
    size_t count;    /**< of tics */
    double tic[NND_AXIS_TICS];
} nnd_axis;

/** Makes the ends a span, and chooses tics for the `room`. */
void nnd_axis_fit(nnd_axis *axis, nnd_span span);
/** The same, with some room beside the span. */
void nnd_axis_fit_loosely(nnd_axis *axis, nnd_span span);
/** Characters of the widest label. */
size_t nnd_axis_width(const nnd_axis *axis);
/** Writes range, scale and tics of the axis that gnuplot calls `name`. */
void nnd_axis_write(const nnd_axis *axis, const char *name, FILE *out);
/** Of labels of so many characters side by side, each how-many-th has room. */
size_t nnd_axis_step(size_t labels, size_t width, bool upright, size_t room);

#endif
