/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Leading modes of the training NTK (deep-linear.md#s4). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_NTK_H
#define NNDMFT_THEORY_DEEP_LINEAR_NTK_H

#include "full/deep_linear_factors.h"
#include "theory/deep_linear_modes.h"

NND_MUST_USE nnd_status nnd_dynamics_ntk(nnd_context *ctx, const nnd_dynamics *d,
                                         const nnd_field_factors *factors, size_t q, double kappa,
                                         const double *omega, nnd_ntk_modes *out);

#endif
