/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From seeds to estimates: the variable table applied to the blocks of an ensemble. */
#ifndef NNDMFT_VALIDATE_REDUCE_H
#define NNDMFT_VALIDATE_REDUCE_H

#include "nndmft/frame.h"
#include "nndmft/model.h"

/** Joins the blocks of one point and size along `seed` and keeps the first `seeds` of them. */
NND_MUST_USE nnd_status nnd_join_blocks(nnd_context *ctx, size_t count, nnd_frame *const *blocks,
                                        size_t seeds, nnd_frame **joined);
/**
 * Estimates x and x_se of every variable of the model whose seeds are there (all estimators but
 * slope), and diverged_fraction. `size` enters the nvar and ncov estimators.
 */
NND_MUST_USE nnd_status nnd_reduce_seeds(nnd_context *ctx, const nnd_model *model,
                                         const nnd_frame *seeds, size_t size,
                                         nnd_frame **estimates);
/** Adds the variables with a slope estimator to a frame whose first dimension is `size`. */
NND_MUST_USE nnd_status nnd_reduce_sizes(const nnd_model *model, nnd_frame *estimates);

#endif
