/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of `scaling-laws` as a problem for the solvers. */
#ifndef NNDMFT_THEORY_SCALING_LAWS_TASK_H
#define NNDMFT_THEORY_SCALING_LAWS_TASK_H

#include "nndmft/scaling_laws.h"
#include "nndmft/solvers/mode_rule.h"
#include "nndmft/solvers/random_features.h"

typedef struct {
    const nnd_scaling_laws *params;
    nnd_mode_rule rule;
    nnd_features features; /**< modes are borrowed from the rule */
    nnd_feature_training how;
} nnd_scaling_problem;

NND_MUST_USE nnd_status nnd_scaling_problem_make(nnd_context *ctx, const nnd_scaling_laws *params,
                                                 nnd_scaling_problem *problem);
void nnd_scaling_problem_clear(nnd_scaling_problem *problem);

/** Where training stands relative to its edge. */
typedef struct {
    double edge;               /**< largest eigenvalue of the training kernel */
    double stability, limit;   /**< lr edge below 2 (1 + momentum); of batches Sigma below 1 */
    nnd_batch_plateau plateau; /**< of batches */
} nnd_scaling_stability;

/** NND_E_INPUT, with the largest learning rate that is allowed, if training is not stable. */
NND_MUST_USE nnd_status nnd_scaling_stability_find(nnd_context *ctx,
                                                   const nnd_scaling_problem *problem,
                                                   nnd_scaling_stability *stability);

/** Losses at ascending times >= 0, of any training but ridge regression. NND_E_UNSOLVED with a
 *  message if they are not found. */
NND_MUST_USE nnd_status nnd_scaling_losses(nnd_context *ctx, const nnd_scaling_problem *problem,
                                           size_t times, const double *time,
                                           nnd_feature_losses *losses);

#endif
