/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The frame that a block of networks records into: first dimension `seed`. */
#ifndef NNDMFT_VALIDATE_SEED_FRAME_H
#define NNDMFT_VALIDATE_SEED_FRAME_H

#include "core/timegrid.h"
#include "nndmft/frame.h"

/** A frame with the dimensions `seed` and `t` and the array diverged_at(seed), all NaN. */
NND_MUST_USE nnd_status nnd_seed_frame_new(nnd_context *ctx, size_t first_seed, size_t count,
                                           const nnd_timegrid *grid, nnd_frame **frame);
/**
 * Adds the array control(seed, control), NaN, for `count` control variates: observables at t = 0
 * less their exactly known means at the simulated size. Nothing for a count of 0.
 */
NND_MUST_USE nnd_status nnd_seed_frame_add_controls(nnd_frame *frame, size_t count);
/** Values of one network in an array whose first dimension is the seed; NULL if it is not there. */
double *nnd_seed_row(const nnd_frame *frame, const char *name, size_t seed);

#endif
