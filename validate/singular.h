/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Largest singular values of a dense matrix, by Lanczos on its Gram matrix. */
#ifndef NNDMFT_VALIDATE_SINGULAR_H
#define NNDMFT_VALIDATE_SINGULAR_H

#include "nndmft/solvers/lanczos.h"

/** Room for searches in matrices of one shape. */
typedef struct {
    size_t rows, cols, count; /**< count: values wanted */
    nnd_lanczos *lanczos;
    double *value; /**< count, eigenvalues of the Gram matrix */
    double *right; /**< count x cols, unit right vectors of the last search */
    double *left;  /**< rows, scratch */
    const double *w;
} nnd_singular;

/** Allocates; nnd_singular_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_singular_make(nnd_context *ctx, size_t rows, size_t cols, size_t count,
                                          nnd_singular *s);
void nnd_singular_clear(nnd_singular *s);

/** A direction that singular vectors are compared with; `vector` NULL: not wanted. */
typedef struct {
    const double *vector;
    double *overlap; /**< receives the squared cosine for each value */
} nnd_singular_overlap;

/**
 * The `count` largest singular values of scale * w (rows x cols, row-major), descending, NaN beyond
 * the smaller side, and squared cosines of their right vectors with right.vector (cols numbers) and
 * left vectors with left.vector (rows numbers). `start` (cols numbers, not 0) is where the search
 * begins; it becomes a good one for a matrix that differs a little. Values are good to some 1e-10,
 * vectors to 1e-5 over the gap, both relative.
 */
NND_MUST_USE nnd_status nnd_singular_largest(nnd_singular *s, const double *w, double scale,
                                             double *start, double *value,
                                             nnd_singular_overlap right, nnd_singular_overlap left);

#endif
