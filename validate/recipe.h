/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a deep-learning framework needs to train the networks of a simulator (see simulate.h). */
#ifndef NNDMFT_VALIDATE_RECIPE_H
#define NNDMFT_VALIDATE_RECIPE_H

#include "nndmft/frame.h"
#include "validate/network.h"

/**
 * A recipe for `count` matrices numbered from `first`, with init_std and raw_lr left to be filled
 * in through `std` and `lr`. Owned by the caller.
 */
NND_MUST_USE nnd_status nnd_recipe_new(nnd_context *ctx, size_t first, size_t count,
                                       double output_divisor, const char *optimizer,
                                       nnd_frame **recipe, double **std, double **lr);
/**
 * The recipe of a planned network, whose readout the plan divides by output_divisor: all matrices
 * A_l = std W_l are trained, by SGD.
 */
NND_MUST_USE nnd_status nnd_recipe_of_network(nnd_context *ctx, const nnd_network_plan *plan,
                                              double output_divisor, const char *optimizer,
                                              nnd_frame **recipe);

#endif
