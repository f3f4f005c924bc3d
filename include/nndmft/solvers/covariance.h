/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Eigenvalues of W^T W for W = Sigma^{1/2} Z/sqrt(N), Z an N x D matrix of independent entries of
 * variance 1, whatever the population of Sigma: many-outputs.md#s2-2, many-outputs.md#s2-3.
 *
 * Everything is written in kappa = 1/(d m), d = D/N, in which the equation is that of ridge
 * regression (equivalent.h) with d in the place of samples:
 *     z = -d kappa + kappa sum_j h_j s_j/(s_j + kappa).
 */
#ifndef NNDMFT_SOLVERS_COVARIANCE_H
#define NNDMFT_SOLVERS_COVARIANCE_H

#include "nndmft/solvers/edge.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/**
 * The population: count atoms s_j >= 0 of weight h_j (fractions of N). Atoms that stand for a
 * continuous piece of it (nodes of a quadrature) are told apart from true ones by `piece`: atoms
 * end[i - 1] to end[i] - 1 (from 0) span piece i, inside of which no gap is looked for. Arrays are
 * borrowed.
 */
typedef struct {
    size_t count;
    const double *s, *h;
    size_t pieces;
    const size_t *end;
    double ratio; /**< d = D/N > 0 */
} nnd_covariance;

/** m(z) = tr(W^T W - z)^{-1}/D for Im z > 0, or z < 0. Relative error about 1e-12. */
NND_MUST_USE nnd_status nnd_covariance_stieltjes(nnd_context *ctx, const nnd_covariance *law,
                                                 nnd_complex z, nnd_complex *m);

/**
 * All edges, with their exact masses; what atoms of the population that are 0 leave at 0 has none.
 * Errors are those of rounding.
 */
NND_MUST_USE nnd_status nnd_covariance_edges(nnd_context *ctx, const nnd_covariance *law,
                                             nnd_edges *edges);

/**
 * Density at ascending z > 0 and the fraction of eigenvalues up to there, given the edges; an atom
 * at 0 is part of the latter only. Errors about 1e-12, or the root of rounding very close to an
 * edge.
 */
NND_MUST_USE nnd_status nnd_covariance_density(nnd_context *ctx, const nnd_covariance *law,
                                               const nnd_edges *edges, size_t count,
                                               const double *z, double *density, double *cdf);

/**
 * The eigenvalue that a rank-one piece x v^T of W, |v| = 1, sends above all bulks, and the overlap
 * of its eigenvector with v: many-outputs.md#s2-5. strength_j >= 0 is what x has of |x|^2 in the
 * eigenvectors of Sigma that atom j stands for. NaN if it is absorbed.
 */
NND_MUST_USE nnd_status nnd_covariance_spike(nnd_context *ctx, const nnd_covariance *law,
                                             const double *strength, nnd_detached *spike);

NND_API_END

#endif
