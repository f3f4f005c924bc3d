/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/two_layer_fluctuations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/dataset.h"
#include "nndmft/two_layer_fluctuations.h"
#include "validate/network.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* Streams of random numbers. */
enum { STREAM_WEIGHTS, STREAM_READOUT };

/* Networks that train side by side stay in the second-level cache: this many numbers. */
static const double CACHE = 65536.0;
/* A block has at most so many networks and about so many operations. */
enum { MOST_SIDE_BY_SIDE = 64, MOST_SEEDS = 256 };
static const double BLOCK_FLOPS = 2e10;
/* A loss beyond this multiple of the first loss and targets has diverged. */
static const double DIVERGED = 1e9;

/* ---- sizes ---- */

static size_t samples_of(const nnd_two_layer *p) {
    return nnd_data_samples(&p->data) + nnd_data_tests(&p->data);
}

static size_t inputs_of(const nnd_two_layer *p) {
    if (p->data.inputs.rows > 0)
        return p->data.inputs.cols;
    return p->data.generate != NND_GENERATE_NONE ? (size_t)p->data.dim : samples_of(p);
}

/* How many networks train side by side. */
static size_t lanes(const nnd_two_layer *p, size_t width) {
    double numbers = (double)width * (double)(4 * samples_of(p) + inputs_of(p) + 2);
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

static double times_of(const nnd_two_layer *p) {
    return p->record.count > 0 ? (double)p->record.count + 1.0
                               : floor((double)p->steps / (double)p->record_every) + 2.0;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_two_layer *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, inputs_of(p), layer);
    double train = (double)nnd_data_samples(&p->data), samples = (double)plan.samples;
    double numbers = 2.0 + 2.0 * train + (samples - train);
    if (p->kernels)
        numbers += train * (train + 1.0);
    double kernel = p->kernels ? 4.0 * (double)size * samples * samples : 0.0;
    return (nnd_simulation_cost){
        .bytes = nnd_network_bytes(&plan) + samples * samples * sizeof(double),
        .record_bytes = numbers * times_of(p) * sizeof(double),
        .flops = ((double)p->steps + 1.0) * nnd_network_flops(&plan) + times_of(p) * kernel +
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
    if ((double)size * (double)(samples_of(p) + inputs_of(p)) > largest)
        return nnd_object(o, "size", "%zu neurons with %zu samples are more than %g numbers", size,
                          samples_of(p), largest);
    return true;
}

/* ---- a block ---- */

typedef struct {
    const nnd_two_layer *p;
    nnd_context *ctx;
    nnd_dataset set;
    nnd_timegrid grid;
    nnd_network net;
    nnd_frame *frame;
    size_t train, first; /* training samples; row of the first network side by side */
    double *residual;    /* networks x samples: of this step, 0 at test samples */
    double *bound;       /* loss at which a network counts as diverged; 0: it has */
    double *kernel;      /* samples x samples */
} run;

static nnd_status add_arrays(run *r) {
    static const struct {
        const char *name, *dims;
        bool tests, kernels;
    } arrays[] = {
        {"delta", "seed,t,mu", false, false}, {"output", "seed,t,mu", false, false},
        {"loss", "seed,t", false, false},     {"test_output", "seed,t,test", true, false},
        {"ntk", "seed,t,mu,nu", false, true}, {"ntk_diagonal", "seed,t,mu", false, true},
    };
    nnd_status status = nnd_frame_add_range(r->frame, "mu", r->train, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "nu", r->train, 0.0);
    if (status == NND_OK && r->set.tests > 0)
        status = nnd_frame_add_range(r->frame, "test", r->set.tests, 0.0);
    if (status == NND_OK && r->p->two_time)
        status = nnd_timegrid_add_dim(&r->grid, r->frame, "s");
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if ((!arrays[i].tests || r->set.tests > 0) && (!arrays[i].kernels || r->p->kernels))
            status = nnd_frame_add(r->frame, arrays[i].name, arrays[i].dims, NULL);
    return status;
}

static nnd_status run_make(run *r, size_t width, size_t first_seed, size_t count) {
    const nnd_two_layer *p = r->p;
    nnd_layer_plan layer[2];
    nnd_status status = nnd_dataset_make(r->ctx, &p->data, &r->set);
    if (status == NND_OK)
        status = nnd_dataset_reproduce(r->ctx, &r->set, 0);
    if (status == NND_OK)
        status = nnd_timegrid_make(r->ctx, (size_t)p->steps, &p->record, (size_t)p->record_every,
                                   &r->grid);
    if (status != NND_OK)
        return status;
    r->train = r->set.samples;
    nnd_network_plan plan = plan_of(p, width, r->set.dim, layer);
    status = nnd_network_make(r->ctx, &plan, &r->net);
    if (status != NND_OK)
        return status;
    nnd_network_set_inputs(&r->net, 0, r->set.inputs);
    r->residual = calloc(plan.networks * plan.samples, sizeof(double));
    r->bound = calloc(plan.networks, sizeof(double));
    r->kernel = calloc(plan.samples * plan.samples, sizeof(double));
    if (r->residual == NULL || r->bound == NULL || r->kernel == NULL)
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
    free(r->kernel);
}

/* ---- training ---- */

/* Residuals and loss of network b at step t; false if it has diverged. */
static bool evaluate(run *r, size_t b, size_t t, double *loss) {
    size_t samples = r->net.samples;
    const double *f = r->net.output + b * samples;
    double *residual = r->residual + b * samples, target2 = 0.0;
    if (t > 0 && r->bound[b] == 0.0)
        return false;
    *loss = nnd_loss(NND_HALF_SQUARE, r->train, NULL, r->set.targets, f, residual);
    for (size_t mu = 0; t == 0 && mu < r->train; mu++)
        target2 += r->set.targets[mu] * r->set.targets[mu];
    if (t == 0)
        r->bound[b] = fmax(DIVERGED * (*loss + target2), 1e-300);
    if (*loss <= r->bound[b])
        return true;
    r->bound[b] = 0.0;
    memset(residual, 0, samples * sizeof(double));
    *nnd_seed_row(r->frame, "diverged_at", r->first + b) = (double)t;
    return false;
}

static void record_kernel(run *r, size_t b, size_t i) {
    size_t train = r->train, samples = r->net.samples, seed = r->first + b;
    double *ntk = nnd_seed_row(r->frame, "ntk", seed) + i * train * train;
    double *diagonal = nnd_seed_row(r->frame, "ntk_diagonal", seed) + i * train;
    /* The raw rates in it make f(t+1) - f(t) = kernel . residual/train; K is without lr. */
    nnd_network_ntk(&r->net, b, r->kernel);
    for (size_t mu = 0; mu < train; mu++) {
        for (size_t nu = 0; nu < train; nu++)
            ntk[mu * train + nu] = r->kernel[mu * samples + nu] / r->p->lr;
        diagonal[mu] = ntk[mu * train + mu];
    }
}

static void record(run *r, size_t b, size_t i, double loss) {
    size_t train = r->train, samples = r->net.samples, seed = r->first + b;
    const double *f = r->net.output + b * samples;
    memcpy(nnd_seed_row(r->frame, "delta", seed) + i * train, r->residual + b * samples,
           train * sizeof(double));
    memcpy(nnd_seed_row(r->frame, "output", seed) + i * train, f, train * sizeof(double));
    nnd_seed_row(r->frame, "loss", seed)[i] = loss;
    if (r->set.tests > 0)
        memcpy(nnd_seed_row(r->frame, "test_output", seed) + i * r->set.tests, f + train,
               r->set.tests * sizeof(double));
    if (r->p->kernels)
        record_kernel(r, b, i);
}

/* One step of all networks side by side, whose residuals are known. */
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
    nnd_network_draw(&r->net, 0, 1.0, key, STREAM_WEIGHTS);
    nnd_network_draw(&r->net, 1, 1.0, key, STREAM_READOUT);
    for (size_t t = 0; t <= steps; t++) {
        bool wanted = r->grid.step[recorded] == t;
        nnd_network_forward(&r->net);
        if (t == 0 && r->p->center)
            nnd_network_center(&r->net);
        if (t < steps || (wanted && r->p->kernels))
            nnd_network_backward(&r->net, NULL);
        for (size_t b = 0; b < r->net.networks; b++) {
            double loss;
            if (evaluate(r, b, t, &loss) && wanted)
                record(r, b, recorded, loss);
        }
        recorded += wanted;
        if (t < steps)
            descend(r);
    }
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    run r = {.p = params, .ctx = ctx};
    nnd_status status = run_make(&r, size, first_seed, count);
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
    const nnd_two_layer *p = params;
    nnd_layer_plan layer[2];
    nnd_network_plan plan = plan_of(p, size, inputs_of(p), layer);
    double *std = NULL, *lr = NULL;
    nnd_status status =
        nnd_recipe_new(ctx, 0, 2, p->gamma0 * sqrt((double)size),
                       p->center ? "SGD on the mean of (y - f)^2/2, no biases, output "
                                   "minus that of the initial network"
                                 : "SGD on the mean of (y - f)^2/2, no biases",
                       out, &std, &lr);
    /* With A = std W as the trained parameters a step of W by eta is one of A by eta std^2. */
    for (size_t l = 0; status == NND_OK && l < plan.layers; l++) {
        std[l] = 1.0 / sqrt((double)(l == 0 ? plan.inputs : size));
        lr[l] = layer[l].rate * std[l] * std[l];
    }
    return status;
}

const nnd_simulator nnd_two_layer_fluctuations_simulator = {
    .model = &nnd_two_layer_fluctuations_model,
    .block = block,
    .simulate = simulate,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
