/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Averages of the logistic function over one component s of a spherically symmetric random vector
 * x in R^D (directional.md#s2), at any scale omega >= 0:
 *     h     = 1/2 E[s tanh(omega s/2)] = dH/domega,    H = E log 2 cosh(omega s/2),
 *     delta = c0 - h = E[|s|/(1 + exp(omega |s|))],    c0 = 1/2 E|s|,
 *     e     = H - c0 omega = E log(1 + exp(-omega |s|)).
 * All are sums of positive terms, by Gauss-Legendre quadrature, to 14 digits; beyond omega = 1e4
 * by the series directional.md#eq4, to the same. Nothing is formed by subtraction but the larger of
 * h and delta.
 */
#ifndef NNDMFT_SOLVERS_LOGISTIC_H
#define NNDMFT_SOLVERS_LOGISTIC_H

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** The law of x. */
typedef struct {
    size_t sphere;                /**< D >= 2: uniform on the sphere |x| = sqrt(D); 0: N(0, I) */
    size_t components;            /**< of a mixture of a_j x, x of that law; 0: x alone */
    const double *weight, *scale; /**< w_j > 0 (normalised here) and a_j > 0 */
    size_t nodes;                 /**< of the quadrature; 0: 96, which is enough */
} nnd_logistic_law;

/** The averages at one omega. */
typedef struct {
    double h;
    double slope; /**< h/omega; at omega = 0 its limit E s^2/4 */
    double delta;
    double e;
    /**
     * E[x_i^2/(1 + exp(omega |s|))^2] for a component i perpendicular to s: n times the variance
     * with which a mean over n samples determines the gradient. To 8 digits beyond omega = 1e4.
     */
    double noise;
    /**
     * E[x_i^2 x_j^2 g''(omega |s|)] for two components perpendicular to s and to each other, with
     * g(u) = 1/(1 + exp(u))^2: to second order in a part w of the predictor that is perpendicular
     * to s, E[x_i^2 g(omega |s| + w . x)] is noise + (|w|^2 + 2 w_i^2) noise_rise/2. To 8 digits
     * beyond omega = 1e4.
     */
    double noise_rise;
} nnd_logistic_averages;

/** What belongs to the law alone. */
typedef struct {
    double c0;      /**< E|s|/2 */
    double p0;      /**< density of s at 0 */
    double p2;      /**< second derivative of the density at 0 */
    double moment2; /**< E s^2 */
    double a, b;    /**< A and B of directional.md#eq4: delta = A/omega^2 + B/omega^4 + ... */
} nnd_logistic_constants;

typedef struct nnd_logistic nnd_logistic;

/** Prepares a law; the arrays are copied. Owned by the caller; may be used by several threads. */
NND_MUST_USE nnd_status nnd_logistic_new(nnd_context *ctx, const nnd_logistic_law *law,
                                         nnd_logistic **logistic);
/** Frees it; NULL is allowed. */
void nnd_logistic_free(nnd_logistic *l);

/** The averages at omega >= 0. */
nnd_logistic_averages nnd_logistic_at(const nnd_logistic *l, double omega);
/** The constants of the law. */
nnd_logistic_constants nnd_logistic_constants_of(const nnd_logistic *l);

NND_API_END

#endif
