/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Bulk of the operator Z B Z^T, B = k_0 + sum_l k_l Q_l^T Q_l with Q_l = A_{l-1} ... A_0, by a
 * pencil in which every random matrix stands once (note deep_linear_spectral, section 4.1). Its
 * spectral parameter lambda is an explicit function of x in (0, 1/k_L): no iteration.
 */
#ifndef NNDMFT_SOLVERS_PENCIL_H
#define NNDMFT_SOLVERS_PENCIL_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** The operator. */
typedef struct {
    size_t layers;        /**< L */
    const double *s;      /**< L: variance of A_l times its fan-in */
    const double *aspect; /**< L: fan-out over fan-in of A_l */
    const double *k;      /**< L + 1 */
    double inv_alpha;     /**< 1/alpha of Z; 0: B itself */
} nnd_pencil;

/** Self-terms at x: e (L + 1 numbers), b (L numbers) and d = b_{-1}. `rest` (L + 1 numbers) holds
 * 1 - b_{l-1} e_l, which is small where s_l is. The arrays are room of the caller. */
typedef struct {
    double *e, *b, *rest;
    double d, lambda;
} nnd_pencil_point;

/** Evaluates the pencil at x. */
void nnd_pencil_at(const nnd_pencil *pencil, double x, nnd_pencil_point *point);
/** The upper edge of the bulk: the first stationary point of lambda(x), and lambda there. */
NND_MUST_USE nnd_status nnd_pencil_edge(nnd_context *ctx, const nnd_pencil *pencil, double *x,
                                        double *lambda);

NND_API_END

#endif
