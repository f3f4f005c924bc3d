/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What an axis must span. */
#ifndef NNDMFT_PLOT_SPAN_H
#define NNDMFT_PLOT_SPAN_H

#include <stdbool.h>

/** From the least to the largest value; empty while min > max. */
typedef struct {
    double min, max;
} nnd_span;

extern const nnd_span nnd_span_empty;
void nnd_span_widen(nnd_span *span, double x);
bool nnd_span_is_empty(nnd_span span);
/** True if a span is too short for the digits of a double to make an axis of it. */
bool nnd_span_is_point(nnd_span span);

#endif
