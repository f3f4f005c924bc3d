/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Level 2 of deep linear networks as arrays of a frame: outliers, escape times, NTK, densities. */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_SPECTRUM_H
#define NNDMFT_THEORY_DEEP_LINEAR_SPECTRUM_H

#include "core/timegrid.h"
#include "nndmft/frame.h"
#include "theory/deep_linear_dynamics.h"

/**
 * Adds what the parameters ask for (spectrum, ntk, density) to a frame with dimension `t`, at the
 * first `sound` recorded times. Work is spread over threads time by time; numbers do not depend on
 * it. `beyond` is the first step at which `stability` is above its edge among those that are looked
 * at besides, for descent with `ntk`: up to 64, spread over the run, and from some 200 steps on
 * fewer, that cost some 20 % of the march (at least 8). INFINITY: there is none.
 */
NND_MUST_USE nnd_status nnd_deep_linear_add_spectrum(nnd_context *ctx, const nnd_dynamics *d,
                                                     const nnd_timegrid *grid, size_t sound,
                                                     nnd_frame *frame, double *beyond);
/** Multiply-adds of level 2, roughly; march_work: those of the march. */
double nnd_deep_linear_spectrum_work(const nnd_deep_linear *p, double march_work, double queries,
                                     double times);

#endif
