/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/hand_over.h"
#include "core/text.h"
#include "validate/flow.h"
#include "validate/keeper.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"
#include "validate/wide_mlp_control.h"
#include "validate/wide_mlp_record.h"

/* Networks per block: small networks share a block so that shards stay few. Each flow has steps of
 * its own; one network on many samples is work enough. */
static size_t block(const void *params, size_t size) {
    const nnd_wide_mlp *p = params;
    size_t n = 4096 / (size > 0 ? size : 1);
    bool alone = p->integrator == NND_GRADIENT_FLOW || nnd_wide_mlp_has_many(p);
    return n < 1 || alone ? 1 : n > 64 ? 64 : n;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_wide_mlp *p = params;
    const size_t largest = 100000;
    if (size > largest)
        return nnd_object(o, "size", "%zu is more than %zu neurons per layer", size, largest);
    size_t columns = nnd_data_dim(&p->data) + (size_t)p->outputs;
    if (p->orthonormal_init && columns > size)
        return nnd_object(o, "orthonormal_init",
                          "size %zu has no %zu orthogonal columns (dimension of the inputs, and "
                          "outputs)",
                          size, columns);
    return true;
}

/* Passes forward and backward; a flow takes six a step, of which there is one at least per recorded
 * time, and some twenty per unit of time. */
static double evaluations(const nnd_wide_mlp *p) {
    if (p->integrator == NND_DESCENT)
        return (double)p->steps + 1.0;
    return 6.0 * fmax(nnd_wide_mlp_most_marks(p), 10.0 + 20.0 * p->time) + 1.0;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_wide_mlp *p = params;
    /* A normal number takes the time of some 40 operations of a matrix-vector product. */
    const double draw = 40.0;
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    nnd_network_plan plan = nnd_wide_plan(p, size, block(p, size), layer);
    double n = (double)size, times = nnd_wide_mlp_most_marks(p);
    double weights =
        n * (double)plan.inputs + (double)(p->depth - 1) * n * n + n * (double)p->outputs;
    return (nnd_simulation_cost){
        .bytes =
            nnd_wide_block_bytes(p, &plan) + nnd_wide_record_scratch_bytes(p, size, plan.networks),
        .record_bytes = nnd_wide_record_bytes(p),
        .weight_bytes = nnd_keeper_bytes(weights, times),
        .flops = evaluations(p) * nnd_network_flops(&plan) +
                 times * nnd_wide_record_flops(p, size) + draw * weights,
    };
}

/* A block in training. */
typedef struct {
    nnd_wide_block block;
    nnd_wide_record record;
    nnd_innovations control;
    nnd_flow flow;
    double *bound;      /* loss at which a network counts as diverged; 0: it has */
    size_t *lasted;     /* recorded times of each network */
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

/* Loss of outputs 0. */
static double loss_of_zero(const nnd_wide_block *block) {
    nnd_wide_outputs zero = nnd_wide_block_outputs(block, 0);
    zero.output = NULL;
    return nnd_wide_mean_loss(&zero, NULL);
}

/* Marks the networks that diverged by step t; returns how many still train. */
static size_t look_for_divergence(run *r, size_t t) {
    double of_zero = loss_of_zero(&r->block);
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
    nnd_wide_record_look(&r->record, &r->block.net);
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
    for (size_t b = 0;
         nnd_wide_controls(r->block.params, &r->control) > 0 && b < r->block.net.networks; b++)
        nnd_wide_control_take(&r->block, &r->control, b,
                              nnd_seed_row(r->record.frame, "control", b));
}

static nnd_status add_controls(run *r) {
    nnd_status status = nnd_wide_control_make(&r->block, &r->control);
    return status == NND_OK ? nnd_seed_frame_add_controls(
                                  r->record.frame, nnd_wide_controls(r->block.params, &r->control))
                            : status;
}

/* What is remembered of the start, the block evaluated. */
static void begin(run *r, nnd_rng_key key) {
    nnd_wide_record_look(&r->record, &r->block.net);
    nnd_wide_record_begin(&r->record, key);
    take_controls(r);
}

static nnd_status descend(run *r, nnd_rng_key key) {
    size_t steps = (size_t)r->block.params->steps, recorded = 0;
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        nnd_wide_block_evaluate(&r->block);
        if (t == 0)
            begin(r, key);
        if (look_for_divergence(r, t) == 0)
            break;
        if (r->record.marks.value[recorded] == (double)t)
            status = record(r, recorded++);
        if (status == NND_OK)
            status = nnd_progress_step(r->record.ctx, (double)t, (double)steps);
        if (t < steps)
            nnd_wide_block_step(&r->block, t);
    }
    return status;
}

static void flow_rate(void *user, const double *state, double *rate) {
    nnd_wide_block_flow(user, state, rate);
}

/* Weights are of order 1, and what they learn moves outputs 1/gamma times as much. */
static nnd_status make_flow(run *r) {
    const double tolerance = 1e-6;
    nnd_wide_block *block = &r->block;
    size_t n = nnd_wide_block_state(block);
    double gamma = nnd_wide_gamma(block->params, block->width);
    double *start = calloc(n, sizeof *start);
    nnd_status status = start != NULL ? nnd_flow_make(r->record.ctx, n, flow_rate, block, 0.0,
                                                      tolerance * fmin(1.0, gamma), &r->flow)
                                      : nnd_fail_memory(r->record.ctx, "a gradient flow");
    if (status == NND_OK) {
        memcpy(start, block->net.weights, (n - 1) * sizeof *start);
        start[n - 1] = block->kappa;
        r->flow.last = block->params->time;
        nnd_flow_start(&r->flow, start);
    }
    free(start);
    return status;
}

static nnd_status flow_to(run *r, double time) {
    nnd_context *ctx = r->record.ctx;
    nnd_status status = nnd_flow_advance(ctx, &r->flow, time);
    if (status == NND_NOT_CONVERGED)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.time: %g is too long for a simulated flow, whose steps at t = %.3g "
                        "are %.2g long; allowed: %g of them",
                        r->block.params->time, r->flow.walk.t, r->flow.walk.h, NND_DP_MOST_STEPS);
    if (status == NND_OK)
        nnd_wide_block_set(&r->block, r->flow.x);
    return status;
}

static nnd_status flow(run *r, nnd_rng_key key) {
    const nnd_wide_mlp *p = r->block.params;
    const nnd_reals *marks = &r->record.marks;
    nnd_status status = make_flow(r);
    for (size_t i = 0; status == NND_OK && i < marks->count; i++) {
        double t = nnd_wide_mlp_time(p, marks->value[i]);
        if (i == 0) {
            nnd_wide_block_set(&r->block, r->flow.x);
            begin(r, key);
            (void)look_for_divergence(r, 0);
        }
        status = flow_to(r, t);
        if (status == NND_OK)
            status = record(r, i);
        if (status == NND_OK)
            status = nnd_progress_step(r->record.ctx, t, p->time);
    }
    return status;
}

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_status status = nnd_wide_block_draw(&r->block, key);
    if (status == NND_OK)
        status = r->block.params->integrator == NND_DESCENT ? descend(r, key) : flow(r, key);
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
    nnd_flow_clear(&r.flow);
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

/* Biases as they act, like the matrices of the recipe. */
static void add_biases(const nnd_wide_mlp *p, const nnd_network_plan *plan, nnd_text *line) {
    double rate = plan->layer[0].rate, first = p->sigma_b, further = plan->layer[p->depth - 1].bias;
    if (p->sigma_b == 0.0) {
        nnd_text_add(line, ", no biases");
        return;
    }
    nnd_text_add(line, ", biases of std %.10g and rate %.10g", first, rate * first * first);
    if (further != first)
        nnd_text_add(line, " (%.10g and %.10g from the second hidden layer on)", further,
                     rate * further * further);
    nnd_text_add(line, ", those of the outputs, before the division, from 0 with rate %.10g",
                 rate * first * first);
}

/* What to do besides plain SGD with the rates of the recipe. */
static void optimizer_text(const nnd_wide_mlp *p, const nnd_network_plan *plan, size_t size,
                           char *text) {
    static const char *const loss[] = {"mean of (y - f)^2/2", "mean of log(1 + exp(-y f))",
                                       "mean of log sum exp(f) - y . f"};
    nnd_text line = nnd_text_in(size, text);
    bool flows = p->integrator == NND_GRADIENT_FLOW;
    nnd_text_add(&line, "%s on the %s", flows ? "gradient flow, rates per unit of time," : "SGD",
                 loss[p->loss]);
    if (p->outputs > 1 && p->loss == NND_WIDE_MSE)
        nnd_text_add(&line, " summed over outputs");
    add_biases(p, plan, &line);
    if (p->residual != NND_RESIDUAL_NONE)
        nnd_text_add(&line, ", hidden layers from the second on add the preactivations of the one "
                            "below");
    if (p->batch.size > 0)
        nnd_text_add(&line, ", batches of %lld", (long long)p->batch.size);
    if (p->momentum > 0.0)
        nnd_text_add(&line, ", momentum %.10g", p->momentum);
    if (p->weight_decay > 0.0)
        nnd_text_add(&line, ", decay of all by %.10g times itself per %s", p->weight_decay,
                     flows ? "unit of time" : "step, whatever the rate");
    if (nnd_rates_given(&p->schedule))
        nnd_text_add(&line, ", gradients times `schedule`");
    if (p->center)
        nnd_text_add(&line, ", output minus that of the initial network%s",
                     p->weight_decay > 0.0 ? " as it would be by decay alone" : "");
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_wide_mlp *p = params;
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    nnd_network_plan plan = nnd_wide_plan(p, size, 1, layer);
    char optimizer[1024];
    optimizer_text(p, &plan, sizeof optimizer, optimizer);
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
