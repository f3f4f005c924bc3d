/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Outlying singular values of the weight matrices (deep-linear.md#s3). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_OUTLIERS_H
#define NNDMFT_THEORY_DEEP_LINEAR_OUTLIERS_H

#include "full/deep_linear_factors.h"
#include "theory/deep_linear_weights.h"

/**
 * Outliers of A_l at query q, where kappa and omega are those of the scheme at q. The overlaps are
 * defined for l = 0 (target) and l = L - 1 (readout).
 */
NND_MUST_USE nnd_status nnd_dynamics_outliers(nnd_context *ctx, const nnd_dynamics *d,
                                              const nnd_field_factors *f, size_t l, size_t q,
                                              double kappa, const double *omega,
                                              nnd_weight_outliers *out);
/**
 * Indicators of the transitions of A_l at query q: the `count` largest real eigenvalues of
 * Sigma_J K_c at the edge, descending. There are as many outliers as are above 1; 0 without spikes.
 */
NND_MUST_USE nnd_status nnd_dynamics_indicators(nnd_context *ctx, const nnd_dynamics *d,
                                                const nnd_field_factors *f, size_t l, size_t q,
                                                double kappa, const double *omega, size_t count,
                                                double *indicator);

#endif
