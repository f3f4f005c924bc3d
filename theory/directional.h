/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of the model `directional` (directional.md). */
#ifndef NNDMFT_THEORY_DIRECTIONAL_H
#define NNDMFT_THEORY_DIRECTIONAL_H

#include "nndmft/theory.h"

/** nnd_theory entries. */
NND_MUST_USE nnd_status nnd_directional_theory(nnd_context *ctx, const void *params,
                                               nnd_frame **frame);
NND_MUST_USE nnd_status nnd_directional_theory_cost(nnd_context *ctx, const void *params,
                                                    nnd_cost *cost);

#endif
