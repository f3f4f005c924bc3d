/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A resolved case as a tree that can be written to a file and read again. */
#include <string.h>

#include "models/case_impl.h"

enum { TEXT_SIZE = 256 };

/* The value of a parameter if all sweep points have it in common, else as the case gave it. */
static nnd_value *common_value(const nnd_case *c, const nnd_value *params, const nnd_param *param) {
    const nnd_value *given = nnd_value_get(params, param->name);
    nnd_value *first = nnd_param_value(param, c->params[0]);
    for (size_t i = 1; first != NULL && i < c->sweep.points; i++) {
        nnd_value *other = nnd_param_value(param, c->params[i]);
        bool equal = nnd_value_equal(first, other);
        nnd_value_free(other);
        if (equal)
            continue;
        nnd_value_free(first);
        return given != NULL ? nnd_value_copy(given) : nnd_value_scalar(param->fallback, false, "");
    }
    return first;
}

static bool is_swept(const nnd_sweep *sweep, const char *name) {
    for (size_t k = 0; k < sweep->keys; k++)
        if (strcmp(sweep->dim[k]->name, name) == 0)
            return true;
    return false;
}

static nnd_value *resolved_params(const nnd_context *ctx, const nnd_case *c,
                                  const nnd_value *params) {
    const nnd_param_table *table = c->model->params;
    nnd_value *map = nnd_value_map("");
    for (size_t i = 0; map != NULL && i < table->count; i++) {
        const nnd_param *param = &table->param[i];
        if (is_swept(&c->sweep, param->name))
            continue;
        if (nnd_context_interrupted(ctx) ||
            !nnd_value_put(map, param->name, common_value(c, params, param))) {
            nnd_value_free(map);
            return NULL;
        }
    }
    return map;
}

/* The sweep with its numbers in their shortest form, so that equal sweeps are equal texts. */
static nnd_value *resolved_sweep(const nnd_sweep *sweep) {
    nnd_value *map = nnd_value_map("");
    for (size_t k = 0; map != NULL && k < sweep->keys; k++) {
        nnd_value *list = nnd_value_list("");
        char text[TEXT_SIZE];
        bool done = list != NULL;
        for (size_t i = 0; done && i < sweep->dim[k]->length; i++) {
            nnd_coord_text(sweep->dim[k], i, sizeof text, text);
            done = nnd_value_append(list, nnd_value_scalar(text, false, ""));
        }
        if (!done)
            nnd_value_free(list);
        if (!done || !nnd_value_put(map, sweep->dim[k]->name, list)) {
            nnd_value_free(map);
            return NULL;
        }
    }
    return map;
}

/* Adds the values of a table to a mapping; NULL (and the mapping freed) when out of memory. */
static nnd_value *add_values(nnd_value *map, const nnd_param_table *table, const void *values) {
    for (size_t i = 0; map != NULL && i < table->count; i++)
        if (!nnd_value_put(map, table->param[i].name, nnd_param_value(&table->param[i], values))) {
            nnd_value_free(map);
            return NULL;
        }
    return map;
}

nnd_value *nnd_table_values(const nnd_param_table *table, const void *values) {
    return add_values(nnd_value_map(""), table, values);
}

nnd_value *nnd_simulate_values(const nnd_model *model, const nnd_simulate *simulate,
                               const void *params) {
    nnd_value *map = nnd_table_values(&nnd_simulate_table, simulate);
    return model->simulate != NULL ? add_values(map, model->simulate, params) : map;
}

nnd_status nnd_case_write(nnd_context *ctx, nnd_case *c, const nnd_value *params) {
    nnd_value *map = c->resolved = nnd_value_map("");
    bool done =
        map != NULL && nnd_value_put(map, "model", nnd_value_scalar(c->model->name, false, ""));
    done = done && nnd_value_put(map, "name", nnd_value_scalar(c->name, true, ""));
    done = done && nnd_value_put(map, "params", resolved_params(ctx, c, params));
    if (c->sweep.keys > 0)
        done = done && nnd_value_put(map, "sweep", resolved_sweep(&c->sweep));
    if (c->simulates)
        done = done && nnd_value_put(map, "simulate",
                                     nnd_simulate_values(c->model, &c->simulate, c->params[0]));
    done = done && nnd_value_put(map, "compare", nnd_table_values(&nnd_compare_table, &c->compare));
    done = done && nnd_value_put(map, "output", nnd_value_scalar(c->output, true, ""));
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted while resolving the case");
    return done ? NND_OK : nnd_fail_memory(ctx, "the case");
}
