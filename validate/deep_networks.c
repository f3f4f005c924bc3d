/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/deep_networks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "validate/innovation.h"
#include "validate/keeper.h"
#include "validate/learners.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* Networks side by side stay in the second-level cache: so many weights. */
static const double CACHE = 262144.0;
/* A block has at most so many networks and about so many operations. */
enum { MOST_SIDE_BY_SIDE = 64, MOST_SEEDS = 256, MOST_LAYERS = 101 };
static const double BLOCK_FLOPS = 2e9;

/* ---- sizes ---- */

static bool has_equal_widths(const nnd_deep_networks *d) {
    for (size_t l = 0; l < d->widths->count; l++)
        if (d->widths->value[l] != 1.0)
            return false;
    return true;
}

/* N_l of hidden layer l = 0..depth - 1. */
static size_t width_of(const nnd_deep_networks *d, size_t l, size_t size) {
    double ratio = d->widths->count > 0 ? d->widths->value[l] : 1.0;
    return (size_t)lround(ratio * (double)size);
}

static size_t samples_of(const nnd_deep_networks *d) {
    return nnd_data_samples(d->data) + nnd_data_tests(d->data);
}

static double weights_of(const nnd_deep_networks *d, size_t size) {
    double below = (double)nnd_data_dim(d->data), weights = 0.0;
    for (size_t l = 0; l < (size_t)d->depth; l++) {
        double width = (double)width_of(d, l, size);
        weights += width * below;
        below = width;
    }
    return weights + below;
}

static size_t lanes(const nnd_deep_networks *d, size_t size) {
    double n = floor(CACHE / weights_of(d, size));
    return n < 1.0 ? 1 : n > MOST_SIDE_BY_SIDE ? MOST_SIDE_BY_SIDE : (size_t)n;
}

/* The rate of a matrix goes with the width of its rows, of the readout with that of its columns
 * (deep-fluctuations.md#s0). */
static nnd_network_plan plan_of(const nnd_deep_networks *d, size_t size, size_t inputs,
                                nnd_layer_plan layer[MOST_LAYERS]) {
    size_t depth = (size_t)d->depth, below = inputs;
    double rate = d->lr * d->gamma0 * d->gamma0;
    for (size_t l = 0; l < depth; l++) {
        size_t width = width_of(d, l, size);
        layer[l] = (nnd_layer_plan){
            .width = width,
            .scale = d->sigma_w / sqrt((double)below),
            .rate = rate * (double)width,
            .activation = d->activation,
        };
        below = width;
    }
    layer[depth] = (nnd_layer_plan){
        .width = 1,
        .scale = d->sigma_w / (d->gamma0 * (double)below),
        .rate = rate * (double)below,
    };
    return (nnd_network_plan){
        .networks = lanes(d, size),
        .samples = samples_of(d),
        .inputs = inputs,
        .layers = depth + 1,
        .layer = layer,
    };
}

nnd_simulation_cost nnd_deep_networks_cost(const nnd_deep_networks *d, size_t size) {
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(d, size, nnd_data_dim(d->data), layer);
    double train = (double)nnd_data_samples(d->data), samples = (double)plan.samples;
    double depth = (double)d->depth, tests = samples - train;
    double times = nnd_timegrid_most(d->steps, d->record, d->record_every);
    double numbers = 2.0 + 2.0 * train + tests, kernel = 0.0;
    if (d->kernels) {
        numbers += train * (train + 1.0 + tests);
        kernel = 4.0 * depth * (double)size * samples * samples;
    }
    if (d->layers) {
        numbers += 3.0 * depth * train * train;
        kernel += 6.0 * depth * (double)size * samples * samples;
    }
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + samples * samples * sizeof(double),
        .record_bytes = numbers * times * sizeof(double),
        .weight_bytes = nnd_keeper_bytes(weights_of(d, size), times),
        .flops = ((double)d->steps + 1.0) * nnd_network_flops(&plan) + times * kernel +
                 40.0 * weights_of(d, size),
    };
}

size_t nnd_deep_networks_block(const nnd_deep_networks *d, size_t size) {
    size_t side_by_side = lanes(d, size);
    double seeds = floor(BLOCK_FLOPS / nnd_deep_networks_cost(d, size).flops);
    size_t most = seeds > MOST_SEEDS ? MOST_SEEDS : (size_t)seeds;
    return most <= side_by_side ? side_by_side : most / side_by_side * side_by_side;
}

bool nnd_deep_networks_check(const nnd_deep_networks *d, size_t size, nnd_objection *o) {
    const double largest = 1e9, whole = 1e-9;
    for (size_t l = 0; l < d->widths->count; l++) {
        double width = d->widths->value[l] * (double)size;
        if (width < 0.5 || fabs(width - round(width)) > whole * width)
            return nnd_object(o, "size", "%zu times params.widths[%zu] is no number of neurons",
                              size, l);
    }
    if (weights_of(d, size) > largest)
        return nnd_object(o, "size", "%lld layers of about %zu neurons are more than %g weights",
                          (long long)d->depth, size, largest);
    return true;
}

/* ---- a block ---- */

typedef struct {
    const nnd_deep_networks *d;
    nnd_context *ctx;
    nnd_learners learners;
    nnd_innovations innovations;
    nnd_schedule schedule;
    double *weight;     /* of samples in a batch; NULL: there are none */
    nnd_keeper *keeper; /* NULL: nothing is kept */
    size_t size, depth;
} run;

/* What is recorded of each network, where the model has such a variable. */
static nnd_status add_arrays(run *r) {
    const nnd_deep_networks *d = r->d;
    const struct {
        const char *name;
        bool tests, wanted;
    } arrays[] = {
        {"delta", false, true},         {"output", false, true},
        {"loss", false, true},          {"test_output", true, true},
        {"test_loss", true, true},      {"ntk", false, d->kernels},
        {"ntk_test", true, d->kernels}, {"h_gram", false, d->layers},
        {"phi_gram", false, d->layers}, {"g_gram", false, d->layers},
    };
    const nnd_dataset *set = &r->learners.set;
    nnd_frame *frame = r->learners.frame;
    nnd_status status = NND_OK;
    if (d->two_time)
        status = nnd_timegrid_add_dim(&r->learners.grid, frame, "s");
    if (status == NND_OK && d->layers)
        status = nnd_frame_add_range(frame, "layer", r->depth, 1.0);
    if (status == NND_OK && d->kernels)
        status = nnd_frame_add(frame, "ntk_diagonal", "seed,t,mu", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++) {
        bool loss = strcmp(arrays[i].name, "test_loss") == 0;
        if (nnd_model_variable(d->model, arrays[i].name) != NULL &&
            (!arrays[i].tests || set->tests > 0) && arrays[i].wanted &&
            (!loss || set->test_targets != NULL))
            status = nnd_frame_add_variable(frame, d->model, arrays[i].name, NULL);
    }
    return status;
}

/* ---- control variates: kernels and readout at t = 0, given what lies below ---- */

static bool slopes_count(const run *r) {
    return r->innovations.known && r->depth == 1 && r->d->activation != NULL;
}

static size_t controls(const run *r) {
    const nnd_innovations *x = &r->innovations;
    return 2 + (x->second && !r->d->center ? 1U : 0U) + (x->known ? 2U : 0U) +
           (x->second ? 1U : 0U) + (slopes_count(r) ? 1U : 0U) + (x->further ? 1U : 0U) +
           (r->depth > 1 ? 1U : 0U);
}

static double square(double standard) {
    return (standard * standard - 1.0) / M_SQRT2;
}

static void take_controls(run *r, size_t b) {
    double *control = nnd_seed_row(r->learners.frame, "control", r->learners.first + b);
    const nnd_innovations *x = &r->innovations;
    nnd_innovation i;
    if (control == NULL)
        return;
    nnd_innovations_take(&r->innovations, &r->learners.net, b, &i);
    *control++ = i.output[0];
    *control++ = i.readout;
    if (x->second && !r->d->center)
        *control++ = i.output[1];
    if (x->known) {
        *control++ = i.first[0];
        *control++ = square(i.output[0]);
    }
    if (x->second)
        *control++ = i.first[1];
    if (slopes_count(r))
        *control++ = i.slope;
    if (x->further)
        *control++ = i.deep;
    if (r->depth > 1)
        *control++ = i.backward;
}

static nnd_status add_controls(run *r) {
    const nnd_deep_networks *d = r->d;
    nnd_learners *x = &r->learners;
    if (!d->control || !has_equal_widths(d))
        return NND_OK;
    nnd_status status =
        nnd_innovations_make(r->ctx, d->activation, d->sigma_w, r->depth, r->size, x->train,
                             x->net.samples, x->set.gram, x->set.targets, &r->innovations);
    return status == NND_OK ? nnd_seed_frame_add_controls(x->frame, controls(r)) : status;
}

static nnd_status add_schedule(run *r) {
    r->weight = malloc(r->learners.train * sizeof *r->weight);
    return r->weight != NULL
               ? nnd_schedule_make(r->ctx, r->d->batch, r->learners.train, &r->schedule)
               : nnd_fail_memory(r->ctx, "mini-batches");
}

static nnd_status run_make(run *r, size_t first_seed, size_t count) {
    const nnd_deep_networks *d = r->d;
    nnd_learners *x = &r->learners;
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_status status = nnd_learners_load(r->ctx, d->data, d->steps, d->record, d->record_every, x);
    if (status != NND_OK)
        return status;
    nnd_network_plan plan = plan_of(d, r->size, x->set.dim, layer);
    status = nnd_learners_make(r->ctx, &plan, first_seed, count, x);
    if (status == NND_OK)
        status = add_arrays(r);
    if (status == NND_OK && d->batch.size > 0)
        status = add_schedule(r);
    return status == NND_OK ? add_controls(r) : status;
}

/* ---- recording ---- */

/* The raw rates in it make f(t+1) - f(t) = kernel . residual/train; K is without lr. */
static void record_ntk(run *r, size_t b, size_t i) {
    nnd_learners *x = &r->learners;
    size_t train = x->train, tests = x->set.tests, all = x->net.samples, seed = x->first + b;
    double *ntk = nnd_seed_row(x->frame, "ntk", seed) + i * train * train;
    double *diagonal = nnd_seed_row(x->frame, "ntk_diagonal", seed) + i * train;
    double *test = nnd_seed_row(x->frame, "ntk_test", seed);
    nnd_network_ntk(&x->net, b, x->gram);
    nnd_learners_copy_gram(x, 1.0 / r->d->lr, ntk);
    for (size_t mu = 0; mu < train; mu++)
        diagonal[mu] = ntk[mu * train + mu];
    for (size_t k = 0; test != NULL && k < tests * train; k++)
        test[i * tests * train + k] = x->gram[(train + k / train) * all + k % train] / r->d->lr;
}

/* Gram matrices of hidden layers at time i; the gradient field is gamma0 N_l df/dh, of which a
 * linear network has one for all samples. */
static void record_layers(run *r, size_t b, size_t i) {
    nnd_learners *x = &r->learners;
    size_t square = x->train * x->train, seed = x->first + b;
    const nnd_array *of_g = nnd_frame_find(x->frame, "g_gram");
    double *h = nnd_seed_row(x->frame, "h_gram", seed);
    double *phi = nnd_seed_row(x->frame, "phi_gram", seed);
    double *g = nnd_seed_row(x->frame, "g_gram", seed);
    size_t of_one = of_g->count / (of_g->shape[0] * x->grid.count * r->depth);
    for (size_t l = 0; l < r->depth; l++) {
        const nnd_layer *layer = &x->net.layer[l];
        double unit = r->d->gamma0 * (double)layer->rows;
        size_t at = i * r->depth + l;
        nnd_network_gram(&x->net, l, b, layer->h, x->gram);
        nnd_learners_copy_gram(x, 1.0, h + at * square);
        if (phi != NULL) {
            nnd_network_gram(&x->net, l, b, layer->phi, x->gram);
            nnd_learners_copy_gram(x, 1.0, phi + at * square);
        }
        nnd_network_gram(&x->net, l, b, layer->g, x->gram);
        if (of_one == 1)
            g[at] = unit * unit * x->gram[0];
        else
            nnd_learners_copy_gram(x, unit * unit, g + at * square);
    }
}

static void record(run *r, size_t b, size_t i, double loss) {
    nnd_learners *x = &r->learners;
    size_t seed = x->first + b, row = b * x->net.samples;
    double *test_loss = nnd_seed_row(x->frame, "test_loss", seed);
    nnd_learners_record(x, b, i);
    memcpy(nnd_seed_row(x->frame, "output", seed) + i * x->train, x->net.output + row,
           x->train * sizeof(double));
    nnd_seed_row(x->frame, "loss", seed)[i] = loss;
    if (test_loss != NULL)
        test_loss[i] = nnd_loss(NND_HALF_SQUARE, x->set.tests, NULL, x->set.test_targets,
                                x->net.output + row + x->train, NULL);
    if (r->keeper != NULL && seed == 0)
        nnd_keeper_take(r->keeper, &x->net, b, i);
    if (r->d->kernels)
        record_ntk(r, b, i);
    if (r->d->layers)
        record_layers(r, b, i);
}

/* ---- training ---- */

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_learners *x = &r->learners;
    size_t steps = (size_t)r->d->steps, recorded = 0;
    memset(x->net.start, 0, x->net.networks * x->net.samples * sizeof(double));
    for (size_t l = 0; l < x->net.layers; l++)
        nnd_network_draw(&x->net, l, 1.0, key, NND_STREAM_DEEP_NETWORKS_WEIGHTS + (uint32_t)l);
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        bool wanted = x->grid.step[recorded] == t;
        nnd_network_forward(&x->net);
        for (size_t b = 0; t == 0 && b < x->net.networks; b++)
            take_controls(r, b);
        if (t == 0 && r->d->center)
            nnd_network_center(&x->net);
        if (t < steps || (wanted && r->d->kernels))
            nnd_network_backward(&x->net, NULL);
        for (size_t b = 0; b < x->net.networks; b++) {
            double loss;
            if (nnd_learners_evaluate(x, b, t, &loss) && wanted)
                record(r, b, recorded, loss);
        }
        recorded += wanted;
        if (r->weight != NULL)
            nnd_schedule_weights(&r->schedule, t, r->weight);
        if (t < steps)
            nnd_learners_descend(x, r->weight, nnd_rates_at(r->d->schedule, t));
        status = nnd_progress_step(r->ctx, (double)t, (double)steps);
    }
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *networks, size_t size,
                              uint64_t base_seed, size_t first_seed, size_t count,
                              nnd_keeper *keeper, nnd_frame **frame) {
    const nnd_deep_networks *d = networks;
    run r = {.d = d, .ctx = ctx, .keeper = keeper, .size = size, .depth = (size_t)d->depth};
    nnd_learners *x = &r.learners;
    nnd_status status = run_make(&r, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, x->frame, &x->net);
    for (; status == NND_OK && x->first < count; x->first += x->net.networks) {
        nnd_learners_progress(ctx, x, count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + x->first, size});
    }
    nnd_innovations_clear(&r.innovations);
    nnd_schedule_clear(&r.schedule);
    free(r.weight);
    return nnd_learners_end(x, status, frame);
}

nnd_status nnd_deep_networks_simulate(nnd_context *ctx, const nnd_deep_networks *d, size_t size,
                                      uint64_t base_seed, size_t first_seed, size_t count,
                                      nnd_frame **frame) {
    return train_block(ctx, d, size, base_seed, first_seed, count, NULL, frame);
}

nnd_status nnd_deep_networks_keep(nnd_context *ctx, const nnd_deep_networks *d, size_t size,
                                  uint64_t base_seed, nnd_frame **weights) {
    return nnd_keep(ctx, train_block, d, size, base_seed, lanes(d, size), weights);
}

nnd_status nnd_deep_networks_recipe(nnd_context *ctx, const nnd_deep_networks *d, size_t size,
                                    nnd_frame **recipe) {
    nnd_layer_plan layer[MOST_LAYERS];
    nnd_network_plan plan = plan_of(d, size, nnd_data_dim(d->data), layer);
    double last = (double)width_of(d, (size_t)d->depth - 1, size);
    return nnd_recipe_of_network(ctx, &plan, d->gamma0 * sqrt(last),
                                 d->center ? "SGD on the mean of (y - f)^2/2, no biases, output "
                                             "minus that of the initial network"
                                           : "SGD on the mean of (y - f)^2/2, no biases",
                                 recipe);
}
