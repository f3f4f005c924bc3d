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
 * their span. M = kappa M(0) + sum_jk C_jk p_j q_k^T; there is room for several C (a state, a
 * velocity, the stages of a Runge-Kutta method), one of which is in M.
 *
 * A residue r too short to become a direction keeps what the adjoints fix of its image, its
 * response (wide-mlp.md#eq11); only its fresh part, and its part in later updates, are dropped.
 * wide-mlp.md#eq13 estimates what that costs; see nnd_queried_truncation.
 */
#ifndef NNDMFT_SOLVERS_QUERIED_H
#define NNDMFT_SOLVERS_QUERIED_H

#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/solvers/direction.h"
#include "nndmft/solvers/population.h"

NND_API_BEGIN

typedef struct nnd_queried nnd_queried;

/** No update: M is kappa M(0). */
#define NND_QUERIED_INITIAL SIZE_MAX

/**
 * A matrix from population `in` to population `out` (both borrowed, as many sites each; one is
 * allowed) with room for `parts` updates, all 0; M is M(0) with update number 0. A query adds a
 * direction if its residue is longer than forward_tol or backward_tol times itself. Owned by the
 * caller.
 */
NND_MUST_USE nnd_status nnd_queried_new(nnd_context *ctx, nnd_population *in, nnd_population *out,
                                        double sigma, double forward_tol, double backward_tol,
                                        size_t parts, nnd_queried **matrix);
/** Frees a matrix; NULL is allowed. */
void nnd_queried_free(nnd_queried *matrix);

/** Makes M = kappa M(0) + update number `part`, or NND_QUERIED_INITIAL. */
void nnd_queried_choose(nnd_queried *matrix, double kappa, size_t part);
/**
 * Applies M (NND_FORWARD) or its transpose to n vectors (n x sites), one block; what the earlier
 * ones of a block add is known to the later ones. A vector shorter than its number in `least` (n,
 * or NULL) is judged as if it were that long. Images into `image` (n x sites).
 */
NND_MUST_USE nnd_status nnd_queried_apply(nnd_queried *matrix, nnd_direction direction, size_t n,
                                          const double *v, const double *least, double *image);
/**
 * What is known of the images of n vectors, which add nothing and are forgotten: their means given
 * all queries so far into `image`, and the Gram matrix of their residues r into `rest` (n x n,
 * whole): the images' covariance is kappa^2 sigma^2 times it, off the directions of the other side.
 */
NND_MUST_USE nnd_status nnd_queried_peek(nnd_queried *matrix, nnd_direction direction, size_t n,
                                         const double *v, double *image, double *rest);
/** Makes n vectors `fresh` on the images' side orthogonal to the directions there, each of length
 * 1: what peeked at images may have beside their means. */
NND_MUST_USE nnd_status nnd_queried_project(nnd_queried *matrix, nnd_direction direction, size_t n,
                                            double *fresh);
/** Coefficients of the last block in its directions: n rows, `ld` apart, rank numbers each; a view
 * until the next application in this direction. */
const double *nnd_queried_coefficients(const nnd_queried *matrix, nnd_direction direction,
                                       size_t *ld);
/** Update number `part` becomes keep times itself + sum_i weight_i b_i a_i^T over the first n
 * vectors of the last blocks (b backward, a forward). */
NND_MUST_USE nnd_status nnd_queried_update(nnd_queried *matrix, size_t part, double keep, size_t n,
                                           const double *weight);
/** Update number `part` becomes keep times itself + factor times number `other`; keep = 0 forgets
 * also what is not finite. */
void nnd_queried_combine(nnd_queried *matrix, size_t part, double keep, double factor,
                         size_t other);
/** Frobenius norm of update number `part`. */
double nnd_queried_size(const nnd_queried *matrix, size_t part);
/** Notes what an update of these weights by the last blocks loses by residues that were dropped. */
void nnd_queried_note_lost(nnd_queried *matrix, size_t n, const double *weight);

/**
 * Adds to error[i], for each of the first n vectors a_i and b_i of the last blocks, an estimate of
 * |change of <b_i M a_i>| by what dropped residues took from all updates noted so far
 * (wide-mlp.md#eq13): an update weight b a^T that lost the residue of a, of length rho, when there
 * were k directions, changes M v by at most |weight| |b| rho times the length of v outside the
 * first k.
 */
void nnd_queried_truncation(const nnd_queried *matrix, size_t n, double *error);

/** Number of directions: q_k (forward), p_j (backward). */
size_t nnd_queried_rank(const nnd_queried *matrix, nnd_direction direction);
/** Bytes in use. */
double nnd_queried_bytes(const nnd_queried *matrix);
/** Multiply-adds done so far in products with the vectors over sites. */
double nnd_queried_work(const nnd_queried *matrix);

/** Outliers of M: singular values above the edge 2 kappa sigma of its bulk (wide-mlp.md#s5). */
typedef struct {
    size_t count;     /**< room in the arrays */
    double *strength; /**< as nnd_queried_pencil_strengths */
    double edge;      /**< of the bulk, or where sampling noise of M(0) ends if that passes it */
    double *value;    /**< outliers beyond the edge, largest first, NaN where absent */
    double *left;     /**< squared overlap of each left vector with `left_direction` */
    double *right;    /**< squared overlap of each right vector with `right_direction` */
    /** Coefficients in p_j and q_k of vectors whose directions are meant (the first `left_rank` and
     * `right_rank`, zero beyond). */
    size_t left_rank, right_rank;
    const double *left_direction, *right_direction;
} nnd_queried_outliers;

/** Fills strength, value, left and right. */
NND_MUST_USE nnd_status nnd_queried_find_outliers(nnd_context *ctx, nnd_queried *matrix,
                                                  nnd_queried_outliers *out);
/** What outliers of M follow from at one moment, kept as M goes on. */
typedef struct nnd_queried_pencil nnd_queried_pencil;

/** Owned by the caller. */
NND_MUST_USE nnd_status nnd_queried_pencil_new(nnd_context *ctx, nnd_queried *matrix,
                                               nnd_queried_pencil **pencil);
/** Frees it; NULL is allowed. */
void nnd_queried_pencil_free(nnd_queried_pencil *pencil);
/** Bytes in use; of NULL, 0. */
double nnd_queried_pencil_bytes(const nnd_queried_pencil *pencil);
/** The number of outliers, which costs a fraction of what their strengths do. */
NND_MUST_USE nnd_status nnd_queried_pencil_outliers(nnd_context *ctx,
                                                    const nnd_queried_pencil *pencil,
                                                    size_t *outliers);
/**
 * The `count` largest strengths of outliers, descending (wide-mlp.md#eq16): as many are above 1 as
 * M has outliers, whatever the directions that are kept. 0 where there is nothing, NaN if sampling
 * noise of M(0) alone passes the edge.
 */
NND_MUST_USE nnd_status nnd_queried_pencil_strengths(nnd_context *ctx,
                                                     const nnd_queried_pencil *pencil, size_t count,
                                                     double *strength);

NND_API_END

#endif
