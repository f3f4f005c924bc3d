/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/model.h"

#include <string.h>

#include "models/list.h"

#define MODEL(name) &nnd_##name##_model,
static const nnd_model *const MODELS[] = {NND_MODELS(MODEL)};

const nnd_model *nnd_model_at(size_t i) {
    return i < sizeof MODELS / sizeof *MODELS ? MODELS[i] : NULL;
}

const nnd_model *nnd_model_find(const char *name) {
    for (size_t i = 0; nnd_model_at(i) != NULL; i++)
        if (strcmp(MODELS[i]->name, name) == 0)
            return MODELS[i];
    return NULL;
}

const nnd_variable *nnd_model_variable(const nnd_model *model, const char *name) {
    for (size_t i = 0; i < model->variable_count; i++)
        if (strcmp(model->variables[i].name, name) == 0)
            return &model->variables[i];
    return NULL;
}
