/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "nndmft/lazy_fluctuations.h"
#include "validate/innovation.h"
#include "validate/keeper.h"
#include "validate/learners.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* Networks in a block: about so many weights, and operations. */
enum { MOST_SIDE_BY_SIDE = 32, MOST_SEEDS = 256, MOST_LAYERS = 101 };
static const double WEIGHTS = 1e6, BLOCK_FLOPS = 2e10;

/* ---- sizes ---- */

static size_t samples_of(const nnd_lazy_fluctuations *p) {
    return nnd_data_samples(&p->data) + nnd_data_tests(&p->data);
}

static double weights_of(const nnd_lazy_fluctuations *p, size_t width) {
    double n = (double)width;
    return n * ((double)nnd_data_dim(&p->data) + n * (double)(p->depth - 1) + 1.0);
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

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_lazy_fluctuations *p = params;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(p, size, nnd_data_dim(&p->data), layer);
    double samples = (double)plan.samples, depth = (double)p->depth;
    double train = (double)nnd_data_samples(&p->data);
    double times = nnd_timegrid_most(p->steps, &p->record, p->record_every);
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + samples * samples * sizeof(double),
        .record_bytes = sizeof(double) *
                        (train * train * (2.0 * depth + 1.0) + 2.0 * depth + 1.0 + samples * times),
        .weight_bytes = nnd_keeper_bytes(weights_of(p, size), times),
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
    nnd_learners learners;
    nnd_innovations innovations;
    size_t width, depth;
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static nnd_status add_arrays(run *r) {
    static const struct {
        const char *name;
        bool trained, tests;
    } arrays[] = {
        {"phi_gram", false, false}, {"g_gram", false, false},    {"ntk", false, false},
        {"delta", true, false},     {"test_output", true, true},
    };
    nnd_frame *frame = r->learners.frame;
    bool tests = r->learners.set.tests > 0;
    nnd_status status = nnd_frame_add_range(frame, "layer", r->depth, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "layer2", r->depth, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add(frame, "phi_self", "seed,layer", NULL);
    if (status == NND_OK)
        status = nnd_frame_add(frame, "g_self", "seed,layer", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if ((!arrays[i].trained || r->p->steps > 0) && (!arrays[i].tests || tests))
            status =
                nnd_frame_add_variable(frame, &nnd_lazy_fluctuations_model, arrays[i].name, NULL);
    return status;
}

/* ---- control variates: kernels at the first sample, which theory asks most of ---- */

/* Whether the first layer's slopes vary, and are of use beside its activations. */
static bool slopes_count(const run *r) {
    return r->depth == 1 && r->p->activation.name != NND_LINEAR;
}

static size_t controls(const run *r) {
    const nnd_innovations *x = &r->innovations;
    size_t first = x->known ? slopes_count(r) ? 4 : 3 : 0, further = x->further ? 2 : 0;
    return 2 + first + further + (r->depth > 1 ? 2 : 0);
}

static double square(double standard) {
    return (standard * standard - 1.0) / M_SQRT2;
}

static void take_controls(run *r, size_t b) {
    double *control = nnd_seed_row(r->learners.frame, "control", r->learners.first + b);
    nnd_innovation i;
    nnd_innovations_take(&r->innovations, &r->learners.net, b, &i);
    *control++ = i.readout;
    *control++ = square(i.readout);
    if (r->innovations.known) {
        *control++ = i.first[0];
        *control++ = square(i.first[0]);
        *control++ = i.first[0] * i.readout;
        if (slopes_count(r))
            *control++ = i.slope;
    }
    if (r->innovations.further) {
        *control++ = i.deep;
        *control++ = square(i.deep);
    }
    if (r->depth > 1) {
        *control++ = i.backward;
        *control++ = square(i.backward);
    }
}

static nnd_status add_controls(run *r) {
    const nnd_lazy_fluctuations *p = r->p;
    nnd_learners *x = &r->learners;
    if (!p->control)
        return NND_OK;
    nnd_status status =
        nnd_innovations_make(r->ctx, &p->activation, p->sigma_w, r->depth, r->width, x->train,
                             x->net.samples, x->set.gram, NULL, &r->innovations);
    return status == NND_OK ? nnd_seed_frame_add_controls(x->frame, controls(r)) : status;
}

static nnd_status run_make(run *r, size_t first_seed, size_t count) {
    const nnd_lazy_fluctuations *p = r->p;
    nnd_learners *x = &r->learners;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_status status =
        nnd_learners_load(r->ctx, &p->data, p->steps, &p->record, p->record_every, x);
    if (status != NND_OK)
        return status;
    nnd_network_plan plan = plan_of(p, r->width, x->set.dim, layer);
    status = nnd_learners_make(r->ctx, &plan, first_seed, count, x);
    if (status == NND_OK)
        status = add_arrays(r);
    return status == NND_OK ? add_controls(r) : status;
}

/* ---- at initialisation ---- */

/* Kernels of network b; the gradient field of a layer is gamma0 N df/dh. */
static void record_kernels(run *r, size_t b) {
    nnd_learners *x = &r->learners;
    size_t seed = x->first + b, square = x->train * x->train;
    double unit = r->p->gamma0 * (double)r->width;
    double *phi = nnd_seed_row(x->frame, "phi_gram", seed);
    double *g = nnd_seed_row(x->frame, "g_gram", seed);
    for (size_t l = 0; l < r->depth; l++) {
        nnd_network_gram(&x->net, l, b, x->net.layer[l].phi, x->gram);
        nnd_learners_copy_gram(x, 1.0, phi + l * square);
        nnd_network_gram(&x->net, l, b, x->net.layer[l].g, x->gram);
        nnd_learners_copy_gram(x, unit * unit, g + l * square);
        nnd_seed_row(x->frame, "phi_self", seed)[l] = phi[l * square];
        nnd_seed_row(x->frame, "g_self", seed)[l] = g[l * square];
    }
    /* The raw rates in it make f(t+1) - f(t) = kernel . residual/train; K is without lr. */
    nnd_network_ntk(&x->net, b, x->gram);
    nnd_learners_copy_gram(x, 1.0 / r->p->lr, nnd_seed_row(x->frame, "ntk", seed));
}

/* ---- training ---- */

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_learners *x = &r->learners;
    size_t steps = (size_t)r->p->steps, recorded = 0;
    memset(x->net.start, 0, x->net.networks * x->net.samples * sizeof(double));
    for (size_t l = 0; l < x->net.layers; l++)
        nnd_network_draw(&x->net, l, 1.0, key, NND_STREAM_LAZY_WEIGHTS + (uint32_t)l);
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        bool wanted = steps > 0 && x->grid.step[recorded] == t;
        nnd_network_forward(&x->net);
        if (t == 0)
            nnd_network_center(&x->net);
        if (t == 0 || t < steps)
            nnd_network_backward(&x->net, NULL);
        for (size_t b = 0; b < x->net.networks; b++) {
            double loss;
            if (t == 0)
                record_kernels(r, b);
            if (t == 0 && r->p->control)
                take_controls(r, b);
            if (!nnd_learners_evaluate(x, b, t, &loss) || !wanted)
                continue;
            nnd_learners_record(x, b, recorded);
            if (r->keeper != NULL && x->first + b == 0)
                nnd_keeper_take(r->keeper, &x->net, b, recorded);
        }
        recorded += wanted;
        if (t < steps)
            nnd_learners_descend(x, NULL, 1.0);
        status = nnd_progress_step(r->ctx, (double)t, (double)steps);
    }
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.p = params, .ctx = ctx, .width = size, .keeper = keeper};
    nnd_learners *x = &r.learners;
    r.depth = (size_t)r.p->depth;
    nnd_status status = run_make(&r, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, x->frame, &x->net);
    for (; status == NND_OK && x->first < count; x->first += x->net.networks) {
        nnd_learners_progress(ctx, x, count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + x->first, size});
    }
    nnd_innovations_clear(&r.innovations);
    return nnd_learners_end(x, status, frame);
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, lanes(params, size), weights);
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_lazy_fluctuations *p = params;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(p, size, nnd_data_dim(&p->data), layer);
    return nnd_recipe_of_network(ctx, &plan, p->gamma0 * sqrt((double)size),
                                 "SGD on the mean of (y - f)^2/2, no biases, output minus that "
                                 "of the initial network",
                                 out);
}

const nnd_simulator nnd_lazy_fluctuations_simulator = {
    .model = &nnd_lazy_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
