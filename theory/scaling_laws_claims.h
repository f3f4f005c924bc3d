/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From which replication on the theory of `scaling-laws` describes students of finite size. */
#ifndef NNDMFT_THEORY_SCALING_LAWS_CLAIMS_H
#define NNDMFT_THEORY_SCALING_LAWS_CLAIMS_H

#include "theory/scaling_laws_task.h"

/** Reasons, as the attribute NND_REASON of x_min_size has them. */
#define NND_SMALLEST_EIGENVALUE                                                                    \
    "nearly 0: ruled by the smallest eigenvalues, which fluctuate from student to student"
#define NND_UNRESOLVED "not above the error of the contour"
#define NND_SHARED_ORDER                                                                           \
    "of batches that two students share, terms of relative order 1/B are left out"
#define NND_HEAVY_TAILS "about as many samples as projections: late losses have heavy tails"

/** What is common to the claims at one time. */
typedef struct {
    double correction; /**< coefficient of 1/size in the test loss without noise, relative to it */
    bool heavy_tails;
} nnd_scaling_claims;

/** At a time, or with a ridge: `ridge` is the latter, or 1/t in units of gradient flow. */
nnd_scaling_claims nnd_scaling_claims_at(const nnd_scaling_problem *problem, double ridge);

/** Whether the losses on new samples, or on the training set, go to 0 with time. */
bool nnd_scaling_vanishes(const nnd_scaling_problem *problem, bool training_set);
/** Whether terms of order 1/B are missing where students share batches. */
bool nnd_scaling_lacks_shared_terms(const nnd_scaling_problem *problem);

/** The replication from which a correction is below 1.25 % of a value. */
double nnd_scaling_claim(double correction, double value);

#endif
