/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <stdlib.h>

#include "core/divergence.h"
#include "core/hand_over.h"
#include "core/text.h"
#include "validate/keeper.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"
#include "validate/wide_mlp_control.h"
#include "validate/wide_mlp_record.h"

/* Networks per block: small networks share a block so that shards stay few. */
static size_t block(const void *params, size_t size) {
    (void)params;
    size_t n = 4096 / (size > 0 ? size : 1);
    return n < 1 ? 1 : n > 64 ? 64 : n;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_wide_mlp *p = params;
    const size_t largest = 100000;
    if (p->outputs > 1 || p->loss != NND_WIDE_MSE || p->residual != NND_RESIDUAL_NONE ||
        p->sigma_b > 0.0 || p->momentum > 0.0 || p->weight_decay > 0.0 ||
        nnd_rates_given(&p->schedule) || p->integrator == NND_GRADIENT_FLOW)
        return nnd_object(o, "outputs", "networks train one output by plain descent yet");
    if (size > largest)
        return nnd_object(o, "size", "%zu is more than %zu neurons per layer", size, largest);
    if (p->orthonormal_init && nnd_data_dim(&p->data) + 1 > size)
        return nnd_object(
            o, "orthonormal_init",
            "size %zu has no %zu orthogonal columns (dimension of the inputs, and one)", size,
            nnd_data_dim(&p->data) + 1);
    return true;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_wide_mlp *p = params;
    /* A normal number takes the time of some 40 operations of a matrix-vector product. */
    const double draw = 40.0;
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    nnd_network_plan plan = nnd_wide_plan(p, size, block(p, size), layer);
    double n = (double)size, weights = n * (double)plan.inputs + (double)(p->depth - 1) * n * n + n;
    double times = nnd_wide_mlp_most_marks(p);
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + nnd_wide_record_scratch_bytes(p, size, plan.networks),
        .record_bytes = nnd_wide_record_bytes(p),
        .weight_bytes = nnd_keeper_bytes(weights, times),
        .flops = ((double)p->steps + 1.0) * nnd_network_flops(&plan) +
                 times * nnd_wide_record_flops(p, size) + draw * weights,
    };
}

/* A block in training. */
typedef struct {
    nnd_wide_block block;
    nnd_wide_record record;
    nnd_innovations control;
    double *bound;      /* loss at which a network counts as diverged; 0: it has */
    size_t *lasted;     /* recorded times of each network */
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

/* Marks the networks that diverged by step t; returns how many still train. */
static size_t look_for_divergence(run *r, size_t t) {
    const nnd_dataset *set = &r->block.set;
    double of_zero = nnd_half_mean_square(set->samples, set->targets);
    size_t training = 0;
    for (size_t b = 0; b < r->block.net.networks; b++) {
        if (t == 0)
            r->bound[b] =
                nnd_divergence_limit(r->block.params->divergence_bound, r->block.loss[b], of_zero);
        if (r->bound[b] > 0.0 && nnd_has_diverged(r->bound[b], r->block.loss[b])) {
            r->bound[b] = 0.0;
            nnd_wide_record_diverged(&r->record, b, t);
        }
        training += r->bound[b] > 0.0;
    }
    return training;
}

static nnd_status record(run *r, size_t i) {
    nnd_status status = NND_OK;
    for (size_t b = 0; status == NND_OK && b < r->block.net.networks; b++) {
        if (r->bound[b] == 0.0)
            continue;
        status = nnd_wide_record_take(&r->record, b, i);
        r->lasted[b] = i + 1;
    }
    if (r->keeper != NULL && r->bound[0] > 0.0)
        nnd_keeper_take(r->keeper, &r->block.net, 0, i);
    return status;
}

static void take_controls(run *r) {
    for (size_t b = 0; r->block.params->control && b < r->block.net.networks; b++)
        nnd_wide_control_take(&r->block, &r->control, b,
                              nnd_seed_row(r->record.frame, "control", b));
}

static nnd_status add_controls(run *r) {
    nnd_status status = nnd_wide_control_make(&r->block, &r->control);
    return status == NND_OK ? nnd_seed_frame_add_controls(
                                  r->record.frame, nnd_wide_controls(r->block.params, &r->control))
                            : status;
}

static nnd_status train(run *r, nnd_rng_key key) {
    size_t steps = (size_t)r->block.params->steps, recorded = 0;
    nnd_status status = nnd_wide_block_draw(&r->block, key);
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        nnd_wide_block_evaluate(&r->block);
        if (t == 0) {
            nnd_wide_record_begin(&r->record, key);
            take_controls(r);
        }
        if (look_for_divergence(r, t) == 0)
            break;
        if (r->record.grid.step[recorded] == t)
            status = record(r, recorded++);
        if (status == NND_OK)
            status = nnd_progress_step(r->record.ctx, (double)t, (double)steps);
        if (t < steps)
            nnd_wide_block_step(&r->block, t);
    }
    for (size_t b = 0; status == NND_OK && b < r->block.net.networks; b++)
        nnd_wide_record_end(&r->record, b, r->lasted[b]);
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.bound = calloc(count, sizeof(double)),
             .lasted = calloc(count, sizeof(size_t)),
             .keeper = keeper};
    nnd_status status = r.bound != NULL && r.lasted != NULL
                            ? nnd_wide_block_make(ctx, params, size, count, &r.block)
                            : nnd_fail_memory(ctx, "a block of networks");
    if (status == NND_OK)
        status = nnd_wide_record_make(ctx, &r.block, first_seed, &r.record);
    if (status == NND_OK)
        status = add_controls(&r);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, r.record.frame, &r.block.net);
    if (status == NND_OK)
        status = train(&r, (nnd_rng_key){base_seed, first_seed, size});
    nnd_hand_over(status == NND_OK, r.record.frame, frame);
    nnd_wide_record_clear(&r.record);
    nnd_innovations_clear(&r.control);
    nnd_wide_block_clear(&r.block);
    free(r.bound);
    free(r.lasted);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, block(params, size), weights);
}

/* What to do besides plain SGD with the rates of the recipe. */
static void optimizer_text(const nnd_wide_mlp *p, size_t size, char *text) {
    nnd_text line = nnd_text_in(size, text);
    nnd_text_add(&line, "SGD on the mean of (y - f)^2/2, no biases");
    if (p->batch.size > 0)
        nnd_text_add(&line, ", batches of %lld", (long long)p->batch.size);
    if (p->center)
        nnd_text_add(&line, ", output minus that of the initial network");
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_wide_mlp *p = params;
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    nnd_network_plan plan = nnd_wide_plan(p, size, 1, layer);
    char optimizer[256];
    optimizer_text(p, sizeof optimizer, optimizer);
    return nnd_recipe_of_network(ctx, &plan, nnd_wide_gamma(p, size) * sqrt((double)size),
                                 optimizer, out);
}

const nnd_simulator nnd_wide_mlp_simulator = {
    .model = &nnd_wide_mlp_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
