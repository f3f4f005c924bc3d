/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Krylov's method for linear systems of which only products are known (GMRES, without restarts).
 */
#ifndef NNDMFT_SOLVERS_GMRES_H
#define NNDMFT_SOLVERS_GMRES_H

#include "solvers/cmplx.h"

#include "nndmft/context.h"

/** y = A x. */
typedef void (*nnd_product)(const double complex *x, double complex *y, void *data);

/** Room for systems of up to n unknowns, and at most `most` products for each. */
typedef struct {
    size_t n, most;
    double complex *v; /* the basis, most + 1 vectors */
    double complex *h; /* Hessenberg matrix, turned upper triangular: column j at j (most + 1) */
    double *c;         /* cosines of the rotations, */
    double complex *s; /* sines, */
    double complex *e; /* and the right-hand side that they turned */
} nnd_krylov;

/** Makes, zeroed or made, into what nnd_krylov_clear frees, after a failure too. */
NND_MUST_USE nnd_status nnd_krylov_make(nnd_context *ctx, size_t n, size_t most,
                                        nnd_krylov *krylov);
void nnd_krylov_clear(nnd_krylov *krylov);

/**
 * x with |A x - b| <= tolerance |b|, A an n x n matrix, n at most that of the room. Returns the
 * modulus of what is left over that of b, which is above `tolerance` if A is singular or there are
 * not enough products, and NaN if A is not finite. b and x may be the same array.
 */
double nnd_gmres(nnd_krylov *krylov, size_t n, nnd_product product, void *data,
                 const double complex *b, double tolerance, double complex *x);

#endif
