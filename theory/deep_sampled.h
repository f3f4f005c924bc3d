/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Leading fluctuations of a deep network by marches over sampled sites (deep-fluctuations.md#s9).
 */
#ifndef NNDMFT_THEORY_DEEP_SAMPLED_H
#define NNDMFT_THEORY_DEEP_SAMPLED_H

#include "nndmft/solvers/influence.h"
#include "nndmft/theory.h"
#include "theory/deep_march.h"

/** What is asked for; all pointers are borrowed. */
typedef struct {
    nnd_deep_problem problem;
    const nnd_timegrid *grid; /**< recorded steps; the last one is problem.steps */
    size_t observables;       /**< besides the outputs of the training points */
    const nnd_deep_observable *observable;
    bool bias, two_time;
    size_t samples, replicates; /**< sites, a power of two >= 64; >= 2 */
    double rank_tol;
    uint64_t seed;
} nnd_deep_sampled;

/** What a run took. */
typedef struct {
    size_t rank[2]; /**< forward and backward, the largest over matrices and replicates */
    double
        spread;  /**< largest standard error of a variance, relative to the largest of its curve */
    double lost; /**< nnd_deep_march_lost, the largest over replicates */
} nnd_deep_report;

/**
 * Means over replicates, and standard errors that include the difference to half as many sites
 * where noise does not explain it. `noise` and `response` stay NaN. NND_DIVERGED if f ceases to be
 * sound.
 */
NND_MUST_USE nnd_status nnd_deep_sampled_run(nnd_context *ctx, const nnd_deep_sampled *p,
                                             nnd_fluctuations *out, nnd_fluctuations *se,
                                             nnd_deep_report *report);
/** What it takes, `results` apart, by what a march of few sites finds: directions are about as many
 * with any number of sites. */
NND_MUST_USE nnd_status nnd_deep_sampled_cost(nnd_context *ctx, const nnd_deep_sampled *p,
                                              nnd_cost *cost);

#endif
