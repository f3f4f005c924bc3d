/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The covariance of given features and a target along its eigenvectors. The rows are the whole
 * population: E is their mean. With x and y less their means, and C = E[x x^T] = sum_k lambda_k
 * u_k u_k^T, the best linear predictor is w . (u_k . x), w_k = u_k . E[x y]/lambda_k.
 */
#ifndef NNDMFT_CORE_FEATURE_SPECTRUM_H
#define NNDMFT_CORE_FEATURE_SPECTRUM_H

#include "nndmft/dataset.h"

/** Variances beyond it, or below its inverse, leave no room for products and squares of losses. */
#define NND_LARGEST_VARIANCE 1e100

typedef struct {
    size_t rows, dim, rank; /**< rank: eigenvalues above rounding */
    double *eigenvalue;     /**< rank, descending */
    double *vector;         /**< rank x dim, row k is u_k */
    double *weight;         /**< rank: w_k */
    double *mean;           /**< dim: of the features */
    double target_mean;
    double residual2; /**< E[(y - w . z)^2]: what no linear function of the features explains */
} nnd_feature_spectrum;

/**
 * Measures `inputs` and `targets` (one column), or `labels` (0 against all others), of checked
 * data. NND_E_INPUT if nothing varies, or variances are beyond NND_LARGEST_VARIANCE or its inverse
 * (of the target: its square). Free with nnd_feature_spectrum_clear.
 */
NND_MUST_USE nnd_status nnd_feature_spectrum_make(nnd_context *ctx, const nnd_data *data,
                                                  nnd_feature_spectrum *spectrum);
void nnd_feature_spectrum_clear(nnd_feature_spectrum *spectrum);

/** What measuring takes: bytes, and operations as a matrix-vector product in cache has them. */
void nnd_feature_spectrum_cost(const nnd_data *data, double *bytes, double *flops);

/**
 * Coordinates z_k = u_k . x of `count` rows of the data, into z (count x rank), and their targets
 * into y (count), both less their means. `scratch` has dim numbers.
 */
void nnd_feature_coordinates(const nnd_feature_spectrum *spectrum, const nnd_data *data,
                             size_t count, const uint64_t *row, double *scratch, double *z,
                             double *y);

#endif
