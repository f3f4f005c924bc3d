/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Two students with projections of their own that see the same fresh batches. */
#ifndef NNDMFT_SOLVERS_FEATURE_SHARED_H
#define NNDMFT_SOLVERS_FEATURE_SHARED_H

#include "nndmft/solvers/random_features.h"

/** How many of the times `data` of fresh batches is known at: the first so many. */
size_t nnd_feature_shared_times(const nnd_feature_training *how, size_t times, const double *time);

/** Sets `data` of the losses, and lets `error` stand: it is good to rounding. */
NND_MUST_USE nnd_status nnd_feature_shared_batches(nnd_context *ctx, const nnd_features *features,
                                                   const nnd_feature_training *how, size_t times,
                                                   const double *time, nnd_feature_losses *losses);

#endif
