/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Order parameters of deep linear networks between all pairs of recorded times
 * (deep-linear.md#s2-2). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_TWO_TIME_H
#define NNDMFT_THEORY_DEEP_LINEAR_TWO_TIME_H

#include "nndmft/frame.h"
#include "theory/deep_linear_small.h"

typedef struct nnd_two_time nnd_two_time;

/** Adds the arrays to a frame with dimensions `t` and `s`, NaN. All is borrowed. Owned by the
 * caller. */
NND_MUST_USE nnd_status nnd_two_time_new(nnd_context *ctx, const nnd_deep_linear *p,
                                         nnd_frame *frame, nnd_two_time **pairs);
/** Frees it; NULL is allowed. */
void nnd_two_time_free(nnd_two_time *pairs);
/** Keeps the fields of the recorded time number `time` in the network, and fills their products
 * with all before. Times come in order. */
NND_MUST_USE nnd_status nnd_two_time_add(nnd_two_time *pairs, nnd_small *n, size_t time);

#endif
