/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The training set of a flat-minima network and its least-squares solution. */
#ifndef NNDMFT_VALIDATE_FLAT_MINIMA_DATA_H
#define NNDMFT_VALIDATE_FLAT_MINIMA_DATA_H

#include "nndmft/flat_minima.h"

/** Loss = weight |f(x) - y|^2 + floor. */
typedef struct {
    size_t samples, dim;
    double *x, *y; /**< samples x dim, samples */
    double weight, floor;
    double target2; /**< mean square target */
    size_t tests;
    double *test_x, *test_y; /**< tests x dim, tests; inputs behind those of training */
    double *minimizer;       /**< least squares of least norm, dim */
} nnd_flat_data;

/**
 * Given or drawn samples; a covariance becomes `dim` samples that have it exactly. More samples
 * than inputs are rotated by X = Q R to `dim` rows that matter and a constant, for a network that
 * is linear in x an identity. NND_E_INPUT if a linear network has nothing to learn. Free with
 * nnd_flat_data_clear, which takes half-made ones.
 */
NND_MUST_USE nnd_status nnd_flat_data_make(nnd_context *ctx, const nnd_flat_minima *p,
                                           nnd_flat_data *data);
void nnd_flat_data_clear(nnd_flat_data *data);

#endif
