/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A large Gaussian random matrix M(0) between two populations, entries of variance sigma^2/N, known
 * only through the vectors that it and its transpose have been applied to, plus a finite-rank
 * update that is built from those vectors: exact Gaussian conditioning in whitened coordinates
 * (wide-mlp.md#s3).
 *
 * Of the forward queries an orthonormal set q_k is kept (on the input sites) with images X_k = M(0)
 * q_k (on the output sites), of the backward queries p_j (output) with Y_j = M(0)^T p_j (input).
 * The image of a new direction is what its adjoints already fix plus a fresh Gaussian vector off
 * their span. M = M(0) + sum_jk C_jk p_j q_k^T.
 *
 * A residue r too short to become a direction keeps what the adjoints fix of its image, its
 * response (wide-mlp.md#eq11); only its fresh part, and its part in later updates, are dropped.
 * wide-mlp.md#eq13 estimates what that costs; see nnd_queried_truncation.
 */
#ifndef NNDMFT_SOLVERS_QUERIED_H
#define NNDMFT_SOLVERS_QUERIED_H

#include "nndmft/api.h"
#include "nndmft/solvers/direction.h"
#include "nndmft/solvers/population.h"

NND_API_BEGIN

typedef struct nnd_queried nnd_queried;

/**
 * A matrix from population `in` to population `out` (both borrowed, as many sites each); a query
 * adds a direction if its residue is longer than forward_tol or backward_tol times itself. Owned by
 * the caller.
 */
NND_MUST_USE nnd_status nnd_queried_new(nnd_context *ctx, nnd_population *in, nnd_population *out,
                                        double sigma, double forward_tol, double backward_tol,
                                        nnd_queried **matrix);
/** Frees a matrix; NULL is allowed. */
void nnd_queried_free(nnd_queried *matrix);

/**
 * Applies M (NND_FORWARD) or its transpose to n vectors (n x sites), one block; what the earlier
 * ones of a block add is known to the later ones. Images into `image` (n x sites).
 */
NND_MUST_USE nnd_status nnd_queried_apply(nnd_queried *matrix, nnd_direction direction, size_t n,
                                          const double *v, double *image);
/** Coefficients of the last block in its directions: n rows, `ld` apart, rank numbers each; a view
 * until the next application in this direction. */
const double *nnd_queried_coefficients(const nnd_queried *matrix, nnd_direction direction,
                                       size_t *ld);
/** C += sum_i weight_i b_i a_i^T over the first n vectors of the last blocks (b backward, a
 * forward). */
NND_MUST_USE nnd_status nnd_queried_update(nnd_queried *matrix, size_t n, const double *weight);

/**
 * Adds to error[i], for each of the first n vectors a_i and b_i of the last blocks, an estimate of
 * |change of <b_i M a_i>| by what dropped residues took from all updates so far (wide-mlp.md#eq13):
 * an update weight b a^T that lost the residue of a, of length rho, when there were k directions,
 * changes M v by at most |weight| |b| rho times the length of v outside the first k.
 */
void nnd_queried_truncation(const nnd_queried *matrix, size_t n, double *error);

/** Number of directions: q_k (forward), p_j (backward). */
size_t nnd_queried_rank(const nnd_queried *matrix, nnd_direction direction);
/** Bytes in use. */
double nnd_queried_bytes(const nnd_queried *matrix);
/** Multiply-adds done so far in products with the vectors over sites. */
double nnd_queried_work(const nnd_queried *matrix);

/** Outliers of M: singular values above the edge 2 sigma of its bulk (wide-mlp.md#s5). */
typedef struct {
    size_t count;   /**< room in the arrays */
    double *margin; /**< eigenvalues of F(2 sigma), ascending: below 0 for each outlier */
    double *value;  /**< outliers, largest first, NaN where absent */
    double *left;   /**< squared overlap of each left vector with `left_direction` */
    double *right;  /**< squared overlap of each right vector with `right_direction` */
    /** Coefficients in p_j and q_k of vectors whose directions are meant (the first `left_rank` and
     * `right_rank`, zero beyond). */
    size_t left_rank, right_rank;
    const double *left_direction, *right_direction;
} nnd_queried_outliers;

/** Fills margin, value, left and right. */
NND_MUST_USE nnd_status nnd_queried_find_outliers(nnd_context *ctx, nnd_queried *matrix,
                                                  nnd_queried_outliers *out);
/** The first `count` margins alone. */
NND_MUST_USE nnd_status nnd_queried_margins(nnd_context *ctx, nnd_queried *matrix, size_t count,
                                            double *margin);

NND_API_END

#endif
