/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Both ends of the spectrum of the Hessian of aligned layers. */
#ifndef NNDMFT_THEORY_FLAT_MINIMA_HESSIAN_H
#define NNDMFT_THEORY_FLAT_MINIMA_HESSIAN_H

#include "nndmft/flat_minima.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/lanczos.h"

typedef struct {
    nnd_chain chain; /**< of one unit per hidden layer */
    size_t *repeats; /**< depth; units beyond the first of hidden layers 1..depth - 1 */
    size_t count;    /**< leading eigenvalues, at least 1 */
    size_t zeros;    /**< eigenvalues that always vanish */
    size_t searched; /**< in the chain */
    nnd_lanczos *lanczos;
    double *start, *vector;
    double *value;         /**< of the chain, then of all */
    const double *leading; /**< count, descending, each as often as it is one */
    double least;          /**< the smallest */
    double error;          /**< within which each has an eigenvalue of its own */
} nnd_flat_hessian;

/** Frees with nnd_flat_hessian_clear, which takes half-made ones. The loss is borrowed. */
NND_MUST_USE nnd_status nnd_flat_hessian_make(nnd_context *ctx, const nnd_flat_minima *p,
                                              const nnd_quadratic *loss, nnd_flat_hessian *h);
void nnd_flat_hessian_clear(nnd_flat_hessian *h);
/** Of W_1 = u_1 b', W_k = s u_k u_{k-1}' (flat-minima.md#eq8, flat-minima.md#eq9), and leaves the
 *  chain at these weights. NND_NOT_CONVERGED with the best answer. */
NND_MUST_USE nnd_status nnd_flat_hessian_find(nnd_flat_hessian *h, const double *b, double s);

#endif
