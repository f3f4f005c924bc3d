/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Outliers of a random matrix with finite-rank spikes, by inertia (deep-linear.md#s3-3,
 * wide-mlp.md#s5): for a symmetric matrix M(x) that is a function of the spectral parameter, the
 * number of outliers beyond x is the number of negative eigenvalues of M(x) minus the number that
 * it has where no outlier is beyond. Counting, and the bracketed search for each, know nothing of
 * where M comes from.
 */
#ifndef NNDMFT_SOLVERS_OUTLIERS_H
#define NNDMFT_SOLVERS_OUTLIERS_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Fills the lower triangle of M(x), row-major. */
typedef nnd_status (*nnd_outlier_matrix)(void *data, double x, double *m);

/** A problem: M and what it needs. */
typedef struct {
    size_t size;     /**< of M */
    size_t negative; /**< negative eigenvalues of M where no outlier is beyond */
    nnd_outlier_matrix matrix;
    void *data;
} nnd_outlier_problem;

/** Number of outliers beyond x (0 if M is empty). */
NND_MUST_USE nnd_status nnd_outlier_count(nnd_context *ctx, const nnd_outlier_problem *problem,
                                          double x, size_t *count);
/**
 * The j-th outlier (0: the farthest) between the edge, where it is known to exist (count > j), and
 * `far`, where it is known not to: the root of M's eigenvalue of index `negative` + j, to 1e-12
 * relative. `vector` (one number per row of M, or NULL) receives the null vector of M there.
 * x is NaN, and `vector` untouched, for an outlier that is closer to the edge than rounding.
 */
NND_MUST_USE nnd_status nnd_outlier_find(nnd_context *ctx, const nnd_outlier_problem *problem,
                                         size_t j, double edge, double far, double *x,
                                         double *vector);

NND_API_END

#endif
