/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The models, in alphabetical order of their names. Each stands for nnd_NAME_model (models/NAME.c),
 * nnd_NAME_theory and nnd_NAME_theory_cost (theory/NAME.c) and nnd_NAME_simulator
 * (validate/NAME.c): the registries are made from this list.
 */
#ifndef NNDMFT_MODELS_LIST_H
#define NNDMFT_MODELS_LIST_H

#include "nndmft/model.h"

#define NND_MODELS(X)                                                                              \
    X(alignment)                                                                                   \
    X(deep_fluctuations)                                                                           \
    X(deep_linear)                                                                                 \
    X(deep_linear_fluctuations)                                                                    \
    X(directional)                                                                                 \
    X(flat_minima)                                                                                 \
    X(lazy_fluctuations)                                                                           \
    X(many_outputs)                                                                                \
    X(online_fluctuations)                                                                         \
    X(scaling_laws)                                                                                \
    X(spectrum)                                                                                    \
    X(two_layer_fluctuations)                                                                      \
    X(wide_mlp)

NND_API_BEGIN

#define NND_DECLARE_MODEL(name) extern const nnd_model nnd_##name##_model;
NND_MODELS(NND_DECLARE_MODEL)
#undef NND_DECLARE_MODEL

NND_API_END

#endif
