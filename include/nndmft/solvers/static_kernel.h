/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Linear training under a kernel that does not change but is random (fluctuations.md#s3-1):
 *     Delta(t+1) = Delta(t) - (lr/train) K Delta(t),   f*(t+1) = f*(t) + (lr/train) K* Delta(t),
 * where K fluctuates around its mean: to first order Delta and f* are linear in the fluctuation.
 */
#ifndef NNDMFT_SOLVERS_STATIC_KERNEL_H
#define NNDMFT_SOLVERS_STATIC_KERNEL_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/timegrid.h"

NND_API_BEGIN

/** The problem; pointers are borrowed. Pairs are numbered by nnd_pair_index. */
typedef struct {
    size_t train, points;  /**< training points first, then test points */
    const double *targets; /**< train */
    const double *ntk;     /**< pairs: mean kernel */
    const double *ncov;    /**< pairs x pairs: N covariance of the kernel */
    double lr;
    const nnd_timegrid *grid;
} nnd_static_kernel;

/**
 * Means and N variances of Delta (training points) and f (test points): grid->count x points each;
 * N covariances of Delta, unless NULL: grid->count x train x train.
 * f(0) = 0. Returns NND_DIVERGED if lr is beyond stability and the loss grows beyond its limit;
 * what came before is kept, *sound recorded times.
 */
NND_MUST_USE nnd_status nnd_static_kernel_run(nnd_context *ctx, const nnd_static_kernel *k,
                                              double *mean, double *nvar, double *ncov,
                                              size_t *sound);

/**
 * Divided differences v_t = (a^t - b^t)/(a - b), t a^(t-1) where a = b, for t = 0..steps: by the
 * recursion v_(t+1) = a v_t + b^t, in which nothing cancels.
 */
void nnd_divided_powers(double a, double b, size_t steps, double *v);

NND_API_END

#endif
