/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Linear CKA of the hidden layers of two-layer linear networks (alignment.md#s3): with
 * hidden Gram x^T A x' on probes of covariance Sigma,
 *     CKA = tr(Sigma A_a Sigma A_b)/sqrt(tr(Sigma A_a)^2 tr(Sigma A_b)^2).
 * If the representation has rank one, A ~ beta beta^T, it is the squared cosine of the predictors.
 */
#ifndef NNDMFT_SOLVERS_REPRESENTATION_H
#define NNDMFT_SOLVERS_REPRESENTATION_H

#include "nndmft/api.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/**
 * Expected CKA on n Gaussian probes of two representations of rank one whose predictors have the
 * cosine rho; centred: the mean over the probes is taken out. n >= 1 (centred: 2).
 */
double nnd_cka_probe(double rho, size_t n, bool centred);

/** Two standard normals of correlation rho, |rho| <= 1, as representations of infinitely many
 *  points: correlation of distances (similarity.md#eq12), information imbalance (eq14). */
double nnd_gaussian_rsa(double rho);
double nnd_gaussian_imbalance(double rho);

/**
 * White initial features, W^T W = scale: alignment.md#eq6. `trace2` is tr Sigma^2 (of all
 * dimensions), `self` the overlaps Q_aa in the metrics Sigma^0..2, `cross` Q_ab in the metric
 * Sigma.
 */
double nnd_cka_white(double scale, double trace2, const double self[NND_METRICS], double cross);

/** Gaussian initial features, entries N(0, variance/D), of K = nu D hidden units. */
typedef struct {
    double variance; /**< sigma_h^2; variance^2 dim = O(1) */
    double nu;       /**< K/D */
    double dim;      /**< D */
    bool shared;     /**< both networks start from the same features */
} nnd_gaussian_features;

/** CKA after training from them, isotropic: alignment.md#eq8; q is Q_aa, rho the cosine. */
double nnd_cka_gaussian(const nnd_gaussian_features *features, double q, double rho);

/**
 * C outputs after a small balanced start: alignment.md#eq9 with C x C matrices `cross` (Q_ab in the
 * metric Sigma), `self` (Q_aa, Sigma), `self_identity` (Q_aa, identity; positive definite).
 */
NND_MUST_USE nnd_status nnd_cka_outputs(nnd_context *ctx, size_t c, const double *cross,
                                        const double *self, const double *self_identity,
                                        double *cka);

NND_API_END

#endif
