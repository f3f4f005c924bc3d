/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Symmetric block tridiagonal matrices F(x) that are functions of a number (deep-linear.md#s3-2):
 * how many negative eigenvalues they have, and where they are singular. By block elimination,
 *     P_0 = F_00,  P_{i+1} = F_{i+1,i+1} - F_{i+1,i} P_i^{-1} F_{i,i+1},
 * F has as many negative eigenvalues as all P_i together (Haynsworth). Meant for few of them:
 * blocks that have none are factored by Cholesky.
 */
#ifndef NNDMFT_SOLVERS_INERTIA_H
#define NNDMFT_SOLVERS_INERTIA_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** A matrix: arrays are row-major and given as zero. */
typedef struct {
    size_t blocks;
    const size_t *rows; /**< of each block */
    /** Fills the lower triangle of block F_ii and, but for the last block, F_{i+1,i} (`rows` of the
     * next block times those of this one; NULL for the last). */
    void (*fill)(void *data, double x, size_t i, double *diagonal, double *below);
    /** y^T F'(x) y. */
    double (*derivative)(void *data, double x, const double *y);
    void *data;
} nnd_inertia_problem;

typedef struct nnd_inertia nnd_inertia;

/** Room for the factors of a matrix. `problem` is copied, what it points to borrowed. Owned by the
 * caller. */
NND_MUST_USE nnd_status nnd_inertia_new(nnd_context *ctx, const nnd_inertia_problem *problem,
                                        nnd_inertia **f);
/** Frees it; NULL is allowed. */
void nnd_inertia_free(nnd_inertia *f);
/** Rows of all blocks. */
size_t nnd_inertia_size(const nnd_inertia *f);

/** Negative eigenvalues of F(x). */
NND_MUST_USE nnd_status nnd_inertia_count(nnd_inertia *f, double x, size_t *negative);

/** Two ends of one sign, and the negative eigenvalues of F there. */
typedef struct {
    double near, far;
    size_t count_near, count_far;
} nnd_inertia_bracket;
/**
 * The x in a bracket where eigenvalue number `index` of F (from 0, ascending), which is negative at
 * `near` and not at `far` (count_far <= index < count_near), changes sign, to 1e-12 of it, and the
 * null vector there, of length 1. NaN if it is closer to `near` than that.
 */
NND_MUST_USE nnd_status nnd_inertia_root(nnd_inertia *f, size_t index,
                                         const nnd_inertia_bracket *bracket, double *x, double *y);

NND_API_END

#endif
