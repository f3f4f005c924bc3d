/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Level 2 of deep linear networks in a frame (deep-linear.md#s3, deep-linear.md#s4). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_SPECTRUM_H
#define NNDMFT_THEORY_DEEP_LINEAR_SPECTRUM_H

#include "nndmft/frame.h"
#include "theory/deep_linear_small.h"

typedef struct nnd_spectra nnd_spectra;

/**
 * Adds to a frame with dimension `t` the arrays that the parameters ask for (spectrum, ntk,
 * density), NaN. `frame` and `p` are borrowed. Owned by the caller.
 */
NND_MUST_USE nnd_status nnd_spectra_new(nnd_context *ctx, const nnd_deep_linear *p,
                                        nnd_frame *frame, nnd_spectra **spectra);
/** Frees it; NULL is allowed. */
void nnd_spectra_free(nnd_spectra *s);
/**
 * Looks at the network before a step: for outliers that escape at most steps, at the stability now
 * and then, and, at a recorded time (its index; SIZE_MAX: none), at all. `time` is that step's in
 * the units of `t`; the steps of an adaptive flow are none, but for recorded ones. Work is spread
 * over threads; numbers do not depend on it.
 */
NND_MUST_USE nnd_status nnd_spectra_look(nnd_spectra *s, const nnd_small *n, size_t step,
                                         double time, size_t recorded);
/**
 * Completes the arrays of a run. `beyond` is the first step at which `stability` is above its edge
 * among those that were looked at besides the recorded ones: up to 64, spread over the run, for
 * descent with `ntk`. INFINITY: there is none.
 */
NND_MUST_USE nnd_status nnd_spectra_finish(nnd_spectra *s, double *beyond);
/** Multiply-adds of level 2, roughly, of networks with so many coordinates in each space that
 * record so many times in so many steps. */
double nnd_spectra_work(const nnd_deep_linear *p, double coordinates, double times, double steps);

#endif
