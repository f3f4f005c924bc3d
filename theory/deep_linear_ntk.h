/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Leading modes of the training NTK (deep-linear.md#s4). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_NTK_H
#define NNDMFT_THEORY_DEEP_LINEAR_NTK_H

#include "theory/deep_linear_factors.h"

/** The NTK (online and fresh: the population operator) at one query. */
typedef struct {
    double edge;
    double *value; /**< `count` outliers, largest first, NaN where absent; room of the caller */
    size_t count;
    double residual_overlap; /**< squared cosine of the top outlier's vector with the residual */
} nnd_ntk_modes;

NND_MUST_USE nnd_status nnd_dynamics_ntk(nnd_context *ctx, const nnd_dynamics *d,
                                         const nnd_field_factors *factors, size_t q, double kappa,
                                         const double *omega, nnd_ntk_modes *out);

#endif
