/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Deterministic equivalents of ridge regression with Gaussian inputs, for one estimator and for two
 * that see the same task with noise of their own (alignment.md#s2):
 *
 *     y^a = beta* . x + eps^a,  inputs x + xi^a,  x ~ N(0, Sigma),  xi ~ N(0, tau^2),
 *     beta^a = argmin |y - X beta|^2/P + lambda |beta|^2.
 *
 * Everything is written in the eigenbasis of Sigma. All sums over eigenvalues are scaled by
 * samples: multiplicities and samples may be divided by the dimension, so that an isotropic
 * covariance is one eigenvalue with multiplicity 1 and samples alpha.
 */
#ifndef NNDMFT_SOLVERS_EQUIVALENT_H
#define NNDMFT_SOLVERS_EQUIVALENT_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/solvers/brent.h"

NND_API_BEGIN

/** `double complex` of C; the same bits as std::complex<double>. */
__extension__ typedef double _Complex nnd_complex;

/** Covariance and teacher in the eigenbasis of the covariance; the arrays are borrowed. */
typedef struct {
    size_t count;
    const double *eigenvalue;   /**< s_i >= 0 */
    const double *multiplicity; /**< >= 0: how many eigenvalues each stands for */
    const double *teacher2;     /**< beta*_i^2, summed over those */
} nnd_eigenmodes;

/** Two regressions of the same task. */
typedef struct {
    double samples;           /**< P > 0, in units of the multiplicities; not necessarily whole */
    double input_noise;       /**< tau^2 >= 0 */
    double label_noise;       /**< sigma^2 >= 0 */
    double noise_correlation; /**< of the label noises, in [0, 1]; 1 only with equal inputs */
    bool independent;         /**< each has inputs of its own */
} nnd_pair_task;

/** Metrics M = Sigma^k of overlaps, k = 0, 1, 2: arrays are indexed by k. */
enum { NND_METRICS = 3 };

/**
 * Expected overlaps of the two estimators. At the interpolation threshold without ridge the noise
 * diverges: `self` and the errors are INFINITY, the cosine is its limit.
 */
typedef struct {
    double kappa;
    double self[NND_METRICS];    /**< Q_aa: beta^a M beta^a */
    double cross[NND_METRICS];   /**< Q_ab: beta^a M beta^b */
    double cosine[NND_METRICS];  /**< Q_ab/Q_aa; NaN if both are 0 */
    double teacher[NND_METRICS]; /**< m: beta* M beta^a */
    double error;                /**< E_aa: squared error on a new sample with noise */
    double gen_error;            /**< E_g: squared error on clean inputs, clean labels */
    double train_error;          /**< |y - X beta|^2/P */
} nnd_pair_overlaps;

/**
 * kappa(lambda) >= 0: the root of
 *     lambda = kappa (1 - (1/P) sum_i s_i/(s_i + kappa)),  s_i the eigenvalues plus `shift`
 * (tau^2). For lambda = 0 it is 0 if P is at least the rank, else the positive root. Relative error
 * about 1e-15, at thresholds too. See alignment.md#eq1.
 */
double nnd_kappa(const nnd_eigenmodes *modes, double samples, double shift, double lambda);

/**
 * What a resolvent of samples, of projected inputs, or of both is equivalent to: with P samples and
 * inputs that pass through N random projections (scaling-laws.md#eq2), either of which
 * may be INFINITY, kappa(lambda) is the root of
 *     lambda = kappa (1 - df/P) (1 - df/N),  df = sum_i s_i/(s_i + kappa),
 * that is kappa = lambda + O(1) far out.
 */
typedef struct {
    const nnd_eigenmodes *modes;
    double samples, width;
    double shift; /**< added to each eigenvalue */
} nnd_resolvent;

/**
 * 1 - df/min(P, N) where lambda/kappa = ratio >= 0, without cancellation near thresholds, where it
 * goes to 0: scaling-laws.md#s4. That of the larger space is 1 - (1 - this) min/max.
 */
double nnd_response(double samples, double width, double ratio);

/**
 * kappa for complex lambda, continued by Newton's method from `from`, where kappa is `guess`. The
 * root has |arg kappa| <= |arg lambda| and the sign of its imaginary part. On the negative axis,
 * inside the spectrum of samples, it is the limit from the side that the sign of Im lambda = 0
 * tells. NaN if it is not found.
 */
nnd_complex nnd_kappa_complex(const nnd_resolvent *resolvent, nnd_complex lambda, nnd_complex from,
                              nnd_complex guess);

/**
 * kappa at `count` values of lambda, each continued from the one before, the first from `from`,
 * where it is `guess`. NND_NOT_CONVERGED with a message if it is not found somewhere.
 */
NND_MUST_USE nnd_status nnd_kappa_along(nnd_context *ctx, const nnd_resolvent *resolvent,
                                        nnd_complex from, nnd_complex guess, size_t count,
                                        const nnd_complex *lambda, nnd_complex *kappa);

/**
 * kappa for real lambda >= 0, whatever samples and width; for lambda = 0 the largest root,
 * df = min(P, N), or 0 if that is at least the rank.
 */
NND_MUST_USE nnd_status nnd_kappa_real(nnd_context *ctx, const nnd_resolvent *resolvent,
                                       double lambda, double *kappa);

/** Overlaps of ridge regressions with the same lambda >= 0: alignment.md#eq2, alignment.md#eq3.
 * O(count). */
void nnd_pair_ridge(const nnd_eigenmodes *modes, const nnd_pair_task *task, double lambda,
                    nnd_pair_overlaps *overlaps);

/**
 * Per-layer weight decay mu of a two-layer linear network is ridge with the lambda that solves
 * lambda |beta(lambda)| = mu. Returns that lambda: 0 for mu = 0, INFINITY (beta = 0) if mu is not
 * below |X^T y/P|. Weight decay in alignment.md#s2.
 */
NND_MUST_USE nnd_status nnd_weight_decay_ridge(nnd_context *ctx, const nnd_eigenmodes *modes,
                                               const nnd_pair_task *task, double mu,
                                               double *lambda);

/**
 * Isotropic covariance, shared inputs, label noise only: where g(alpha, lambda) of the closed form
 * cosine = SNR g/(1 + SNR g), alignment.md#eq4, is least over alpha, and its value there:
 * alignment.md#eq5. lambda >= 0.
 */
void nnd_isotropic_minimum(double lambda, double *alpha, double *gain);

/**
 * Least value of f on [low, high], 0 < low < high: a logarithmic scan of `points` >= 3, then
 * Brent's method (golden section and parabolas) around the lowest. Values that are not finite count
 * as large. `inside` says whether the minimum is not at an end.
 */
NND_MUST_USE nnd_status nnd_minimize(nnd_context *ctx, nnd_function f, void *data, double low,
                                     double high, size_t points, double *x, double *value,
                                     bool *inside);

NND_API_END

#endif
