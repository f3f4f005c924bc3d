/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Descent on a quadratic loss by a product of rank-one aligned matrices, W_1 = u_1 b' and
 * W_k = s u_k u_{k-1}': the end-to-end vector is w = s^(L-1) b (note flat_minima, section 4).
 */
#ifndef NNDMFT_SOLVERS_ALIGNED_LAYERS_H
#define NNDMFT_SOLVERS_ALIGNED_LAYERS_H

#include "nndmft/api.h"
#include "nndmft/solvers/quadratic.h"

NND_API_BEGIN

/** State of the map (8). */
typedef struct {
    const nnd_quadratic *loss;
    size_t depth;
    double *b;            /**< dim */
    double s;             /**< 1 and unused at depth 1 */
    double *w, *gradient; /**< dim; of the last evaluation */
} nnd_aligned;

/** b = 0 and s = 0 (1 at depth 1); the loss is borrowed. Free with nnd_aligned_clear. */
NND_MUST_USE nnd_status nnd_aligned_make(nnd_context *ctx, const nnd_quadratic *loss, size_t depth,
                                         nnd_aligned *a);
/** Frees what it holds; half-made ones are allowed. */
void nnd_aligned_clear(nnd_aligned *a);
/** w and the gradient of the loss there. */
void nnd_aligned_evaluate(nnd_aligned *a);
/** One step (8) of gradient descent from an evaluated state: exactly that of the matrices. */
void nnd_aligned_step(nnd_aligned *a, double rate);
/** 2 tr(S Theta), the trace of the Hessian in all weights, at any state. */
double nnd_aligned_trace(const nnd_aligned *a);

/**
 * Right-hand side of gradient flow (5) with balanced layers, for w = exp(x[0]) x[1..dim] with
 * |x[1..dim]| = 1 at depth >= 2, and for w = x[1..dim] at depth 1 (x[0] stays): the length is kept
 * as its logarithm, so that small starts lose no digits. x and rate have dim + 1 numbers, `scratch`
 * 2 dim.
 */
void nnd_balanced_flow(const nnd_quadratic *loss, size_t depth, const double *x, double *rate,
                       double *scratch);

NND_API_END

#endif
