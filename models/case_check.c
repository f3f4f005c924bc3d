/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cases and parameters that a program has made or changed, before anything runs. */
#include <stdlib.h>
#include <string.h>

#include "models/case_impl.h"

const char *nnd_case_section(const nnd_model *model, const char *key) {
    bool option = model->simulate != NULL && nnd_param_find(model->simulate, key) != NULL;
    return option || nnd_param_find(&nnd_simulate_table, key) != NULL ? "simulate" : "params";
}

nnd_status nnd_model_defaults(nnd_context *ctx, const nnd_model *model, void *params) {
    nnd_status status = nnd_params_read(ctx, model->params, NULL, "params", params);
    if (status != NND_OK || model->simulate == NULL)
        return status;
    status = nnd_params_read_more(ctx, model->simulate, NULL, "simulate", params);
    if (status != NND_OK)
        nnd_model_clear(model, params);
    return status;
}

void nnd_model_clear(const nnd_model *model, void *params) {
    if (model->simulate != NULL)
        nnd_params_release(model->simulate, params);
    nnd_params_clear(model->params, params);
}

static nnd_status check_each(nnd_context *ctx, const nnd_model *model, const void *params) {
    nnd_status status = nnd_params_check(ctx, model->params, params, "params");
    return status == NND_OK && model->simulate != NULL
               ? nnd_params_check(ctx, model->simulate, params, "simulate")
               : status;
}

/* What the model itself demands, and the values that it settles. */
static nnd_status settle_together(nnd_context *ctx, const nnd_model *model, void *params) {
    nnd_objection o = {"", ""};
    if (model->check == NULL || model->check(params, &o))
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT, "%s.%s: %s", nnd_case_section(model, o.key), o.key, o.text);
}

nnd_status nnd_model_settle(nnd_context *ctx, const nnd_model *model, void *params) {
    nnd_status status = check_each(ctx, model, params);
    return status == NND_OK ? settle_together(ctx, model, params) : status;
}

nnd_status nnd_model_check(nnd_context *ctx, const nnd_model *model, const void *params) {
    nnd_status status = check_each(ctx, model, params);
    if (status != NND_OK)
        return status;
    void *copy = malloc(model->params->size);
    if (copy == NULL)
        return nnd_fail_memory(ctx, "the parameters");
    memcpy(copy, params, model->params->size);
    status = settle_together(ctx, model, copy);
    free(copy);
    return status;
}

bool nnd_simulate_fits(const nnd_model *model, const nnd_simulate *simulate, nnd_objection *o) {
    const nnd_integers *size = &simulate->size, *seeds = &simulate->seeds;
    if (!model->sized && size->count > 0)
        return nnd_object(o, "size", "this model has no size");
    if (model->sized && !model->size_optional && size->count == 0)
        return nnd_object(o, "size", "missing; allowed: integers >= 1");
    for (size_t i = 0; i < size->count; i++)
        for (size_t j = 0; j < i; j++)
            if (size->value[i] == size->value[j])
                return nnd_object(o, "size", "the size %lld stands there twice",
                                  (long long)size->value[i]);
    if (seeds->count != 1 && seeds->count != (size->count > 0 ? size->count : 1))
        return nnd_object(o, "seeds", "a list of %zu is neither one number nor one per size",
                          seeds->count);
    return true;
}

static nnd_status check_simulate(nnd_context *ctx, const nnd_case *c) {
    nnd_objection o;
    nnd_status status = nnd_params_check(ctx, &nnd_simulate_table, &c->simulate, "simulate");
    if (status != NND_OK || nnd_simulate_fits(c->model, &c->simulate, &o))
        return status;
    return nnd_fail(ctx, NND_E_INPUT, "simulate.%s: %s", o.key, o.text);
}

nnd_status nnd_case_check(nnd_context *ctx, const nnd_case *c) {
    if (c == NULL || c->model == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "model: NULL instead of a model");
    if (c->sweep.points == 0 || c->params == NULL || (c->sweep.keys > 0 && c->sweep.dim == NULL))
        return nnd_fail(ctx, NND_E_INPUT, "sweep: there are no points");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++)
        status = nnd_model_check(ctx, c->model, c->params[i]);
    return status == NND_OK && c->simulates ? check_simulate(ctx, c) : status;
}
