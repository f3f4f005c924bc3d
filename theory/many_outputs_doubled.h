/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Laws that rest on a quadrature: solved with n nodes and with 2n, whose difference is the error.
 */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_DOUBLED_H
#define NNDMFT_THEORY_MANY_OUTPUTS_DOUBLED_H

#include "theory/many_outputs_law.h"

/** What a law knows when it has been made: its `self` begins with them for the two methods. */
typedef struct {
    double mean, risk;
} nnd_law_moments;
NND_MUST_USE nnd_status nnd_law_moments_mean(nnd_context *ctx, void *self, nnd_estimate *mean);
NND_MUST_USE nnd_status nnd_law_moments_risk(nnd_context *ctx, void *self, nnd_estimate *risk);
/** Newton's method and sums leave this part of a value. */
#define NND_LAW_ROUNDING 1e-12
/** A value with that error. */
nnd_estimate nnd_law_rounded(double value);

/** How such a law is made: errors that it states are those of its own iterations. */
typedef struct {
    nnd_status (*make)(nnd_context *ctx, const nnd_many_outputs *params, double time, size_t nodes,
                       nnd_outputs_law *law);
    size_t fewest, most; /**< nodes, powers of 2 apart */
    double agreed;       /**< nodes are doubled until edges agree to this part of the highest */
} nnd_outputs_doubling;

/** NND_E_UNSOLVED if the laws do not agree with the most nodes. */
NND_MUST_USE nnd_status nnd_outputs_law_doubled(nnd_context *ctx, const nnd_many_outputs *params,
                                                double time, const nnd_outputs_doubling *how,
                                                nnd_outputs_law *law);

#endif
