/* SPDX-License-Identifier: GPL-3.0-or-later */
/** When outliers of the weight matrices leave their bulk (deep-linear.md#s3-3). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_ESCAPE_H
#define NNDMFT_THEORY_DEEP_LINEAR_ESCAPE_H

#include "theory/deep_linear_small.h"

/** One matrix: what it had learned when it was last looked at, and who has left since. */
typedef struct {
    size_t count, escaped; /**< outliers that are looked for, and those that have a time */
    double *when;          /**< `count` times, NaN where there is none; of the caller */
    double last;           /**< when it was looked at */
    double kappa;
    size_t rows, cols, room;
    double *learned; /**< A - kappa A(0), rows x cols */
} nnd_escape;

/** Zeroes but for the first two arguments' fields; free with nnd_escape_clear. */
void nnd_escape_begin(nnd_escape *e, size_t count, double *when);
void nnd_escape_clear(nnd_escape *e);
/** Whether a network is looked at, at the end of a step: after a 400th part of the time so far, of
 * which the first 400 steps are never less. */
bool nnd_escape_due(double last, double time);
/** Looks at matrix l of a network: an outlier that is new has its time between this look and the
 * last, where its indicator, taken as linear between, is 1. */
NND_MUST_USE nnd_status nnd_escape_look(nnd_context *ctx, nnd_escape *e, const nnd_small *n,
                                        size_t l, double time);

#endif
