/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The frame that a block of networks records into: first dimension `seed`. */
#ifndef NNDMFT_VALIDATE_SEED_FRAME_H
#define NNDMFT_VALIDATE_SEED_FRAME_H

#include "nndmft/frame.h"
#include "nndmft/timegrid.h"

/** A frame with the dimensions `seed` and `t` and the array diverged_at(seed), all NaN. */
NND_MUST_USE nnd_status nnd_seed_frame_new(nnd_context *ctx, size_t first_seed, size_t count,
                                           const nnd_timegrid *grid, nnd_frame **frame);
/** Values of one network in an array whose first dimension is the seed; NULL if it is not there. */
double *nnd_seed_row(const nnd_frame *frame, const char *name, size_t seed);

#endif
