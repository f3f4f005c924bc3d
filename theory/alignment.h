/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of the model `alignment`; see theory.h for what the functions do. */
#ifndef NNDMFT_THEORY_ALIGNMENT_H
#define NNDMFT_THEORY_ALIGNMENT_H

#include "nndmft/theory.h"

NND_MUST_USE nnd_status nnd_alignment_theory(nnd_context *ctx, const void *params,
                                             nnd_frame **frame);
NND_MUST_USE nnd_status nnd_alignment_theory_cost(nnd_context *ctx, const void *params,
                                                  nnd_cost *cost);

#endif
