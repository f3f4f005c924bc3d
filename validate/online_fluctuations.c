/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linear networks f(x) = beta . x trained on E(beta* . x - f)^2/2 with x ~ N(0, 1), beta* the first
 * axis. A linear network is known by its outputs at the axes, which are the components of beta, and
 * its gradient at any x by those at the axes: they are the samples here, with the population
 * residual beta* - beta, or that of a batch, as coefficients. Beside each network train, from the
 * same initial weights, one that sees the target's axis alone and, with batches, one that is
 * trained on them.
 */
#include "validate/simulators.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "core/hand_over.h"
#include "core/streams.h"
#include "nndmft/online_fluctuations.h"
#include "validate/keeper.h"
#include "validate/network.h"
#include "validate/online_control.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

enum { SIDE_BY_SIDE = 16, MOST_SEEDS = 256 };
static const double BLOCK_FLOPS = 2e10;

static bool has_batches(const nnd_online_fluctuations *p) {
    return !isinf(p->batch);
}

static nnd_network_plan plan_of(const nnd_online_fluctuations *p, size_t width, size_t dim,
                                nnd_layer_plan layer[2]) {
    double n = (double)width, rate = p->lr * p->gamma0 * p->gamma0 * n;
    layer[0] = (nnd_layer_plan){.width = width, .scale = 1.0, .rate = rate};
    layer[1] = (nnd_layer_plan){.width = 1, .scale = 1.0 / (p->gamma0 * n), .rate = rate};
    return (nnd_network_plan){
        .networks = SIDE_BY_SIDE, .samples = dim, .inputs = dim, .layers = 2, .layer = layer};
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_online_fluctuations *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, (size_t)p->dim, layer);
    double dim = (double)p->dim, copies = has_batches(p) ? 2.2 : 1.2;
    double batch = has_batches(p) ? p->batch * dim : 0.0;
    double times = nnd_timegrid_most(p->steps, &p->record, p->record_every);
    return (nnd_simulation_cost){
        .bytes = copies * nnd_network_bytes(&plan) + (dim * dim + batch) * sizeof(double),
        .record_bytes = 8.0 * times * sizeof(double),
        .weight_bytes = nnd_keeper_bytes((double)size * (dim + 1.0), times),
        .flops = ((double)p->steps + 1.0) * (copies * nnd_network_flops(&plan) + 50.0 * batch) +
                 times * 4.0 * (double)size * dim * dim,
    };
}

static size_t block(const void *params, size_t size) {
    double seeds = floor(BLOCK_FLOPS / cost(params, size).flops);
    size_t most = seeds > MOST_SEEDS ? MOST_SEEDS : (size_t)seeds;
    return most <= SIDE_BY_SIDE ? SIDE_BY_SIDE : most / SIDE_BY_SIDE * SIDE_BY_SIDE;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_online_fluctuations *p = params;
    const double largest = 1e8;
    if ((double)size * (double)p->dim > largest)
        return nnd_object(o, "dim", "%lld times size %zu is more than %g weights",
                          (long long)p->dim, size, largest);
    if (has_batches(p) && p->batch * (double)p->dim > largest)
        return nnd_object(o, "batch", "%g samples of dimension %lld are more than %g numbers",
                          p->batch, (long long)p->dim, largest);
    if (2 * (size_t)p->dim > size)
        (void)nnd_object(o, "dim", "%lld is not small against size %zu, as theory needs",
                         (long long)p->dim, size);
    return true;
}

/* ---- a block ---- */

typedef struct {
    const nnd_online_fluctuations *p;
    nnd_context *ctx;
    nnd_timegrid grid;
    nnd_network population, alone, batch; /* `batch` only with batches */
    nnd_frame *frame;
    size_t dim, width, first; /* first: row of the first network side by side */
    double *residual, *alone_residual, *batch_residual;
    double *sample, *error; /* a batch and its errors */
    double *kernel;         /* dim x dim */
    bool *diverged;
    nnd_keeper *keeper; /* of the network without batches; NULL: nothing is kept */
} run;

static nnd_status add_arrays(run *r) {
    static const struct {
        const char *name;
        bool across, batch;
    } arrays[] = {
        {"delta", false, false},        {"ntk", false, false},
        {"error", false, false},        {"perp_nvar", true, false},
        {"delta_alone", false, false},  {"delta_across", true, false},
        {"perp_batch_var", true, true},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if ((!arrays[i].across || r->dim > 1) && (!arrays[i].batch || has_batches(r->p)))
            status = nnd_frame_add_variable(r->frame, &nnd_online_fluctuations_model,
                                            arrays[i].name, NULL);
    if (status == NND_OK && has_batches(r->p))
        status = nnd_frame_add(r->frame, "batch_shift", "seed,t", NULL);
    if (status == NND_OK)
        status = nnd_seed_frame_add_controls(r->frame, nnd_online_controls(r->p));
    return status;
}

static nnd_status make_network(run *r, size_t dim, nnd_network *net) {
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(r->p, r->width, dim, layer);
    nnd_status status = nnd_network_make(r->ctx, &plan, net);
    for (size_t i = 0; status == NND_OK && i < dim; i++)
        net->x[i * dim + i] = 1.0;
    return status;
}

static nnd_status run_make(run *r, size_t first_seed, size_t count) {
    const nnd_online_fluctuations *p = r->p;
    size_t dim = r->dim, batch = has_batches(p) ? (size_t)p->batch : 0;
    nnd_status status =
        nnd_timegrid_make(r->ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &r->grid);
    if (status == NND_OK)
        status = make_network(r, dim, &r->population);
    if (status == NND_OK)
        status = make_network(r, 1, &r->alone);
    if (status == NND_OK && batch > 0)
        status = make_network(r, dim, &r->batch);
    if (status != NND_OK)
        return status;
    r->residual = calloc(SIDE_BY_SIDE * dim, sizeof(double));
    r->alone_residual = calloc(SIDE_BY_SIDE, sizeof(double));
    r->batch_residual = calloc(SIDE_BY_SIDE * dim, sizeof(double));
    r->sample = calloc(batch * dim + 1, sizeof(double));
    r->error = calloc(batch + dim, sizeof(double));
    r->kernel = calloc(dim * dim, sizeof(double));
    r->diverged = calloc(SIDE_BY_SIDE, sizeof(bool));
    if (r->residual == NULL || r->alone_residual == NULL || r->batch_residual == NULL ||
        r->sample == NULL || r->error == NULL || r->kernel == NULL || r->diverged == NULL)
        return nnd_fail_memory(r->ctx, "a block of networks");
    status = nnd_seed_frame_new(r->ctx, first_seed, count, &r->grid, &r->frame);
    return status == NND_OK ? add_arrays(r) : status;
}

static void run_clear(run *r) {
    nnd_timegrid_clear(&r->grid);
    nnd_network_clear(&r->population);
    nnd_network_clear(&r->alone);
    nnd_network_clear(&r->batch);
    free(r->residual);
    free(r->alone_residual);
    free(r->batch_residual);
    free(r->sample);
    free(r->error);
    free(r->kernel);
    free(r->diverged);
}

/* ---- training ---- */

/* All networks begin with the weights of `population`; `alone` has those of the first axis. */
static void draw(run *r, nnd_rng_key key) {
    nnd_network_draw(&r->population, 0, 1.0, key, NND_STREAM_ONLINE_WEIGHTS);
    nnd_network_draw(&r->population, 1, 1.0, key, NND_STREAM_ONLINE_READOUT);
    for (size_t b = 0; b < SIDE_BY_SIDE; b++) {
        cblas_dcopy((int)r->width, nnd_network_weights(&r->population, 0, b), (int)r->dim,
                    nnd_network_weights(&r->alone, 0, b), 1);
        memcpy(nnd_network_weights(&r->alone, 1, b), nnd_network_weights(&r->population, 1, b),
               r->width * sizeof(double));
    }
    if (has_batches(r->p))
        memcpy(r->batch.weights, r->population.weights,
               r->population.weight_count * sizeof(double));
}

/* beta* - beta of all networks. */
static void find_residuals(const nnd_network *net, size_t dim, double *residual) {
    for (size_t i = 0; i < net->networks * dim; i++)
        residual[i] = (i % dim == 0 ? 1.0 : 0.0) - net->output[i];
}

/* (1/B) sum over a new batch of x (x . residual), in place of the residual of network b. The batch
 * of step t has the index t in its stream. */
static void average_over_batch(run *r, nnd_rng_key key, size_t b, size_t t) {
    int batch = (int)r->p->batch, dim = (int)r->dim;
    nnd_rng_key own = {key.base_seed, key.seed + b, key.size};
    double *residual = r->batch_residual + b * r->dim;
    nnd_rng_normals(own, NND_STREAM_ONLINE_BATCH, t, (size_t)batch * r->dim, r->sample);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, batch, dim, 1.0, r->sample, dim, residual, 1, 0.0,
                r->error, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, batch, dim, 1.0 / r->p->batch, r->sample, dim, r->error,
                1, 0.0, residual, 1);
}

static double across(const run *r, const double *x, const double *from) {
    double sum = 0.0;
    for (size_t k = 1; k < r->dim; k++)
        sum += (x[k] - (from != NULL ? from[k] : 0.0)) * (x[k] - (from != NULL ? from[k] : 0.0));
    return sum / (double)(r->dim - 1);
}

static void record(run *r, size_t b, size_t i) {
    const double *residual = r->residual + b * r->dim;
    double n = (double)r->width, alone = r->alone_residual[b];
    size_t seed = r->first + b;
    nnd_network_ntk(&r->population, b, r->kernel);
    nnd_seed_row(r->frame, "delta", seed)[i] = residual[0];
    nnd_seed_row(r->frame, "ntk", seed)[i] = r->kernel[0] / r->p->lr;
    nnd_seed_row(r->frame, "error", seed)[i] = cblas_ddot((int)r->dim, residual, 1, residual, 1);
    nnd_seed_row(r->frame, "delta_alone", seed)[i] = alone;
    if (r->dim > 1) {
        nnd_seed_row(r->frame, "perp_nvar", seed)[i] = n * across(r, residual, NULL);
        nnd_seed_row(r->frame, "delta_across", seed)[i] =
            (residual[0] - alone) / ((double)r->dim - 1.0);
    }
    if (!has_batches(r->p))
        return;
    const double *noisy = r->batch_residual + b * r->dim;
    /* The estimator multiplies the variance by the size; wanted is its product with the batch. */
    nnd_seed_row(r->frame, "batch_shift", seed)[i] =
        sqrt(r->p->batch / n) * (noisy[0] - residual[0]);
    if (r->dim > 1)
        nnd_seed_row(r->frame, "perp_batch_var", seed)[i] =
            r->p->batch * across(r, noisy, residual);
}

static void look_for_divergence(run *r, size_t b, size_t t) {
    const double *residual = r->residual + b * r->dim;
    double error = cblas_ddot((int)r->dim, residual, 1, residual, 1);
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, 1.0, 1.0);
    if (r->diverged[b] || !nnd_has_diverged(limit, error))
        return;
    r->diverged[b] = true;
    *nnd_seed_row(r->frame, NND_DIVERGED_AT, r->first + b) = (double)t;
}

static void forward(nnd_network *net, size_t dim, double *residual) {
    nnd_network_forward(net);
    nnd_network_backward(net, NULL);
    find_residuals(net, dim, residual);
}

static nnd_status train(run *r, nnd_rng_key key) {
    size_t steps = (size_t)r->p->steps, recorded = 0;
    bool batches = has_batches(r->p);
    memset(r->diverged, 0, SIDE_BY_SIDE * sizeof *r->diverged);
    draw(r, key);
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        bool wanted = r->grid.step[recorded] == t;
        forward(&r->population, r->dim, r->residual);
        forward(&r->alone, 1, r->alone_residual);
        if (batches)
            forward(&r->batch, r->dim, r->batch_residual);
        for (size_t b = 0; b < SIDE_BY_SIDE; b++) {
            if (t == 0 && r->p->control)
                nnd_online_control(r->p, &r->population, b, r->kernel,
                                   nnd_seed_row(r->frame, "control", r->first + b));
            look_for_divergence(r, b, t);
            if (wanted && !r->diverged[b])
                record(r, b, recorded);
            if (wanted && !r->diverged[b] && r->keeper != NULL && r->first + b == 0)
                nnd_keeper_take(r->keeper, &r->population, b, recorded);
        }
        recorded += wanted;
        if (t == steps)
            break;
        for (size_t b = 0; batches && b < SIDE_BY_SIDE; b++)
            average_over_batch(r, key, b, t);
        nnd_network_descend(&r->population, r->residual, NULL);
        nnd_network_descend(&r->alone, r->alone_residual, NULL);
        if (batches)
            nnd_network_descend(&r->batch, r->batch_residual, NULL);
        status = nnd_progress_step(r->ctx, (double)t, (double)steps);
    }
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    const nnd_online_fluctuations *p = params;
    run r = {.p = p, .ctx = ctx, .dim = (size_t)p->dim, .width = size, .keeper = keeper};
    nnd_status status = run_make(&r, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, r.frame, &r.population);
    for (r.first = 0; status == NND_OK && r.first < count; r.first += SIDE_BY_SIDE) {
        nnd_progress_within(ctx, (double)r.first / (double)count,
                            (double)(r.first + SIDE_BY_SIDE) / (double)count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + r.first, size});
    }
    nnd_hand_over(status == NND_OK, r.frame, frame);
    run_clear(&r);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, SIDE_BY_SIDE, weights);
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_online_fluctuations *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, (size_t)p->dim, layer);
    char optimizer[128] = "gradient descent on |beta* - beta|^2/2";
    if (has_batches(p))
        nnd_format(optimizer, sizeof optimizer,
                   "SGD on the mean of (y - f)^2/2 over a new batch of %.0f", p->batch);
    return nnd_recipe_of_network(ctx, &plan, p->gamma0 * sqrt((double)size), optimizer, out);
}

const nnd_simulator nnd_online_fluctuations_simulator = {
    .model = &nnd_online_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
