/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/lazy_fluctuations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/dataset.h"
#include "nndmft/lazy_fluctuations.h"
#include "validate/network.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* Networks in a block: about so many weights, and operations. */
enum { MOST_SIDE_BY_SIDE = 32, MOST_SEEDS = 256, MOST_LAYERS = 101 };
static const double WEIGHTS = 1e6, BLOCK_FLOPS = 2e10;
/* A loss beyond this multiple of the first one has diverged. */
static const double DIVERGED = 1e9;

/* ---- sizes ---- */

static size_t samples_of(const nnd_lazy_fluctuations *p) {
    return nnd_data_samples(&p->data) + nnd_data_tests(&p->data);
}

static size_t inputs_of(const nnd_lazy_fluctuations *p) {
    if (p->data.inputs.rows > 0)
        return p->data.inputs.cols;
    return p->data.generate != NND_GENERATE_NONE ? (size_t)p->data.dim : samples_of(p);
}

static double weights_of(const nnd_lazy_fluctuations *p, size_t width) {
    double n = (double)width;
    return n * ((double)inputs_of(p) + n * (double)(p->depth - 1) + 1.0);
}

static size_t lanes(const nnd_lazy_fluctuations *p, size_t width) {
    double n = floor(WEIGHTS / weights_of(p, width));
    return n < 1.0 ? 1 : n > MOST_SIDE_BY_SIDE ? MOST_SIDE_BY_SIDE : (size_t)n;
}

static nnd_network_plan plan_of(const nnd_lazy_fluctuations *p, size_t width, size_t inputs,
                                nnd_layer_plan layer[MOST_LAYERS]) {
    size_t depth = (size_t)p->depth;
    double n = (double)width, rate = p->lr * p->gamma0 * p->gamma0 * n;
    for (size_t l = 0; l < depth; l++)
        layer[l] = (nnd_layer_plan){
            .width = width,
            .scale = p->sigma_w / sqrt(l == 0 ? (double)inputs : n),
            .rate = rate,
            .activation = &p->activation,
        };
    layer[depth] =
        (nnd_layer_plan){.width = 1, .scale = p->sigma_w / (p->gamma0 * n), .rate = rate};
    return (nnd_network_plan){
        .networks = lanes(p, width),
        .samples = samples_of(p),
        .inputs = inputs,
        .layers = depth + 1,
        .layer = layer,
    };
}

static double times_of(const nnd_lazy_fluctuations *p) {
    return p->record.count > 0 ? (double)p->record.count + 1.0
                               : floor((double)p->steps / (double)p->record_every) + 2.0;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_lazy_fluctuations *p = params;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(p, size, inputs_of(p), layer);
    double samples = (double)plan.samples, depth = (double)p->depth;
    double train = (double)nnd_data_samples(&p->data);
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + samples * samples * sizeof(double),
        .record_bytes = sizeof(double) * (train * train * (2.0 * depth + 1.0) + 2.0 * depth + 1.0 +
                                          samples * times_of(p)),
        .flops = ((double)p->steps + 1.0) * nnd_network_flops(&plan) +
                 6.0 * depth * (double)size * samples * samples + 40.0 * weights_of(p, size),
    };
}

static size_t block(const void *params, size_t size) {
    size_t side_by_side = lanes(params, size);
    double seeds = floor(BLOCK_FLOPS / cost(params, size).flops);
    size_t most = seeds > MOST_SEEDS ? MOST_SEEDS : (size_t)seeds;
    return most <= side_by_side ? side_by_side : most / side_by_side * side_by_side;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_lazy_fluctuations *p = params;
    const double largest = 1e9;
    if (weights_of(p, size) > largest)
        return nnd_object(o, "depth", "%lld layers of %zu neurons are more than %g weights",
                          (long long)p->depth, size, largest);
    return true;
}

/* ---- a block ---- */

typedef struct {
    const nnd_lazy_fluctuations *p;
    nnd_context *ctx;
    nnd_dataset set;
    nnd_timegrid grid;
    nnd_network net;
    nnd_frame *frame;
    size_t width, depth, train, first; /* first: row of the first network side by side */
    double *residual;                  /* networks x samples */
    double *bound;                     /* loss at which a network counts as diverged; 0: it has */
    double *gram;                      /* samples x samples */
} run;

static nnd_status add_arrays(run *r) {
    static const struct {
        const char *name, *dims;
        bool trained, tests;
    } arrays[] = {
        {"phi_gram", "seed,layer,mu,nu", false, false},
        {"g_gram", "seed,layer,mu,nu", false, false},
        {"ntk", "seed,mu,nu", false, false},
        {"phi_self", "seed,layer", false, false},
        {"g_self", "seed,layer", false, false},
        {"delta", "seed,t,mu", true, false},
        {"test_output", "seed,t,test", true, true},
    };
    nnd_status status = nnd_frame_add_range(r->frame, "mu", r->train, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "nu", r->train, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "layer", r->depth, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "layer2", r->depth, 1.0);
    if (status == NND_OK && r->set.tests > 0)
        status = nnd_frame_add_range(r->frame, "test", r->set.tests, 0.0);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if ((!arrays[i].trained || r->p->steps > 0) && (!arrays[i].tests || r->set.tests > 0))
            status = nnd_frame_add(r->frame, arrays[i].name, arrays[i].dims, NULL);
    return status;
}

static nnd_status run_make(run *r, size_t first_seed, size_t count) {
    const nnd_lazy_fluctuations *p = r->p;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_status status = nnd_dataset_make(r->ctx, &p->data, &r->set);
    if (status == NND_OK)
        status = nnd_dataset_reproduce(r->ctx, &r->set, 0);
    if (status == NND_OK)
        status = nnd_timegrid_make(r->ctx, (size_t)p->steps, &p->record, (size_t)p->record_every,
                                   &r->grid);
    if (status != NND_OK)
        return status;
    r->train = r->set.samples;
    r->depth = (size_t)p->depth;
    nnd_network_plan plan = plan_of(p, r->width, r->set.dim, layer);
    status = nnd_network_make(r->ctx, &plan, &r->net);
    if (status != NND_OK)
        return status;
    nnd_network_set_inputs(&r->net, 0, r->set.inputs);
    r->residual = calloc(plan.networks * plan.samples, sizeof(double));
    r->bound = calloc(plan.networks, sizeof(double));
    r->gram = calloc(plan.samples * plan.samples, sizeof(double));
    if (r->residual == NULL || r->bound == NULL || r->gram == NULL)
        return nnd_fail_memory(r->ctx, "a block of networks");
    status = nnd_seed_frame_new(r->ctx, first_seed, count, &r->grid, &r->frame);
    return status == NND_OK ? add_arrays(r) : status;
}

static void run_clear(run *r) {
    nnd_dataset_clear(&r->set);
    nnd_timegrid_clear(&r->grid);
    nnd_network_clear(&r->net);
    free(r->residual);
    free(r->bound);
    free(r->gram);
}

/* ---- at initialisation ---- */

/* The training block of the Gram matrix in r->gram, times a factor. */
static void copy_block(const run *r, double factor, double *out) {
    for (size_t mu = 0; mu < r->train; mu++)
        for (size_t nu = 0; nu < r->train; nu++)
            out[mu * r->train + nu] = factor * r->gram[mu * r->net.samples + nu];
}

/* Kernels of network b; the gradient field of a layer is gamma0 N df/dh. */
static void record_kernels(run *r, size_t b) {
    size_t seed = r->first + b, square = r->train * r->train;
    double unit = r->p->gamma0 * (double)r->width;
    double *phi = nnd_seed_row(r->frame, "phi_gram", seed);
    double *g = nnd_seed_row(r->frame, "g_gram", seed);
    for (size_t l = 0; l < r->depth; l++) {
        nnd_network_gram(&r->net, l, b, r->net.layer[l].phi, r->gram);
        copy_block(r, 1.0, phi + l * square);
        nnd_network_gram(&r->net, l, b, r->net.layer[l].g, r->gram);
        copy_block(r, unit * unit, g + l * square);
        nnd_seed_row(r->frame, "phi_self", seed)[l] = phi[l * square];
        nnd_seed_row(r->frame, "g_self", seed)[l] = g[l * square];
    }
    /* The raw rates in it make f(t+1) - f(t) = kernel . residual/train; K is without lr. */
    nnd_network_ntk(&r->net, b, r->gram);
    copy_block(r, 1.0 / r->p->lr, nnd_seed_row(r->frame, "ntk", seed));
}

/* ---- training ---- */

/* Residuals of network b at step t; false if it has diverged. */
static bool evaluate(run *r, size_t b, size_t t) {
    size_t samples = r->net.samples;
    double *residual = r->residual + b * samples;
    if (t > 0 && r->bound[b] == 0.0)
        return false;
    double loss = nnd_loss(NND_HALF_SQUARE, r->train, NULL, r->set.targets,
                           r->net.output + b * samples, residual);
    if (t == 0)
        r->bound[b] = fmax(DIVERGED * loss, 1e-300);
    if (loss <= r->bound[b])
        return true;
    r->bound[b] = 0.0;
    memset(residual, 0, samples * sizeof(double));
    *nnd_seed_row(r->frame, "diverged_at", r->first + b) = (double)t;
    return false;
}

static void record(run *r, size_t b, size_t i) {
    size_t seed = r->first + b, samples = r->net.samples;
    memcpy(nnd_seed_row(r->frame, "delta", seed) + i * r->train, r->residual + b * samples,
           r->train * sizeof(double));
    if (r->set.tests > 0)
        memcpy(nnd_seed_row(r->frame, "test_output", seed) + i * r->set.tests,
               r->net.output + b * samples + r->train, r->set.tests * sizeof(double));
}

static void descend(run *r) {
    size_t samples = r->net.samples;
    for (size_t b = 0; b < r->net.networks; b++)
        for (size_t mu = 0; mu < r->train; mu++)
            r->residual[b * samples + mu] /= (double)r->train;
    nnd_network_descend(&r->net, r->residual, NULL);
}

static void train(run *r, nnd_rng_key key) {
    size_t steps = (size_t)r->p->steps, recorded = 0;
    memset(r->net.start, 0, r->net.networks * r->net.samples * sizeof(double));
    for (size_t l = 0; l < r->net.layers; l++)
        nnd_network_draw(&r->net, l, 1.0, key, (uint32_t)l);
    for (size_t t = 0; t <= steps; t++) {
        bool wanted = steps > 0 && r->grid.step[recorded] == t;
        nnd_network_forward(&r->net);
        if (t == 0)
            nnd_network_center(&r->net);
        if (t == 0 || t < steps)
            nnd_network_backward(&r->net, NULL);
        for (size_t b = 0; b < r->net.networks; b++) {
            if (t == 0)
                record_kernels(r, b);
            if (evaluate(r, b, t) && wanted)
                record(r, b, recorded);
        }
        recorded += wanted;
        if (t < steps)
            descend(r);
    }
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    run r = {.p = params, .ctx = ctx, .width = size};
    nnd_status status = run_make(&r, first_seed, count);
    for (r.first = 0; status == NND_OK && r.first < count; r.first += r.net.networks)
        train(&r, (nnd_rng_key){base_seed, first_seed + r.first, size});
    if (status == NND_OK)
        *frame = r.frame;
    else
        nnd_frame_free(r.frame);
    run_clear(&r);
    return status;
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_lazy_fluctuations *p = params;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(p, size, inputs_of(p), layer);
    double *std = NULL, *lr = NULL;
    nnd_status status =
        nnd_recipe_new(ctx, 0, plan.layers, p->gamma0 * sqrt((double)size),
                       "SGD on the mean of (y - f)^2/2, no biases, output minus that "
                       "of the initial network",
                       out, &std, &lr);
    /* With A = std W as the trained parameters a step of W by eta is one of A by eta std^2. */
    for (size_t l = 0; status == NND_OK && l < plan.layers; l++) {
        std[l] = p->sigma_w / sqrt((double)(l == 0 ? plan.inputs : size));
        lr[l] = layer[l].rate * std[l] * std[l];
    }
    return status;
}

const nnd_simulator nnd_lazy_fluctuations_simulator = {
    .model = &nnd_lazy_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
