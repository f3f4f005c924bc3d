/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From seeds to estimates: the variable table applied to the blocks of an ensemble. */
#ifndef NNDMFT_VALIDATE_REDUCE_H
#define NNDMFT_VALIDATE_REDUCE_H

#include "nndmft/frame.h"
#include "nndmft/model.h"
#include "validate/group_shares.h"

/** Joins the blocks of one point and size along `seed` and keeps the first `seeds` of them. */
NND_MUST_USE nnd_status nnd_join_blocks(nnd_context *ctx, size_t count, nnd_frame *const *blocks,
                                        size_t seeds, nnd_frame **joined);
/** Scalars of a frame of influences. */
#define NND_SEEDS    "seeds"
#define NND_CONTROLS "controls"

/**
 * Estimates x and x_se of every variable of the model whose seeds are there (all estimators but
 * those over sizes), and diverged_fraction. `size` enters the nvar and ncov estimators. Where the
 * seeds come with control variates, estimates are regressed on them, but for those a slope is
 * fitted to.
 *
 * `influence` receives for each variable x an array x(group, ...): shares of the seeds
 * (validate/group_shares.h), seed k summed in group k mod 32; x_control, the fraction of the
 * variance that control variates leave (median over points); and the scalars `seeds`, how many
 * entered, and `controls`, how many control variates they were regressed on.
 */
NND_MUST_USE nnd_status nnd_reduce_seeds(nnd_context *ctx, const nnd_model *model,
                                         const nnd_frame *seeds, size_t size, size_t sweep_points,
                                         nnd_frame **estimates, nnd_frame **influence);
/** Adds the variables that are fitted or listed over sizes (slope, at sizes) to frames whose first
 *  dimension is `size`, if there is one. */
NND_MUST_USE nnd_status nnd_reduce_sizes(const nnd_model *model, nnd_frame *estimates,
                                         nnd_frame *influence);

#endif
