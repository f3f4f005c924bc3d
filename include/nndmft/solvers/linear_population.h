/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Fluctuations of the population of influence.h where phi is linear: second moments of the units
 * obey a closed map, exact at every N, whose random initial values are Wishart distributed (note
 * fluctuations, section 2). No nodes, no sampling.
 */
#ifndef NNDMFT_SOLVERS_LINEAR_POPULATION_H
#define NNDMFT_SOLVERS_LINEAR_POPULATION_H

#include "nndmft/api.h"
#include "nndmft/solvers/influence.h"

NND_API_BEGIN

/** Bytes held and floating-point operations done by nnd_wishart_run. */
void nnd_wishart_cost(const nnd_units *p, double *bytes, double *flops);
/**
 * Any number of points (fluctuations 2.2); the activation must be linear. Fills all results but
 * `noise` and `response`. NND_DIVERGED if f ceases to be sound. Same bits for any number of
 * threads.
 */
NND_MUST_USE nnd_status nnd_wishart_run(nnd_context *ctx, const nnd_units *p,
                                        nnd_fluctuations *out);

/** Means, N variances, N covariance and N biases of Delta and the NTK K at one step. */
typedef struct {
    double delta, ntk;
    double delta_nvar, ntk_nvar, delta_ntk_ncov;
    double delta_bias, ntk_bias;
} nnd_linear_point;

/**
 * One training point with phi(h) = h, by second-order jets of a map of two variables (fluctuations
 * 2.1): steps 0..steps into `out`. Any learning rate, also beyond stability (2.5).
 */
void nnd_linear_single(double gram, double target, double gamma0, double lr, bool center,
                       size_t steps, nnd_linear_point *out);

NND_API_END

#endif
