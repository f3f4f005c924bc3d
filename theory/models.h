/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The theory of every model: nnd_NAME_theory and nnd_NAME_theory_cost, entries of nnd_theory. */
#ifndef NNDMFT_THEORY_MODELS_H
#define NNDMFT_THEORY_MODELS_H

#include "models/list.h"
#include "nndmft/theory.h"

#define NND_DECLARE_THEORY(name)                                                                   \
    NND_MUST_USE nnd_status nnd_##name##_theory(nnd_context *ctx, const void *params,              \
                                                nnd_frame **frame);                                \
    NND_MUST_USE nnd_status nnd_##name##_theory_cost(nnd_context *ctx, const void *params,         \
                                                     nnd_cost *cost);
NND_MODELS(NND_DECLARE_THEORY)
#undef NND_DECLARE_THEORY

#endif
