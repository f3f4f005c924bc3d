/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Power laws p(x) ~ x^-exponent of the largest of positive numbers: maximum likelihood above a
 * threshold, the threshold where the law fits best, and how well it does, by samples of the fitted
 * law (Clauset, Shalizi and Newman 2009; spectrum.md#s5).
 */
#ifndef NNDMFT_SOLVERS_POWER_TAIL_H
#define NNDMFT_SOLVERS_POWER_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "nndmft/context.h"

/** With fewer numbers nothing is fitted; the least that a tail may have. */
enum { NND_TAIL_LEAST = 20, NND_TAIL_SHORTEST = 10 };

typedef struct {
    double exponent, se; /**< NaN with too few numbers */
    double from;         /**< the threshold, one of the numbers; NaN likewise */
    size_t count;        /**< numbers from there on; 0 */
    double ks;           /**< largest distance of the distribution functions there; NaN */
    double p;            /**< share of the draws whose distance is at least as large; NaN, also
                              without draws */
} nnd_power_tail;

/** Fits count descending positive numbers; 64 thresholds are tried, at ranks in equal ratios. */
NND_MUST_USE nnd_status nnd_power_tail_fit(nnd_context *ctx, size_t count, const double *descending,
                                           size_t draws, uint64_t seed, nnd_power_tail *tail);

#endif
