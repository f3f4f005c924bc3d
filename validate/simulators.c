/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/simulate.h"
#include "validate/alignment.h"
#include "validate/deep_linear.h"
#include "validate/directional.h"
#include "validate/flat_minima.h"
#include "validate/lazy_fluctuations.h"
#include "validate/online_fluctuations.h"
#include "validate/two_layer_fluctuations.h"
#include "validate/wide_mlp.h"

static const nnd_simulator *const SIMULATORS[] = {
    &nnd_alignment_simulator,           &nnd_deep_linear_simulator,
    &nnd_flat_minima_simulator,         &nnd_lazy_fluctuations_simulator,
    &nnd_online_fluctuations_simulator, &nnd_two_layer_fluctuations_simulator,
    &nnd_directional_simulator,         &nnd_wide_mlp_simulator,
};

const nnd_simulator *nnd_simulator_find(const nnd_model *model) {
    for (size_t i = 0; i < sizeof SIMULATORS / sizeof *SIMULATORS; i++)
        if (SIMULATORS[i]->model == model)
            return SIMULATORS[i];
    return NULL;
}
