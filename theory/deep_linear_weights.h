/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Outlying singular values of the weight matrices (deep-linear.md#s3). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_WEIGHTS_H
#define NNDMFT_THEORY_DEEP_LINEAR_WEIGHTS_H

#include "theory/deep_linear_small.h"

/** One matrix: bulk edge, outliers (NaN where absent), vector overlaps of each. */
typedef struct {
    double edge;
    double *value;   /**< `count` outliers, largest first; room of the caller */
    double *target;  /**< squared cosine of the right vector with beta*; NULL: not wanted */
    double *readout; /**< squared cosine of the left vector with a; NULL: not wanted */
    size_t count;
} nnd_weight_outliers;

/** Outliers of A_l. The overlaps are defined for l = 0 (target) and l = L - 1 (readout). */
NND_MUST_USE nnd_status nnd_small_outliers(nnd_context *ctx, const nnd_small *n, size_t l,
                                           nnd_weight_outliers *out);
/** How many outliers A_l has, those at the edge of its bulk included. */
NND_MUST_USE nnd_status nnd_small_outlier_count(nnd_context *ctx, const nnd_small *n, size_t l,
                                                size_t *count);
/**
 * Indicators of the transitions of A_l with kappa and what has been learned, C = A_l - kappa A_l(0)
 * (in the layout of M, `rows` x `cols` of it: zero beyond), of this or an earlier time: the `count`
 * largest eigenvalues Lambda of deep-linear.md#s3-3, descending; there are as many outliers as are
 * above 1. 0 where there are fewer.
 */
NND_MUST_USE nnd_status nnd_small_indicators(nnd_context *ctx, const nnd_small *n, size_t l,
                                             double kappa, size_t rows, size_t cols,
                                             const double *learned, size_t count,
                                             double *indicator);

#endif
