/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Functions of two frequencies of the random-feature model, and losses from them. */
#ifndef NNDMFT_SOLVERS_FEATURE_PAIRS_H
#define NNDMFT_SOLVERS_FEATURE_PAIRS_H

#include "solvers/feature_nodes.h"
#include "solvers/plain_complex.h"

/** Sums over modes at two frequencies, from which all that depends on two follows. */
typedef struct {
    double complex a;  /**< sum_k n c h h' */
    double complex l;  /**< sum_k n lambda h h' */
    double complex kk; /**< kappa kappa' */
} nnd_feature_sums;

/**
 * kappa kappa' X of scaling-laws.md#eq5, and the same without what samples or projections have in
 * common: divided by ss' it is the covariance of errors, with sigma^2/(ss') where samples are
 * shared.
 */
typedef struct {
    nnd_plain both, projection, data, neither;
} nnd_feature_pair;

/**
 * With kk = kappa kappa', squares D = sum n lambda^2 h h', signal d = sum n lambda c h h':
 *     X (1 - D/P) = a + sigma^2/kk + l Y/N,  Y (1 - D/N) = d + kk l X/P.
 */
static inline nnd_feature_pair nnd_feature_pair_of(const nnd_features *f, nnd_plain kk, nnd_plain a,
                                                   nnd_plain l, nnd_plain squares,
                                                   nnd_plain signal) {
    const nnd_plain one = {1.0, 0.0}, noise = {f->label_noise, 0.0};
    nnd_plain samples = nnd_minus(one, nnd_scaled(1.0 / f->samples, squares));
    nnd_plain width = nnd_minus(one, nnd_scaled(1.0 / f->width, squares));
    nnd_plain alone = nnd_times(kk, a), kkl = nnd_times(kk, l), direct = nnd_plus(alone, noise);
    nnd_plain through = nnd_scaled(1.0 / f->width, nnd_times(kkl, signal));
    nnd_plain coupling = nnd_scaled(1.0 / f->samples / f->width, nnd_times(kkl, l));
    nnd_plain numerator = nnd_plus(nnd_times(direct, width), through);
    nnd_plain denominator = nnd_minus(nnd_times(samples, width), coupling);
    return (nnd_feature_pair){
        .both = nnd_times(numerator, nnd_inverse(denominator)),
        .projection = nnd_plus(alone, nnd_times(through, nnd_inverse(width))),
        .data = nnd_times(direct, nnd_inverse(samples)),
        .neither = alone,
    };
}

/** From sums over modes at two frequencies. */
nnd_feature_pair nnd_feature_pair_at(const nnd_features *features, const nnd_feature_node *x,
                                     const nnd_feature_node *y, const nnd_feature_sums *sums);

/**
 * (1/2 pi i)^2 times double integrals over the contour of `count` nodes (and their mirror images)
 * with factors u (times x count): writes `value` of all losses.
 */
NND_MUST_USE nnd_status nnd_feature_pair_losses(nnd_context *ctx, const nnd_features *features,
                                                size_t count, const nnd_feature_node *node,
                                                size_t times, const double complex *u,
                                                nnd_feature_losses *losses);

#endif
