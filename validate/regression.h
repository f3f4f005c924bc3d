/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Control variates: an estimate is regressed on observables of the same seeds whose expectations
 * are known exactly. A simulator puts them into its seed frame as `control(seed,control)`, each
 * column with its expectation subtracted.
 */
#ifndef NNDMFT_VALIDATE_REGRESSION_H
#define NNDMFT_VALIDATE_REGRESSION_H

#include "core/statistics.h"
#include "nndmft/frame.h"

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
    double *scratch;         /**< 3 x samples */
} nnd_regression;

/**
 * Prepares the controls of the seeds chosen[0..count). Columns that do not vary, or are linear
 * combinations of others, are dropped; none are used with fewer than NND_SEEDS_PER_COEFFICIENT
 * seeds per coefficient, or if their means are off their expectations by more than chance
 * (p < 1e-8), which is logged as a warning. Free with nnd_regression_clear, also after failure.
 */
NND_MUST_USE nnd_status nnd_regression_make(nnd_context *ctx, const nnd_frame *seeds, size_t count,
                                            const size_t *chosen, nnd_regression *regression);
void nnd_regression_clear(nnd_regression *regression);

/*
 * Estimates from the samples of one ensemble: expectations at control = 0 in place of means, with
 * their delete-one jackknife errors and the shares of the samples (core/statistics.h; not NULL).
 * Without columns they are those of core/statistics.h.
 */

/** Intercept of the regression of x[0..samples). */
nnd_estimate nnd_regressed_mean(const nnd_regression *regression, const double *x, double *share);
/** Covariance: of the products of deviations from the regressed means, and of what is lost because
 *  these are estimates. */
nnd_estimate nnd_regressed_covariance(const nnd_regression *regression, const double *x,
                                      const double *y, double *share);
/** Ratio of the regressed means of x and y, less its bias to order 1/samples. */
nnd_estimate nnd_regressed_ratio(const nnd_regression *regression, const double *x, const double *y,
                                 double *share);

#endif
