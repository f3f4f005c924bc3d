/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of the model `lazy-fluctuations`; see theory.h for what the functions do. */
#ifndef NNDMFT_THEORY_LAZY_FLUCTUATIONS_H
#define NNDMFT_THEORY_LAZY_FLUCTUATIONS_H

#include "nndmft/theory.h"

NND_MUST_USE nnd_status nnd_lazy_fluctuations_theory(nnd_context *ctx, const void *params,
                                                     nnd_frame **frame);
NND_MUST_USE nnd_status nnd_lazy_fluctuations_theory_cost(nnd_context *ctx, const void *params,
                                                          nnd_cost *cost);

#endif
