/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Extreme eigenvalues of a symmetric operator known by its action alone: Lanczos with full
 * reorthogonalisation. (ARPACK keeps its state in static variables and cannot run in two threads.)
 */
#ifndef NNDMFT_SOLVERS_LANCZOS_H
#define NNDMFT_SOLVERS_LANCZOS_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** y = A x, n numbers each. */
typedef void (*nnd_operator)(void *data, const double *x, double *y);

typedef struct nnd_lanczos nnd_lanczos;

/** Room for operators of size n and at most `steps` steps (n is enough). Owned by the caller. */
NND_MUST_USE nnd_status nnd_lanczos_new(nnd_context *ctx, size_t n, size_t steps,
                                        nnd_lanczos **lanczos);
/** Turns to operators of another size, at most the one it was made for. */
void nnd_lanczos_resize(nnd_lanczos *lanczos, size_t n);
/** Frees it; NULL is allowed. */
void nnd_lanczos_free(nnd_lanczos *lanczos);
/**
 * The `count` largest eigenvalues (descending; NaN beyond n) and, row by row, their unit vectors
 * (count x n; NULL: not wanted), from the start vector `start` (n numbers, not 0). Stops when the
 * residual of each is below `tolerance` times the largest eigenvalue; the error of an eigenvalue
 * is of the order of the square of that. `*taken` (may be NULL) counts the steps. NND_NOT_CONVERGED
 * with the best answer if the steps did not suffice.
 */
NND_MUST_USE nnd_status nnd_lanczos_largest(nnd_lanczos *lanczos, nnd_operator apply, void *data,
                                            const double *start, size_t count, double tolerance,
                                            double *value, double *vector, size_t *taken);
/**
 * The largest (value[0]) and the smallest eigenvalue (value[1]) from one run, with their unit
 * vectors (2 x n; NULL: not wanted); the tolerance is relative to the larger of their moduli. The
 * rest as nnd_lanczos_largest. What the operator has of both signs is told apart, as power
 * iteration would not.
 */
NND_MUST_USE nnd_status nnd_lanczos_extremes(nnd_lanczos *lanczos, nnd_operator apply, void *data,
                                             const double *start, double tolerance, double *value,
                                             double *vector, size_t *taken);
/**
 * The `count` largest eigenvalues (1 <= count <= n), descending and each as often as it is one, and
 * in value[count] the smallest: one search after the other, each from a row of `start` (count x n,
 * independent, none 0), with the vectors found so far moved to the far end of the spectrum. A
 * single search would see a multiple eigenvalue once. vector ((count + 1) x n) are their unit
 * vectors. The tolerance is relative to the largest modulus; *error is the norm of all residuals A
 * v - value v together, within which each value has an eigenvalue of its own.
 */
NND_MUST_USE nnd_status nnd_lanczos_leading(nnd_lanczos *lanczos, nnd_operator apply, void *data,
                                            size_t count, const double *start, double tolerance,
                                            double *value, double *vector, double *error);
/**
 * The rule of Gauss for the spectral measure of the start vector: all its steps are taken, or as
 * many as the space has, *count of them; node[*count], ascending, and weight[*count], which sum to
 * 1, are exact for polynomials of degree below 2 *count.
 */
NND_MUST_USE nnd_status nnd_lanczos_rule(nnd_lanczos *lanczos, nnd_operator apply, void *data,
                                         const double *start, size_t *count, double *node,
                                         double *weight);

NND_API_END

#endif
