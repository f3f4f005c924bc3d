/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_fluctuations.h"

#include "validate/deep_networks.h"
#include "validate/simulators.h"

static nnd_deep_networks networks_of(const void *params) {
    const nnd_deep_fluctuations *p = params;
    return (nnd_deep_networks){
        .model = &nnd_deep_fluctuations_model,
        .depth = p->depth,
        .widths = &p->widths,
        .activation = &p->activation,
        .sigma_w = p->sigma_w,
        .gamma0 = p->gamma0,
        .lr = p->lr,
        .steps = p->steps,
        .schedule = &p->schedule,
        .data = &p->data,
        .batch = p->batch,
        .center = p->center,
        .kernels = p->kernels,
        .layers = p->kernels && p->layers,
        .two_time = p->two_time,
        .control = p->control,
        .record = &p->record,
        .record_every = p->record_every,
    };
}

static size_t block(const void *params, size_t size) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_block(&d, size);
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_check(&d, size, o);
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_cost(&d, size);
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_simulate(ctx, &d, size, base_seed, first_seed, count, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_keep(ctx, &d, size, base_seed, weights);
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    nnd_deep_networks d = networks_of(params);
    return nnd_deep_networks_recipe(ctx, &d, size, out);
}

const nnd_simulator nnd_deep_fluctuations_simulator = {
    .model = &nnd_deep_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
