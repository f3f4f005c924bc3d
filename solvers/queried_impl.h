/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Inside of a queried matrix, shared by its queries and its spectrum. */
#ifndef NNDMFT_SOLVERS_QUERIED_IMPL_H
#define NNDMFT_SOLVERS_QUERIED_IMPL_H

#include "nndmft/solvers/queried.h"
#include "solvers/basis.h"

/** A matrix of small size that grows; row-major, leading dimension `cols`, zero where unset. */
typedef struct {
    size_t rows, cols; /**< room */
    double *x;
} nnd_growing;

/** One direction of queries. */
typedef struct {
    nnd_population *from, *to;
    nnd_basis direction; /**< q_k or p_j, on `from` */
    nnd_rows image;      /**< X_k or Y_j, on `to` */
    nnd_growing gram;    /**< <X X^T> or <Y Y^T>, lower triangle */
    size_t gram_rows;    /**< that are known */
    nnd_rows coef;       /**< of the last block */
    nnd_split *split;    /**< of its vectors */
    size_t coef_ld, block, split_room;
    double tol;
    nnd_growing lost; /**< 1 x (rank + 1): what updates lost, by the rank at that time */
} nnd_queries;

struct nnd_queried {
    nnd_context *ctx;
    double sigma, kappa;
    nnd_queries side[2]; /**< by nnd_direction */
    size_t parts, part;  /**< updates, and which one is in M; NND_QUERIED_INITIAL: none */
    nnd_growing *c, r;   /**< C_jk, and R_jk = <p_j X_k> = <Y_j q_k>: backward x forward */
    nnd_rows scratch;
    double multiply_adds;
};

/** Brings the Gram matrices of the images up to date. */
void nnd_queried_complete_grams(nnd_queried *matrix);

#endif
