/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Gradient flow of a deep linear network, by Dormand and Prince's pair with adaptive steps. The
 * steps follow from this network alone, not from the grid of the case: theory integrates on that
 * grid, and an error of its steps must show.
 */
#ifndef NNDMFT_VALIDATE_DEEP_LINEAR_FLOW_H
#define NNDMFT_VALIDATE_DEEP_LINEAR_FLOW_H

#include "validate/deep_linear_network.h"
#include "validate/dormand_prince.h"

typedef struct {
    nnd_dp_walk walk; /**< h = 0: to be chosen */
    double error;     /**< sum of the errors of all steps, of the weights relative to their size */
} nnd_deep_linear_flow;

/**
 * Takes an evaluated network from flow->walk.t to a later time, where it is left evaluated. The
 * error of a step, as Frobenius norm of A_l, is at most 1e-6 sigma_l min(1, gamma/prod_k sigma_k).
 * NND_NOT_CONVERGED where steps become too short, as for weights that are not finite.
 */
NND_MUST_USE nnd_status nnd_deep_linear_flow_to(nnd_context *ctx, nnd_deep_linear_network *net,
                                                nnd_deep_linear_flow *flow, double time);

#endif
