/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Two linear layers trained on the population (or fresh Gaussian batches) in D dimensions:
 * fluctuations of order 1/N of beta = W^T w/(gamma0 N) around the mean path along the target
 * direction (fluctuations.md#s2-3, fluctuations.md#s2-4). Needs D << N.
 */
#ifndef NNDMFT_SOLVERS_ONLINE_LINEAR_H
#define NNDMFT_SOLVERS_ONLINE_LINEAR_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** One step; N variances and biases are coefficients of 1/N. */
typedef struct {
    double delta;     /**< residual along the target, at infinite N */
    double ntk;       /**< tangent kernel along the target */
    double par_nvar;  /**< of delta */
    double perp_nvar; /**< of each component of beta across the target */
    double par_bias;  /**< of delta, what the target's own direction contributes */
    double perp_bias; /**< of delta, what each direction across contributes */
    double par_batch; /**< variance of delta caused by batches: coefficient of 1/batch */
    double perp_batch;
} nnd_online_linear_point;

/** Steps 0..steps into `out`; the first *sound of them are finite and have
 * not diverged. */
NND_MUST_USE nnd_status nnd_online_linear_run(nnd_context *ctx, double gamma0, double lr,
                                              size_t steps, nnd_online_linear_point *out,
                                              size_t *sound);

/** Coefficient of 1/N of E|beta - beta*|^2 in `dim` dimensions. */
double nnd_online_linear_error_ncorr(const nnd_online_linear_point *p, double dim);

NND_API_END

#endif
