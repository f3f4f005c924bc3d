/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A queried random matrix (queried.h) that remembers its queries, so that whatever is computed from
 * its images can be differentiated with respect to the weights of the sites: every inner product is
 * <ab> = (1/S) sum_i w_i a_i b_i, w = 1 where it was computed (deep-fluctuations.md#s6).
 *
 * Going back through the queries from the last to the first, for R right-hand sides at once, turns
 * the derivatives of an observable with respect to images into those with respect to what was
 * asked, and adds what each inner product contributes to the influence functions I(i) = S dO/dw_i
 * of the two populations (deep-fluctuations.md#s7). A bar of a site vector is S dO/dx_i, R x sites.
 */
#ifndef NNDMFT_SOLVERS_TRACED_H
#define NNDMFT_SOLVERS_TRACED_H

#include "nndmft/api.h"
#include "nndmft/solvers/direction.h"
#include "nndmft/solvers/population.h"

NND_API_BEGIN

typedef struct nnd_traced nnd_traced;

/** What a matrix is: from population `in` to population `out` (both borrowed, as many sites each).
 */
typedef struct {
    nnd_population *in, *out;
    double sigma[2]; /**< of the fresh part of images, by direction */
    double tol[2];   /**< a residue longer than this part of what was asked is a new direction */
} nnd_traced_options;

/** A matrix that was asked for nothing. Owned by the caller. */
NND_MUST_USE nnd_status nnd_traced_new(nnd_context *ctx, const nnd_traced_options *options,
                                       nnd_traced **matrix);
/** Frees a matrix; NULL is allowed. */
void nnd_traced_free(nnd_traced *matrix);

/** Applies M (NND_FORWARD) or its adjoint to n >= 1 vectors (n x sites) one after the other: one
 * block. Images into `image` (n x sites), not `v`. */
NND_MUST_USE nnd_status nnd_traced_apply(nnd_traced *matrix, nnd_direction direction, size_t n,
                                         const double *v, double *image);
/** C += sum_i weight_i b_i a_i^T over the first n vectors of the last blocks, a forward one and
 * then a backward one (b backward, a forward). */
NND_MUST_USE nnd_status nnd_traced_update(nnd_traced *matrix, size_t n, const double *weight);

/** Number of directions: q_k (forward), p_j (backward). */
size_t nnd_traced_rank(const nnd_traced *matrix, nnd_direction direction);
/** Bytes of a matrix that has been asked for as much, with so many sites, apart from those of going
 * back. */
double nnd_traced_bytes(const nnd_traced *matrix, size_t sites);

/**
 * Begins anew under other weights of the sites (NULL: 1), with the noise that was drawn and the
 * directions that were kept: the same blocks can be asked for again, of vectors that may differ.
 * There is no going back afterwards.
 */
void nnd_traced_replay(nnd_traced *matrix, const double *in_weight, const double *out_weight);

/** A matrix and its scouts. */
typedef struct {
    nnd_traced *leader;
    size_t scouts;
    nnd_traced *const *scout; /**< of which the last one only watches */
    double size;              /**< rms of what their weights are beside 1, little */
    double least; /**< longest move that is not asked for, relative to the vector that moves */
} nnd_traced_party;

/** A scout of a matrix that was asked for nothing: the same noise and directions, under other
 * weights of the sites (borrowed). Owned by the caller; is freed before its leader. */
NND_MUST_USE nnd_status nnd_traced_scout(nnd_context *ctx, const nnd_traced *leader,
                                         const double *in_weight, const double *out_weight,
                                         nnd_traced **scout);
/** Bytes of a scout of a matrix that has been asked for as much, with so many sites. */
double nnd_traced_scout_bytes(const nnd_traced *leader, size_t sites);
/**
 * nnd_traced_apply of everyone to his own vectors: v[0] and image[0] are the leader's, v[1 + s] and
 * image[1 + s] those of scout s. Where a residue that is dropped moves with the weights, directions
 * along which it does are asked for first, too: one for each scout at most.
 */
NND_MUST_USE nnd_status nnd_traced_apply_all(const nnd_traced_party *party, nnd_direction direction,
                                             size_t n, const double *const *v,
                                             double *const *image);
/** The largest move so far that the last scout saw and nobody had asked for: in units of a
 * fluctuation, relative to the vector that moves. */
double nnd_traced_lost(const nnd_traced *leader);

/**
 * Going back from behind the first `blocks` blocks, for `sides` right-hand sides. What an earlier
 * going back left is forgotten.
 */
NND_MUST_USE nnd_status nnd_traced_go_back(nnd_traced *matrix, size_t sides, size_t blocks);
/**
 * The update behind the next two blocks to be reversed: takes in what it makes of derivatives with
 * respect to C, and adds derivatives with respect to the n weights to weight_bar (sides x n).
 */
void nnd_traced_reverse_update(nnd_traced *matrix, size_t n, const double *weight,
                               double *weight_bar);
/**
 * Reverses the next block, whose direction this must be. `image_bar` (n x sides x S): of its
 * images; `asked_bar` (the same): what is added to derivatives with respect to the vectors asked.
 * in_influence and out_influence (sides x S) are added to.
 */
void nnd_traced_reverse(nnd_traced *matrix, nnd_direction direction, const double *image_bar,
                        double *asked_bar, double *in_influence, double *out_influence);
/** Bytes of going back with as many right-hand sides from all blocks, with so many sites. */
double nnd_traced_reverse_bytes(const nnd_traced *matrix, size_t sides, size_t sites);
/** Multiply-adds done so far in products with vectors over sites, forth and back. */
double nnd_traced_work(const nnd_traced *matrix);

NND_API_END

#endif
