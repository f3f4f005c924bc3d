/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/alignment.h"
#include "nndmft/deep_linear.h"
#include "nndmft/directional.h"
#include "nndmft/flat_minima.h"
#include "nndmft/lazy_fluctuations.h"
#include "nndmft/online_fluctuations.h"
#include "nndmft/theory.h"
#include "nndmft/two_layer_fluctuations.h"
#include "nndmft/wide_mlp.h"
#include "theory/alignment.h"
#include "theory/deep_linear.h"
#include "theory/directional.h"
#include "theory/flat_minima.h"
#include "theory/lazy_fluctuations.h"
#include "theory/online_fluctuations.h"
#include "theory/two_layer_fluctuations.h"
#include "theory/wide_mlp.h"

static const nnd_theory THEORIES[] = {
    {&nnd_alignment_model, nnd_alignment_theory, nnd_alignment_theory_cost},
    {&nnd_deep_linear_model, nnd_deep_linear_theory, nnd_deep_linear_theory_cost},
    {&nnd_directional_model, nnd_directional_theory, nnd_directional_theory_cost},
    {&nnd_flat_minima_model, nnd_flat_minima_theory, nnd_flat_minima_theory_cost},
    {&nnd_wide_mlp_model, nnd_wide_mlp_theory, nnd_wide_mlp_theory_cost},
    {&nnd_lazy_fluctuations_model, nnd_lazy_fluctuations_theory, nnd_lazy_fluctuations_theory_cost},
    {&nnd_online_fluctuations_model, nnd_online_fluctuations_theory,
     nnd_online_fluctuations_theory_cost},
    {&nnd_two_layer_fluctuations_model, nnd_two_layer_fluctuations_theory,
     nnd_two_layer_fluctuations_theory_cost},
};

const nnd_theory *nnd_theory_find(const nnd_model *model) {
    for (size_t i = 0; i < sizeof THEORIES / sizeof *THEORIES; i++)
        if (THEORIES[i].model == model)
            return &THEORIES[i];
    return NULL;
}
