/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Least squares of one target as a function of the linear predictor (note flat_minima, section 1):
 *     R(w) = (w - w*)' S (w - w*) + R*,   gradient g = 2 S (w - w*),
 * with S = X'X/n, w* the minimiser of least norm and R* the mean square that no w fits. No factor
 * 1/2. S may be singular.
 */
#ifndef NNDMFT_SOLVERS_QUADRATIC_H
#define NNDMFT_SOLVERS_QUADRATIC_H

#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Matrices are row-major. */
typedef struct {
    size_t dim;
    double *covariance; /**< S, dim x dim */
    double *root;       /**< symmetric square root of S, dim x dim */
    double *minimizer;  /**< w*, in the range of S; dim */
    double floor;       /**< R* */
    double ignored;     /**< length of what was given of w* outside the range of S */
    size_t rank;        /**< of S */
    double *eigenvalue; /**< of S, the positive ones, descending; rank */
    double *mode;       /**< their unit eigenvectors, rank x dim */
} nnd_quadratic;

/**
 * From S (dim x dim, symmetric, positive semidefinite; its lower triangle is read) and any
 * minimiser, of which the part outside the range of S is dropped. NND_E_INPUT if S or S w* is 0 or
 * not finite, or S has a negative eigenvalue beyond rounding. Free with nnd_quadratic_clear.
 */
NND_MUST_USE nnd_status nnd_quadratic_make(nnd_context *ctx, size_t dim, const double *covariance,
                                           const double *minimizer, nnd_quadratic *q);
/** From inputs X (samples x dim) and targets y (samples), by a singular value decomposition of X.
 * NND_E_INPUT if X or X'y is 0 or not finite. */
NND_MUST_USE nnd_status nnd_quadratic_fit(nnd_context *ctx, size_t samples, size_t dim,
                                          const double *inputs, const double *targets,
                                          nnd_quadratic *q);
/** Frees what a quadratic holds; half-made ones are allowed. */
void nnd_quadratic_clear(nnd_quadratic *q);

/** g = 2 S (w - w*), dim. */
void nnd_quadratic_gradient(const nnd_quadratic *q, const double *w, double *g);
/** R(w). */
double nnd_quadratic_loss(const nnd_quadratic *q, const double *w);
/** |w - w*|^2. */
double nnd_quadratic_distance2(const nnd_quadratic *q, const double *w);

NND_API_END

#endif
