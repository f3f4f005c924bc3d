/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Functions of one frequency s of the random-feature model, at the nodes of a contour. */
#ifndef NNDMFT_SOLVERS_FEATURE_NODES_H
#define NNDMFT_SOLVERS_FEATURE_NODES_H

#include <complex.h>

#include "nndmft/solvers/random_features.h"

/** What depends on one frequency: scaling-laws.md#eq2. */
typedef struct {
    double complex s, kappa;
    double complex df;     /**< sum_k n lambda h, h = 1/(lambda + kappa) */
    double complex power;  /**< sum_k n c h, c = lambda w^2 */
    double complex r1, r3; /**< responses of samples and of projections, s = kappa r1 r3 */
} nnd_feature_node;

/** Sums over modes at a given kappa, which belongs to s. */
nnd_feature_node nnd_feature_node_at(const nnd_features *features, double complex s,
                                     double complex kappa);

/**
 * Nodes at `count` values of s in the upper half plane, each near the one before it. Follows kappa
 * from far out along the ray of the first.
 */
NND_MUST_USE nnd_status nnd_feature_nodes(nnd_context *ctx, const nnd_features *features,
                                          size_t count, const double complex *s,
                                          nnd_feature_node *node);

/** kappa at real s < -x_max: below -lambda_1. */
NND_MUST_USE nnd_status nnd_feature_kappa_beyond(nnd_context *ctx, const nnd_features *features,
                                                 double s, double *kappa);

/** sum_k n lambda and sum_k n c. */
double nnd_feature_trace(const nnd_features *features);
double nnd_feature_signal(const nnd_features *features);

/** exp(x) - 1 without cancellation. */
double complex nnd_expm1(double complex x);

#endif
