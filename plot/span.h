/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What an axis must span, and how it is written. */
#ifndef NNDMFT_PLOT_SPAN_H
#define NNDMFT_PLOT_SPAN_H

#include <stdbool.h>
#include <stdio.h>

/** What an axis must span; empty while min > max. */
typedef struct {
    double min, max;
} nnd_span;

extern const nnd_span nnd_span_empty;
void nnd_span_widen(nnd_span *span, double x);
/** True if a span is too short for the digits of a double to make an axis of it. */
bool nnd_span_is_point(nnd_span span);
/** Writes range, scale and tics of an axis, with some room around the data. Labels of tics have
 *  `room` characters side by side; 0: as many as they need. */
void nnd_span_write(nnd_span span, bool log, const char *axis, size_t room, FILE *out);

#endif
