/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One model without a case file: its theory, an ensemble of networks, and the comparison of both.
 *
 *     cc one_model.c $(pkg-config --cflags --libs nndmft) && ./a.out
 */
#include <nndmft/nndmft.h>
#include <stdio.h>

/* What the parameters are: `nndmft describe deep-linear`. What is not set has its default. */
static nnd_status make_case(nnd_context *ctx, nnd_case **c) {
    int64_t sizes[] = {60, 120}, seeds[] = {96};
    nnd_simulate simulate = {.size = {2, sizes}, .seeds = {1, seeds}, .base_seed = 1};
    nnd_deep_linear p;
    nnd_status status = nnd_model_defaults(ctx, &nnd_deep_linear_model, &p);
    if (status != NND_OK)
        return status;
    p.depth = 1;
    p.alpha = 2.0;
    p.gamma0 = 1.5;
    p.lr = 0.2;
    p.steps = 10;
    p.spectrum = false;
    p.ntk = false;
    status = nnd_case_new(ctx, &nnd_deep_linear_model, &p, &simulate, c);
    nnd_model_clear(&nnd_deep_linear_model, &p);
    return status;
}

static void print_curve(const nnd_frame *theory) {
    const nnd_dim *t = nnd_frame_find_dim(theory, "t");
    const nnd_array *risk = nnd_frame_find(theory, "test_risk");
    for (size_t i = 0; i < t->length; i++)
        printf("%3.0f  %.6f\n", t->value[i], risk->data[i]);
}

/* A status above 0 is a warning: the frame is there. */
static nnd_status study(nnd_context *ctx, const nnd_case *c, nnd_comparison **comparison) {
    nnd_frame *theory = NULL;
    nnd_ensemble ensemble = {0};
    nnd_store *blocks = nnd_memory_store_new();
    nnd_status status = blocks != NULL ? nnd_theory_run(ctx, c, NULL, &theory) : NND_E_MEMORY;
    if (status >= NND_OK) {
        print_curve(theory);
        status = nnd_ensemble_run(ctx, c, blocks, &ensemble);
    }
    if (status >= NND_OK) {
        const nnd_simulated simulated = {.mc = ensemble.mc,
                                         .influence = ensemble.influence,
                                         .base_seed = (uint64_t)c->simulate.base_seed};
        status = nnd_compare(ctx, c->model, &c->compare, theory, &simulated, comparison);
    }
    nnd_ensemble_clear(&ensemble);
    nnd_memory_store_free(blocks);
    nnd_frame_free(theory);
    return status;
}

int main(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    nnd_comparison *comparison = NULL;
    nnd_status status = ctx != NULL ? make_case(ctx, &c) : NND_E_MEMORY;
    if (status == NND_OK)
        status = study(ctx, c, &comparison);
    if (status < NND_OK)
        fprintf(stderr, "%s\n", ctx != NULL ? nnd_context_message(ctx) : nnd_status_text(status));
    else
        nnd_report_comparison(comparison, stdout);
    nnd_comparison_free(comparison);
    nnd_case_free(c);
    nnd_context_free(ctx);
    return status < NND_OK;
}
