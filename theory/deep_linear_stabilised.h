/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Gradient flow of the small network of deep linear networks with control of its error
 * (deep-linear.md#s1-1). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_STABILISED_H
#define NNDMFT_THEORY_DEEP_LINEAR_STABILISED_H

#include "theory/deep_linear_small.h"

/** Arrays of the shape of each matrix that a flow keeps beside it. */
enum { NND_FLOW_KEPT = 6 };

/** Looks at the network at a time tau; `mark`: the index of the time that was asked for, or
 * SIZE_MAX. */
typedef nnd_status (*nnd_flow_look)(void *data, nnd_small *n, double tau, size_t mark);

/** What a flow was. */
typedef struct {
    size_t steps, rejected, evaluations;
    double frozen; /**< time from which on nothing changed any more; NaN: it did to the end */
} nnd_flow_account;

/**
 * Follows the flow of a network made with two stages to the last of `marks` (ascending), which it
 * lands on, with an error in each step of at most the network's tolerance in the weights, relative
 * to their size and the scale of the output. It looks after every step, at time 0 too. Once the
 * weights have not moved by more than the tolerance for three quarters of the time, and move no
 * faster than rounding does, the marks that are left see the same network. No step is longer than
 * the part `longest` of the time between two marks: runs of different tolerance whose steps were
 * all limited by marks would not tell how long these may be.
 */
NND_MUST_USE nnd_status nnd_small_flow(nnd_context *ctx, nnd_small *n, double longest, size_t count,
                                       const double *marks, nnd_flow_look look, void *data,
                                       nnd_flow_account *account);

#endif
