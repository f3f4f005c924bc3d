/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Two-layer networks that stay diagonal in the singular basis of their target
 * (many-outputs.md#s3): variants `wide` and `aligned`. */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_MODES_H
#define NNDMFT_THEORY_MANY_OUTPUTS_MODES_H

#include "nndmft/many_outputs.h"

/**
 * Adds all variables of these variants to a frame that has the dimensions `t` (of several `times`),
 * `point`, `spike` and `mode`. NND_DIVERGED where descent leaves the finite numbers: what was
 * reached before is there. NND_E_INPUT, with a message, for an isotropic part beside listed
 * singular values.
 */
NND_MUST_USE nnd_status nnd_many_outputs_modes_add(nnd_context *ctx, const nnd_many_outputs *params,
                                                   const nnd_reals *times, nnd_frame *frame);
/** Operations of all that. */
double nnd_many_outputs_modes_flops(const nnd_many_outputs *params, double times, double grid);

#endif
