/* SPDX-License-Identifier: GPL-3.0-or-later */
/** All that the laws of weights at recorded times have to say. */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_LAWS_H
#define NNDMFT_THEORY_MANY_OUTPUTS_LAWS_H

#include "nndmft/many_outputs.h"

/**
 * Adds all variables of the variants `fixed-readout` and `steps` to a frame that has the dimensions
 * `t` (of several `times`), `point`, `spike` and `mode`. NND_E_INPUT or NND_E_UNSOLVED with one
 * line where there is no theory, or none that converges.
 */
NND_MUST_USE nnd_status nnd_many_outputs_laws_add(nnd_context *ctx, const nnd_many_outputs *params,
                                                  const nnd_reals *times, nnd_frame *frame);
/** Memory, results apart, and operations of all that. */
void nnd_many_outputs_laws_cost(const nnd_many_outputs *params, double times, double grid,
                                double *bytes, double *flops);

#endif
