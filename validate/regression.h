/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Control variates: an estimate is regressed on observables of the same seeds whose expectations
 * are known exactly. A simulator puts them into its seed frame as `control(seed,control)`, each
 * column with its expectation subtracted.
 */
#ifndef NNDMFT_VALIDATE_REGRESSION_H
#define NNDMFT_VALIDATE_REGRESSION_H

#include "nndmft/frame.h"
#include "nndmft/statistics.h"

/** Name of the per-seed array of control variates, and of its second dimension. */
#define NND_CONTROL "control"

/** Fewer seeds per coefficient that is fitted are not regressed. */
enum { NND_SEEDS_PER_COEFFICIENT = 4 };

/** The controls of one ensemble, ready to be regressed on. */
typedef struct {
    size_t samples, columns; /**< columns 0: there are none to use */
    double *basis;           /**< samples x columns, orthonormal, orthogonal to 1 */
    double *weight;          /**< per sample: coefficient of the intercept at control = 0 */
    double *leverage;        /**< per sample: diagonal of the hat matrix */
    double *slope;           /**< scratch, per column */
} nnd_regression;

/**
 * Prepares the controls of the seeds chosen[0..count). Columns that do not vary, or are linear
 * combinations of others, are dropped; none are used with fewer than NND_SEEDS_PER_COEFFICIENT
 * seeds per coefficient. Free with nnd_regression_clear, also after failure.
 */
NND_MUST_USE nnd_status nnd_regression_make(nnd_context *ctx, const nnd_frame *seeds, size_t count,
                                            const size_t *chosen, nnd_regression *regression);
void nnd_regression_clear(nnd_regression *regression);

/**
 * Replaces an estimate with the shares of its samples (nndmft/statistics.h) by the intercept of
 * their regression on the controls, with its delete-one jackknife error and shares. Nothing changes
 * without controls, or where there is no standard error.
 */
nnd_estimate nnd_regression_apply(const nnd_regression *regression, nnd_estimate estimate,
                                  double *share);

#endif
