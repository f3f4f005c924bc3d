/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#define THEORY(name) {&nnd_##name##_model, nnd_##name##_theory, nnd_##name##_theory_cost},
static const nnd_theory THEORIES[] = {NND_MODELS(THEORY)};

const nnd_theory *nnd_theory_find(const nnd_model *model) {
    for (size_t i = 0; i < sizeof THEORIES / sizeof *THEORIES; i++)
        if (THEORIES[i].model == model)
            return &THEORIES[i];
    return NULL;
}
