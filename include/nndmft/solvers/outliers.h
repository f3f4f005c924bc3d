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

/**
 * Whether there are outliers beyond x: the eigenvalues of M(x) of index `negative` + 0, 1, ...,
 * `count` of them, ascending; number j is below 0 if there are more than j outliers. Their size is
 * no distance. What M has no eigenvalue for stays as it is.
 */
NND_MUST_USE nnd_status nnd_outlier_margins(nnd_context *ctx, const nnd_outlier_problem *problem,
                                            double x, size_t count, double *margin);

/** Vectors by their coordinates: a factor of their Gram matrix. */
typedef struct {
    size_t rank;
    double *coords; /**< one row of `rank` numbers per vector */
} nnd_factor;

/**
 * Coordinates of two sets of `rows` vectors each in one space, from their Gram matrices (lower
 * triangles, leading dimension ld) and `cross`, the products of a and b (rows x rows); b and cross
 * may be NULL for one set. By pivoted Cholesky, each set scaled to its longest vector; what is
 * shorter than rounding of that is dropped. Free the coordinates with free().
 */
NND_MUST_USE nnd_status nnd_factor_gram(nnd_context *ctx, size_t rows, const double *a,
                                        const double *b, size_t ld, const double *cross,
                                        nnd_factor *factor_a, nnd_factor *factor_b);

/**
 * Spikes sum_p weight_p g_p h_p^T of n vectors on either side, compressed; singular values below
 * 1e-8 of the largest are dropped. Spike k has singular value sigma[k] and unit vectors sum_p
 * left[p*rank+k] g_p and sum_p right[p*rank+k] h_p.
 */
typedef struct {
    size_t rank, rows;
    double *sigma, *left, *right;
} nnd_spikes;

/** Compresses the spikes of `rows` pairs of vectors with these factors and weights. Free with
 *  nnd_spikes_clear in any case. */
NND_MUST_USE nnd_status nnd_spikes_make(nnd_context *ctx, size_t rows, const nnd_factor *g,
                                        const nnd_factor *h, const double *weight,
                                        nnd_spikes *spikes);
/** Frees what the struct holds and zeroes it. */
void nnd_spikes_clear(nnd_spikes *spikes);

/**
 * The `count` largest real eigenvalues of a general n x n matrix (row-major, destroyed),
 * descending; NaN where there are fewer. A double one that rounding has made a complex pair counts
 * twice.
 */
NND_MUST_USE nnd_status nnd_largest_real_eigenvalues(nnd_context *ctx, size_t n, double *a,
                                                     size_t count, double *value);

NND_API_END

#endif
