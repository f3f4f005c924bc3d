/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/moments.h"

#include <string.h>

nnd_moments nnd_moments_of(const nnd_model *model, const char *mean) {
    nnd_moments m = {mean, NULL, NULL};
    for (size_t i = 0; model != NULL && i < model->variable_count; i++) {
        const nnd_variable *v = &model->variables[i];
        if (v->estimator.a == NULL || strcmp(v->estimator.a, mean) != 0)
            continue;
        if (v->estimator.kind == NND_NVAR && m.nvar == NULL)
            m.nvar = v->name;
        if (v->estimator.kind == NND_SLOPE)
            m.bias = v->name;
    }
    return m;
}
