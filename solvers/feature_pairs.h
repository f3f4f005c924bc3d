/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Functions of two frequencies of the random-feature model, and losses from them. */
#ifndef NNDMFT_SOLVERS_FEATURE_PAIRS_H
#define NNDMFT_SOLVERS_FEATURE_PAIRS_H

#include "solvers/feature_nodes.h"

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
    double complex both, projection, data, neither;
} nnd_feature_pair;

nnd_feature_pair nnd_feature_pair_at(const nnd_features *features, const nnd_feature_node *x,
                                     const nnd_feature_node *y, const nnd_feature_sums *sums);

/**
 * (1/2 pi i)^2 times double integrals over the contour of `count` nodes (and their mirror images)
 * with factors u (times x count): writes `value` of all losses. `apart`: kappa differs from node to
 * node by more than rounding, and sums over modes follow from those of one frequency.
 */
NND_MUST_USE nnd_status nnd_feature_pair_losses(nnd_context *ctx, const nnd_features *features,
                                                size_t count, const nnd_feature_node *node,
                                                bool apart, size_t times, const double complex *u,
                                                nnd_feature_losses *losses);

#endif
