/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Krylov's method for linear systems of which only products are known (GMRES, without restarts).
 */
#ifndef NNDMFT_SOLVERS_GMRES_H
#define NNDMFT_SOLVERS_GMRES_H

#include "solvers/cmplx.h"

#include "nndmft/context.h"

/** y = A x. */
typedef void (*nnd_product)(const double complex *x, double complex *y, void *data);

/**
 * x with |A x - b| <= tolerance |b| in at most `most` products with the n x n matrix A. The modulus
 * of what is left, over that of b, goes to `left`; it is above `tolerance` if A is singular or
 * `most` does not suffice. b and x may be the same array.
 */
NND_MUST_USE nnd_status nnd_gmres(nnd_context *ctx, size_t n, nnd_product product, void *data,
                                  const double complex *b, double tolerance, size_t most,
                                  double complex *x, double *left);

#endif
