/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Estimates over independent seeds with jackknife standard errors, and the fit in 1/size. */
#ifndef NNDMFT_CORE_STATISTICS_H
#define NNDMFT_CORE_STATISTICS_H

#include <stddef.h>

/** An estimate and its standard error (NaN when there are too few samples to have one). */
typedef struct {
    double value, se;
} nnd_estimate;

/*
 * Shares. To leading order in 1/n an estimate is its expectation plus a sum over independent
 * samples of what each contributes. share[0..n), where it is asked for (NULL: not), receives these
 * contributions, from the change that leaving the sample out makes, scaled so that
 * se^2 = sum_i share[i]^2; they add up to zero (NaN where there is no standard error). The
 * covariance of two estimates from the same samples is the product of their shares, summed.
 */

/**
 * Mean of x[0], x[stride], ...: n >= 1 samples. For the mean the jackknife error is the classical
 * one, s/sqrt(n).
 */
nnd_estimate nnd_mean(size_t n, const double *x, size_t stride);
/** The same with the shares. */
nnd_estimate nnd_mean_shares(size_t n, const double *x, size_t stride, double *share);
/** Unbiased covariance of two samples with the delete-one jackknife error; n >= 2 (error n >= 3).
 */
nnd_estimate nnd_covariance(size_t n, const double *x, const double *y, double *share);
/** Square of the expectation of x, unbiased: n >= 2 (error n >= 3); with its jackknife error. */
nnd_estimate nnd_square_of_mean(size_t n, const double *x, double *share);
/** mean(x)/mean(y), n >= 1, bias-corrected by the delete-one jackknife, with its error. */
nnd_estimate nnd_ratio_of_means(size_t n, const double *x, const double *y, double *share);

/** Weighted least-squares fit value = intercept + slope/size. */
typedef struct {
    nnd_estimate intercept, slope;
} nnd_size_fit;

/**
 * Fits n estimates at sizes size[i] with weights 1/se^2 (equal weights if a standard error is zero
 * or missing; then the errors are propagated, or NaN if missing). n = 1: the intercept is the
 * estimate itself, the slope NaN. intercept[0..n) and slope[0..n) (may be NULL) receive the
 * coefficients with which the estimates enter the two, NaN where there is no fit.
 */
nnd_size_fit nnd_fit_inverse_size(size_t n, const double *size, const nnd_estimate *estimate,
                                  double *intercept, double *slope);

/** Weighted least-squares fit value = intercept + slope/size + square/size^2. */
typedef struct {
    nnd_estimate intercept, slope, square;
} nnd_square_fit;

/** Fits n estimates, with weights 1/se^2; NaN where there are fewer than three sizes or a standard
 *  error is not above zero. */
nnd_square_fit nnd_fit_inverse_square(size_t n, const double *size, const nnd_estimate *estimate);

/** Median of x[0..n), which is reordered; NaN for n = 0. */
double nnd_median(size_t n, double *x);

#endif
