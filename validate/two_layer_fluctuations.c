/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "nndmft/two_layer_fluctuations.h"
#include "validate/keeper.h"
#include "validate/learners.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"
#include "validate/two_layer_control.h"

/* Networks that train side by side stay in the second-level cache: this many numbers. */
static const double CACHE = 65536.0;
/* A block has at most so many networks and about so many operations. */
enum { MOST_SIDE_BY_SIDE = 64, MOST_SEEDS = 256 };
static const double BLOCK_FLOPS = 2e10;

/* ---- sizes ---- */

static size_t samples_of(const nnd_two_layer *p) {
    return nnd_data_samples(&p->data) + nnd_data_tests(&p->data);
}

/* How many networks train side by side. */
static size_t lanes(const nnd_two_layer *p, size_t width) {
    double numbers = (double)width * (double)(4 * samples_of(p) + nnd_data_dim(&p->data) + 2);
    double n = floor(CACHE / numbers);
    return n < 1.0 ? 1 : n > MOST_SIDE_BY_SIDE ? MOST_SIDE_BY_SIDE : (size_t)n;
}

static nnd_network_plan plan_of(const nnd_two_layer *p, size_t width, size_t inputs,
                                nnd_layer_plan layer[2]) {
    double n = (double)width, rate = p->lr * p->gamma0 * p->gamma0 * n;
    layer[0] = (nnd_layer_plan){
        .width = width,
        .scale = 1.0 / sqrt((double)inputs),
        .rate = rate,
        .activation = &p->activation,
    };
    layer[1] = (nnd_layer_plan){.width = 1, .scale = 1.0 / (p->gamma0 * n), .rate = rate};
    return (nnd_network_plan){
        .networks = lanes(p, width),
        .samples = samples_of(p),
        .inputs = inputs,
        .layers = 2,
        .layer = layer,
    };
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_two_layer *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, nnd_data_dim(&p->data), layer);
    double train = (double)nnd_data_samples(&p->data), samples = (double)plan.samples;
    double numbers = 3.0 + 2.0 * train + (samples - train);
    if (p->kernels)
        numbers += train * (samples + 1.0);
    double times = nnd_timegrid_most(p->steps, &p->record, p->record_every);
    double kernel = p->kernels ? 4.0 * (double)size * samples * samples : 0.0;
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + samples * samples * sizeof(double),
        .record_bytes = numbers * times * sizeof(double),
        .weight_bytes = nnd_keeper_bytes((double)size * (double)(plan.inputs + 1), times),
        .flops = ((double)p->steps + 1.0) * nnd_network_flops(&plan) + times * kernel +
                 50.0 * (double)size * (double)(plan.inputs + 1),
    };
}

static size_t block(const void *params, size_t size) {
    const nnd_two_layer *p = params;
    size_t side_by_side = lanes(p, size);
    double seeds = floor(BLOCK_FLOPS / cost(p, size).flops);
    size_t most = seeds > MOST_SEEDS ? MOST_SEEDS : (size_t)seeds;
    return most <= side_by_side ? side_by_side : most / side_by_side * side_by_side;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_two_layer *p = params;
    const double largest = 1e9;
    if ((double)size * (double)(samples_of(p) + nnd_data_dim(&p->data)) > largest)
        return nnd_object(o, "size", "%zu neurons with %zu samples are more than %g numbers", size,
                          samples_of(p), largest);
    return true;
}

/* ---- a block ---- */

typedef struct {
    const nnd_two_layer *p;
    nnd_context *ctx;
    nnd_learners learners;
    nnd_two_layer_control control;
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static nnd_status add_arrays(run *r) {
    static const struct {
        const char *name;
        bool tests, kernels;
    } arrays[] = {
        {"delta", false, false},      {"output", false, false}, {"loss", false, false},
        {"test_output", true, false}, {"ntk", false, true},     {"ntk_test", true, true},
        {"test_loss", true, false},
    };
    nnd_frame *frame = r->learners.frame;
    bool tests = r->learners.set.tests > 0;
    nnd_status status = NND_OK;
    if (r->p->two_time)
        status = nnd_timegrid_add_dim(&r->learners.grid, frame, "s");
    if (status == NND_OK && r->p->kernels)
        status = nnd_frame_add(frame, "ntk_diagonal", "seed,t,mu", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if ((!arrays[i].tests || tests) && (!arrays[i].kernels || r->p->kernels) &&
            (strcmp(arrays[i].name, "test_loss") != 0 || r->learners.set.test_targets != NULL))
            status = nnd_frame_add_variable(frame, &nnd_two_layer_fluctuations_model,
                                            arrays[i].name, NULL);
    return status;
}

static nnd_status run_make(run *r, size_t width, size_t first_seed, size_t count) {
    const nnd_two_layer *p = r->p;
    nnd_learners *x = &r->learners;
    nnd_layer_plan layer[2];
    nnd_status status =
        nnd_learners_load(r->ctx, &p->data, p->steps, &p->record, p->record_every, x);
    if (status != NND_OK)
        return status;
    nnd_network_plan plan = plan_of(p, width, x->set.dim, layer);
    status = nnd_learners_make(r->ctx, &plan, first_seed, count, x);
    if (status == NND_OK)
        status = add_arrays(r);
    if (status != NND_OK || !p->control)
        return status;
    status = nnd_two_layer_control_make(r->ctx, p, &x->set, &r->control);
    return status == NND_OK
               ? nnd_seed_frame_add_controls(x->frame, nnd_two_layer_controls(&r->control))
               : status;
}

/* ---- training ---- */

/* Control variates of network b at t = 0, after its backward pass. */
static void take_controls(run *r, size_t b) {
    nnd_learners *x = &r->learners;
    const nnd_network *net = &x->net;
    double *control = nnd_seed_row(x->frame, "control", x->first + b);
    if (control == NULL)
        return;
    nnd_network_ntk(net, b, x->gram);
    cblas_dscal((int)(net->samples * net->samples), 1.0 / r->p->lr, x->gram, 1);
    nnd_two_layer_control_take(&r->control, net->layer[0].rows,
                               nnd_network_field(net, 1, b, net->layer[1].phi), x->gram,
                               net->samples, control);
}

static void record_kernel(run *r, size_t b, size_t i) {
    nnd_learners *x = &r->learners;
    size_t train = x->train, tests = x->set.tests, seed = x->first + b;
    double *ntk = nnd_seed_row(x->frame, "ntk", seed) + i * train * train;
    double *diagonal = nnd_seed_row(x->frame, "ntk_diagonal", seed) + i * train;
    /* The raw rates in it make f(t+1) - f(t) = kernel . residual/train; K is without lr. */
    nnd_network_ntk(&x->net, b, x->gram);
    nnd_learners_copy_gram(x, 1.0 / r->p->lr, ntk);
    for (size_t mu = 0; mu < train; mu++)
        diagonal[mu] = ntk[mu * train + mu];
    double *test = nnd_seed_row(x->frame, "ntk_test", seed);
    for (size_t k = 0; test != NULL && k < tests * train; k++)
        test[i * tests * train + k] =
            x->gram[(train + k / train) * x->net.samples + k % train] / r->p->lr;
}

static void record(run *r, size_t b, size_t i, double loss) {
    nnd_learners *x = &r->learners;
    size_t seed = x->first + b;
    nnd_learners_record(x, b, i);
    memcpy(nnd_seed_row(x->frame, "output", seed) + i * x->train,
           x->net.output + b * x->net.samples, x->train * sizeof(double));
    nnd_seed_row(x->frame, "loss", seed)[i] = loss;
    double *test_loss = nnd_seed_row(x->frame, "test_loss", seed);
    if (test_loss != NULL)
        test_loss[i] = nnd_loss(NND_HALF_SQUARE, x->set.tests, NULL, x->set.test_targets,
                                x->net.output + b * x->net.samples + x->train, NULL);
    if (r->p->kernels)
        record_kernel(r, b, i);
    if (r->keeper != NULL && seed == 0)
        nnd_keeper_take(r->keeper, &x->net, b, i);
}

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_learners *x = &r->learners;
    size_t steps = (size_t)r->p->steps, recorded = 0;
    memset(x->net.start, 0, x->net.networks * x->net.samples * sizeof(double));
    nnd_network_draw(&x->net, 0, 1.0, key, NND_STREAM_TWO_LAYER_WEIGHTS);
    nnd_network_draw(&x->net, 1, 1.0, key, NND_STREAM_TWO_LAYER_READOUT);
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        bool wanted = x->grid.step[recorded] == t;
        nnd_network_forward(&x->net);
        if (t == 0 && r->p->center)
            nnd_network_center(&x->net);
        if (t < steps || (wanted && r->p->kernels) || (t == 0 && r->p->control))
            nnd_network_backward(&x->net, NULL);
        for (size_t b = 0; b < x->net.networks; b++) {
            double loss;
            if (t == 0)
                take_controls(r, b);
            if (nnd_learners_evaluate(x, b, t, &loss) && wanted)
                record(r, b, recorded, loss);
        }
        recorded += wanted;
        if (t < steps)
            nnd_learners_descend(x, NULL, nnd_rates_at(&r->p->schedule, t));
        status = nnd_progress_step(r->ctx, (double)t, (double)steps);
    }
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.p = params, .ctx = ctx, .keeper = keeper};
    nnd_learners *x = &r.learners;
    nnd_status status = run_make(&r, size, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, x->frame, &x->net);
    for (; status == NND_OK && x->first < count; x->first += x->net.networks) {
        nnd_learners_progress(ctx, x, count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + x->first, size});
    }
    nnd_two_layer_control_clear(&r.control);
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
    const nnd_two_layer *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, nnd_data_dim(&p->data), layer);
    return nnd_recipe_of_network(ctx, &plan, p->gamma0 * sqrt((double)size),
                                 p->center ? "SGD on the mean of (y - f)^2/2, no biases, output "
                                             "minus that of the initial network"
                                           : "SGD on the mean of (y - f)^2/2, no biases",
                                 out);
}

const nnd_simulator nnd_two_layer_fluctuations_simulator = {
    .model = &nnd_two_layer_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
