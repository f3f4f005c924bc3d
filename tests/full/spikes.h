/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Sums of many spikes as few, and the eigenvalues that tell which of them leave a bulk. */
#ifndef NND_TESTS_FULL_SPIKES_H
#define NND_TESTS_FULL_SPIKES_H

#include <stddef.h>

#include "nndmft/context.h"

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

#endif
