/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#define SIMULATOR(name) &nnd_##name##_simulator,
static const nnd_simulator *const SIMULATORS[] = {NND_MODELS(SIMULATOR)};

const nnd_simulator *nnd_simulator_find(const nnd_model *model) {
    for (size_t i = 0; i < sizeof SIMULATORS / sizeof *SIMULATORS; i++)
        if (SIMULATORS[i]->model == model)
            return SIMULATORS[i];
    return NULL;
}
