/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Early losses: double sums over the nodes of a circle, all steps by one Fourier transform. */
#ifndef NNDMFT_SOLVERS_FEATURE_CIRCLE_H
#define NNDMFT_SOLVERS_FEATURE_CIRCLE_H

#include "solvers/feature_contour.h"
#include "solvers/feature_nodes.h"

/**
 * Writes `value` of all losses at the given ascending steps, the last below the number of nodes,
 * from the nodes of a circle. Takes (nodes)^2 times some 3 ns.
 */
NND_MUST_USE nnd_status nnd_feature_circle_losses(nnd_context *ctx, const nnd_features *features,
                                                  const nnd_feature_contour *circle,
                                                  const nnd_feature_node *node, size_t times,
                                                  const double *time, nnd_feature_losses *losses);

#endif
