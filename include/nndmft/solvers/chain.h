/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A product of matrices w' = p' W_L ... W_1 under a quadratic loss R(w): Hessian and sharpness in
 * all weights (flat-minima.md#s2). All that is needed are the row vectors
 * alpha_k = p' W_L ... W_{k+1} and the images b_k = W_k ... W_1 g of the gradient g of R (the
 * b_{k+1} of flat-minima.md#eq1), so that a product with the Hessian costs as much as a few
 * gradients.
 */
#ifndef NNDMFT_SOLVERS_CHAIN_H
#define NNDMFT_SOLVERS_CHAIN_H

#include "nndmft/api.h"
#include "nndmft/solvers/quadratic.h"

NND_API_BEGIN

/** Matrices are row-major; change `weights`, then call nnd_chain_evaluate. */
typedef struct {
    const nnd_quadratic *loss;
    size_t depth;
    size_t *width;   /**< depth + 1: dim of the loss, then the rows of W_1..W_L */
    size_t count;    /**< number of weights */
    double *weights; /**< W_1, ..., W_L, one after the other */
    double **matrix; /**< depth: W_1..W_L in `weights` */
    double *readout; /**< p, width[depth] */
    double **alpha;  /**< depth + 1: alpha_0 = w, ..., alpha_L = p */
    double **image;  /**< depth + 1: b_0 = g, ..., b_L */
    double **alpha_change, **image_change; /**< scratch of Hessian products */
} nnd_chain;

/**
 * A chain of zero weights; `width` as in the struct, copied. `readout` may be NULL: all ones (1 for
 * a last matrix of one row). The loss is borrowed. Free with nnd_chain_clear.
 */
NND_MUST_USE nnd_status nnd_chain_make(nnd_context *ctx, const nnd_quadratic *loss, size_t depth,
                                       const size_t *width, const double *readout,
                                       nnd_chain *chain);
/** Frees what a chain holds; half-made ones are allowed. */
void nnd_chain_clear(nnd_chain *chain);

/** Computes all alpha and images at the present weights. Everything below needs it. */
void nnd_chain_evaluate(nnd_chain *chain);
/** y = H x by flat-minima.md#eq1, `count` numbers each; `chain` is an nnd_chain *. An nnd_operator
 * of lanczos.h.
 */
void nnd_chain_hessian(void *chain, const double *x, double *y);
/**
 * Largest (value[0]) and smallest (value[1]) eigenvalue of the Hessian, by Lanczos, to about 1e-12
 * of the larger. NND_NOT_CONVERGED with the best answer.
 */
NND_MUST_USE nnd_status nnd_chain_extremes(nnd_context *ctx, nnd_chain *chain, double *value);
/** flat-minima.md#eq2: largest eigenvalue of the Hessian at a minimiser,
 * 2 lambda_max(S^(1/2) Theta S^(1/2)). */
NND_MUST_USE nnd_status nnd_chain_sharpness(nnd_context *ctx, const nnd_chain *chain,
                                            double *sharpness);
/** Sets W_1 = e b', W_k = s e e' e the first unit vector of each layer (flat-minima.md#eq8). */
void nnd_chain_set_aligned(nnd_chain *chain, const double *b, double s);

NND_API_END

#endif
