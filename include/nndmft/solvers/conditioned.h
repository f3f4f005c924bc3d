/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Gaussian random matrices known by the questions they have answered (deep-linear.md#s2-1), in the
 * limit of large dimensions. A space has n orthonormal coordinates, which grow in number as they
 * are needed; vectors are n numbers each, inner products are dot products. A matrix of n_out x n_in
 * iid Gaussian entries of variance sigma2/n_in, aspect = n_out/n_in, multiplied by kappa and
 * shifted by what is added to it, is
 *
 *     A = M + kappa S_b^(1/2) G S_f^(1/2),  S_f = N_f^T N_f,  S_b = N_b^T N_b,  0 <= S <= 1,
 *
 * with M what is known of it (kappa K what is known of the initial matrix), G a fresh Gaussian
 * matrix of that variance, independent of all that is stored, and S = 1 outside the coordinates:
 * Gaussian conditioning on all questions so far. A question whose unknown part |N v| is longer than
 * a threshold is *revealed*: its answer becomes known, along a new coordinate of the other space.
 * Else that part is *dropped*, and the answer is M v. Either way the numbers are those of a linear
 * network with n units in each space, to rounding.
 */
#ifndef NNDMFT_SOLVERS_CONDITIONED_H
#define NNDMFT_SOLVERS_CONDITIONED_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/solvers/direction.h"

NND_API_BEGIN

typedef struct nnd_conditioned nnd_conditioned;

/** Identifiers, given in order of creation from 0. */
typedef size_t nnd_known_space, nnd_known_matrix, nnd_known_vector, nnd_known_block;

/** An empty system. Owned by the caller. */
NND_MUST_USE nnd_status nnd_conditioned_new(nnd_context *ctx, nnd_conditioned **system);
/** Frees a system; NULL is allowed. */
void nnd_conditioned_free(nnd_conditioned *c);

/** A space without coordinates. */
NND_MUST_USE nnd_status nnd_conditioned_add_space(nnd_conditioned *c, nnd_known_space *space);
/** A random matrix of which nothing is known; kappa = 1. */
NND_MUST_USE nnd_status nnd_conditioned_add_matrix(nnd_conditioned *c, double sigma2, double aspect,
                                                   nnd_known_space in, nnd_known_space out,
                                                   nnd_known_matrix *matrix);
/** Numbers of the shape of M beside it, zero, that keep their shape with it: a velocity, a stage.
 */
NND_MUST_USE nnd_status nnd_conditioned_add_block(nnd_conditioned *c, nnd_known_matrix matrix,
                                                  nnd_known_block *block);
/** A vector, zero. */
NND_MUST_USE nnd_status nnd_conditioned_add_vector(nnd_conditioned *c, nnd_known_space space,
                                                   nnd_known_vector *vector);

/** Coordinates of a space. */
size_t nnd_conditioned_dim(const nnd_conditioned *c, nnd_known_space space);
/** The numbers of a vector, as many as its space has coordinates, to read and write: a view until
 * the space grows. */
double *nnd_conditioned_vector(const nnd_conditioned *c, nnd_known_vector vector);
/** Adds `length` times a new coordinate: a Gaussian vector independent of all else. */
NND_MUST_USE nnd_status nnd_conditioned_draw(nnd_conditioned *c, nnd_known_vector vector,
                                             double length);
/** to = 0. */
void nnd_conditioned_zero(nnd_conditioned *c, nnd_known_vector to);
/** to += weight from, of one space. */
void nnd_conditioned_add(nnd_conditioned *c, double weight, nnd_known_vector from,
                         nnd_known_vector to);
/** a . b, of one space. */
double nnd_conditioned_dot(const nnd_conditioned *c, nnd_known_vector a, nnd_known_vector b);

/**
 * image = A v (NND_FORWARD) or A^T v (NND_BACKWARD). The unknown part of v is revealed if it is
 * longer than `tolerance` times the longest v of this matrix and direction so far.
 */
NND_MUST_USE nnd_status nnd_conditioned_ask(nnd_conditioned *c, nnd_known_matrix matrix,
                                            nnd_direction direction, double tolerance,
                                            nnd_known_vector v, nnd_known_vector image);

/** image = M v or M^T v: what is known of an answer. Reveals nothing. */
void nnd_conditioned_apply(nnd_conditioned *c, nnd_known_matrix matrix, nnd_direction direction,
                           nnd_known_vector v, nnd_known_vector image);

/** M += weight out in^T. */
void nnd_conditioned_add_outer(nnd_conditioned *c, nnd_known_matrix matrix, double weight,
                               nnd_known_vector out, nnd_known_vector in);
/** block = scale block + weight out in^T. */
void nnd_conditioned_block_outer(nnd_conditioned *c, nnd_known_block block, double scale,
                                 double weight, nnd_known_vector out, nnd_known_vector in);
/** M += block. */
void nnd_conditioned_add_to_matrix(nnd_conditioned *c, nnd_known_block block);
/** A *= factor: M and kappa. */
void nnd_conditioned_scale(nnd_conditioned *c, nnd_known_matrix matrix, double factor);

/** What is stored of a matrix: a view until a space grows. Arrays are row-major. */
typedef struct {
    double sigma2, aspect, kappa;
    size_t in, out;          /**< coordinates of the two spaces */
    size_t stride;           /**< of m and k: rows of `in` numbers, out of them */
    double *m;               /**< M, to read and write */
    const double *k;         /**< K */
    size_t unknown_in;       /**< rows of N_f */
    size_t unknown_out;      /**< rows of N_b */
    const double *n_f, *n_b; /**< rows of `in` numbers, stride_in apart; of `out`, stride_out */
    size_t stride_in, stride_out;
} nnd_known;
/** The view. */
nnd_known nnd_conditioned_known(const nnd_conditioned *c, nnd_known_matrix matrix);
/** The numbers of a block, in the layout of its matrix's M. */
double *nnd_conditioned_block(const nnd_conditioned *c, nnd_known_block block);

/**
 * Replaces the first `old` coordinates of a space by `keep` <= old combinations of them, the
 * orthonormal rows of `basis` (keep x old): everything is projected. What the combinations miss of
 * later questions is lost.
 */
NND_MUST_USE nnd_status nnd_conditioned_project(nnd_conditioned *c, nnd_known_space space,
                                                size_t old, size_t keep, const double *basis);

/** Bytes in use. */
double nnd_conditioned_bytes(const nnd_conditioned *c);
/** The largest dropped part over its threshold so far, at most 1. */
double nnd_conditioned_dropped(const nnd_conditioned *c);

NND_API_END

#endif
