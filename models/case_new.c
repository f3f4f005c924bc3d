/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A case of numbers, by way of the tree that its file would have. */
#include "models/case_impl.h"

nnd_status nnd_case_new(nnd_context *ctx, const nnd_model *model, const void *params,
                        const nnd_simulate *simulate, nnd_case **out) {
    if (model == NULL || params == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "a case needs a model and its parameters");
    nnd_status status = nnd_model_check(ctx, model, params);
    if (status == NND_OK && simulate != NULL)
        status = nnd_params_check(ctx, &nnd_simulate_table, simulate, "simulate");
    if (status != NND_OK)
        return status;
    nnd_value *tree = nnd_value_map("");
    bool done =
        tree != NULL && nnd_value_put(tree, "model", nnd_value_scalar(model->name, false, ""));
    done = done && nnd_value_put(tree, "params", nnd_table_values(model->params, params));
    if (simulate != NULL)
        done =
            done && nnd_value_put(tree, "simulate", nnd_simulate_values(model, simulate, params));
    const nnd_case_source source = {.stem = model->name};
    status = done ? nnd_case_resolve(ctx, tree, &source, out) : nnd_fail_memory(ctx, "the case");
    nnd_value_free(tree);
    return status;
}
