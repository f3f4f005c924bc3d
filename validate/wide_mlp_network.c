/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_network.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "validate/flow.h"

double nnd_wide_gamma(const nnd_wide_mlp *p, size_t width) {
    return p->parameterization == NND_MUP ? p->gamma0 : p->gamma0 / sqrt((double)width);
}

double nnd_wide_rate(const nnd_wide_mlp *p) {
    return p->integrator == NND_GRADIENT_FLOW ? 1.0 : p->lr;
}

/* Learning rate of the weights W_l, eta0 gamma^2 N. Standard weights are
 * (sigma_w/sqrt(fan-in)) W_l and descend with lr (wide-mlp.md#s1-2). */
static double raw_rate(const nnd_wide_mlp *p, size_t fan_in, size_t width) {
    double gamma = nnd_wide_gamma(p, width);
    if (p->parameterization == NND_STANDARD)
        return nnd_wide_rate(p) * (double)fan_in / (p->sigma_w * p->sigma_w);
    return nnd_wide_rate(p) * gamma * gamma * (double)width;
}

/* Hidden layer l; the first one has no branch. */
static nnd_layer_plan hidden(const nnd_wide_mlp *p, size_t l, size_t inputs, size_t width) {
    double branch = l == 0 ? 1.0 : nnd_wide_mlp_branch(p);
    size_t fan_in = l == 0 ? inputs : width;
    return (nnd_layer_plan){
        .width = width,
        .scale = branch * p->sigma_w / sqrt((double)fan_in),
        .bias = branch * p->sigma_b,
        .rate = raw_rate(p, fan_in, width),
        .skip = l > 0 && p->residual != NND_RESIDUAL_NONE,
        .activation =
            p->activation.name == NND_LINEAR && p->activation.scale == 1.0 ? NULL : &p->activation,
    };
}

nnd_network_plan nnd_wide_plan(const nnd_wide_mlp *p, size_t width, size_t networks,
                               nnd_layer_plan *layer) {
    size_t depth = (size_t)p->depth, inputs = nnd_data_dim(&p->data);
    double n = (double)width, gamma = nnd_wide_gamma(p, width);
    for (size_t l = 0; l < depth; l++)
        layer[l] = hidden(p, l, inputs, width);
    layer[depth] = (nnd_layer_plan){
        .width = (size_t)p->outputs,
        .scale = p->sigma_w / (gamma * n),
        .bias = p->sigma_b / (gamma * sqrt(n)),
        .rate = raw_rate(p, width, width),
    };
    return (nnd_network_plan){
        .networks = networks,
        .samples = nnd_data_samples(&p->data) + nnd_data_tests(&p->data),
        .inputs = inputs,
        .layers = depth + 1,
        .layer = layer,
    };
}

/* ---- making ---- */

/* Whether the initial network is followed as it decays. */
static bool follows_first(const nnd_wide_mlp *p) {
    return p->center && p->weight_decay > 0.0;
}

static double weights_of(const nnd_network_plan *plan) {
    double n = 0.0, cols = (double)plan->inputs;
    for (size_t l = 0; l < plan->layers; l++) {
        n += (double)plan->layer[l].width * (cols + (plan->layer[l].bias > 0.0 ? 1.0 : 0.0));
        cols = (double)plan->layer[l].width;
    }
    return n;
}

double nnd_wide_block_bytes(const nnd_wide_mlp *p, const nnd_network_plan *plan) {
    double weights = (double)plan->networks * weights_of(plan);
    double copies = (p->momentum > 0.0 ? 1.0 : 0.0) + (follows_first(p) ? 2.0 : 0.0);
    double fields = 2.0 * (double)plan->networks * (double)plan->samples * (double)p->outputs;
    return nnd_network_bytes(plan) + (copies * weights + fields) * sizeof(double) +
           (p->integrator == NND_GRADIENT_FLOW ? nnd_flow_bytes(weights) : 0.0);
}

static nnd_status make_data(nnd_wide_block *block) {
    const nnd_wide_mlp *p = block->params;
    nnd_status status = nnd_wide_mlp_has_many(p) ? nnd_wide_mlp_inputs(block->ctx, p, &block->set)
                                                 : nnd_wide_mlp_dataset(block->ctx, p, &block->set);
    if (status == NND_OK)
        status = nnd_dataset_reproduce(block->ctx, &block->set, 0);
    if (status != NND_OK)
        return status;
    block->training = block->set.samples;
    block->tests = block->set.tests;
    return nnd_schedule_make(block->ctx, p->batch, block->training, &block->schedule);
}

static bool allocate(double **x, size_t n) {
    *x = calloc(n, sizeof(double));
    return *x != NULL;
}

static bool make_arrays(nnd_wide_block *block, const nnd_network_plan *plan) {
    const nnd_wide_mlp *p = block->params;
    size_t networks = plan->networks, c = block->outputs, n = block->net.weight_count;
    return allocate(&block->weight, block->training) &&
           allocate(&block->delta, networks * block->training * c) &&
           allocate(&block->coefficient, networks * plan->samples * c) &&
           allocate(&block->loss, networks) &&
           (!p->orthonormal_init ||
            allocate(&block->columns, (plan->inputs + c) * (block->width + 2))) &&
           (p->momentum == 0.0 || allocate(&block->velocity, n)) &&
           (!follows_first(p) || (allocate(&block->first, n) && allocate(&block->decayed, n)));
}

nnd_status nnd_wide_block_make(nnd_context *ctx, const nnd_wide_mlp *p, size_t width,
                               size_t networks, nnd_wide_block *block) {
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    *block = (nnd_wide_block){.params = p,
                              .ctx = ctx,
                              .width = width,
                              .depth = (size_t)p->depth,
                              .outputs = (size_t)p->outputs};
    nnd_status status = make_data(block);
    if (status != NND_OK)
        return status;
    nnd_network_plan plan = nnd_wide_plan(p, width, networks, layer);
    status = nnd_network_make(ctx, &plan, &block->net);
    if (status != NND_OK)
        return status;
    nnd_network_set_inputs(&block->net, 0, block->set.inputs);
    return make_arrays(block, &plan) ? NND_OK : nnd_fail_memory(ctx, "a block of networks");
}

void nnd_wide_block_clear(nnd_wide_block *block) {
    nnd_network_clear(&block->net);
    nnd_schedule_clear(&block->schedule);
    nnd_dataset_clear(&block->set);
    free(block->weight);
    free(block->delta);
    free(block->coefficient);
    free(block->loss);
    free(block->columns);
    free(block->velocity);
    free(block->first);
    free(block->decayed);
    *block = (nnd_wide_block){0};
}

/* ---- the start ---- */

/* The columns of (W0, w) become orthogonal and get the squared norm N (wide-mlp.md#s12). */
static nnd_status orthonormalise(nnd_wide_block *block, size_t b) {
    lapack_int n = (lapack_int)block->width, d = (lapack_int)block->net.inputs;
    lapack_int outputs = (lapack_int)block->outputs, count = d + outputs;
    double *column = block->columns, *tau = column + (size_t)count * block->width;
    double *w0 = nnd_network_weights(&block->net, 0, b);
    double *readout = nnd_network_weights(&block->net, block->depth, b);
    for (lapack_int j = 0; j < d; j++)
        cblas_dcopy(n, w0 + j, d, column + j * n, 1);
    cblas_dcopy(outputs * n, readout, 1, column + d * n, 1);
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n, count, column, n, tau) != 0)
        return nnd_fail_memory(block->ctx, "orthonormal weights");
    /* Gram-Schmidt is the factorization with a positive diagonal. */
    for (lapack_int j = 0; j < count; j++)
        tau[count + j] = copysign(sqrt((double)n), column[j * n + j]);
    if (LAPACKE_dorgqr(LAPACK_COL_MAJOR, n, count, count, column, n, tau) != 0)
        return nnd_fail_memory(block->ctx, "orthonormal weights");
    for (lapack_int j = 0; j < count; j++)
        cblas_dscal(n, tau[count + j], column + j * n, 1);
    for (lapack_int j = 0; j < d; j++)
        cblas_dcopy(n, column + j * n, 1, w0 + j, d);
    cblas_dcopy(outputs * n, column + d * n, 1, readout, 1);
    return NND_OK;
}

/* Biases of the outputs begin at 0. */
static void draw(nnd_network *net, size_t depth, nnd_rng_key key) {
    for (size_t l = 0; l < net->layers; l++)
        nnd_network_draw(net, l, 1.0, key, (uint32_t)(NND_STREAM_WIDE_MLP_WEIGHTS + l));
    for (size_t l = 0; l < depth && net->layer[l].b != NULL; l++)
        nnd_network_draw_biases(net, l, key, (uint32_t)(NND_STREAM_WIDE_MLP_BIASES + l));
    if (net->layer[depth].b != NULL)
        memset(net->layer[depth].b, 0, net->networks * net->outputs * sizeof(double));
}

nnd_status nnd_wide_block_draw(nnd_wide_block *block, nnd_rng_key key) {
    nnd_network *net = &block->net;
    nnd_status status = NND_OK;
    draw(net, block->depth, key);
    for (size_t b = 0; status == NND_OK && block->columns != NULL && b < net->networks; b++)
        status = orthonormalise(block, b);
    memset(net->start, 0, net->networks * net->outputs * net->samples * sizeof(double));
    block->kappa = 1.0;
    if (block->velocity != NULL)
        memset(block->velocity, 0, net->weight_count * sizeof(double));
    if (block->first != NULL)
        memcpy(block->first, net->weights, net->weight_count * sizeof(double));
    if (status == NND_OK && block->params->center) {
        nnd_network_forward(net);
        nnd_network_center(net);
    }
    return status;
}

/* ---- evaluation ---- */

nnd_wide_outputs nnd_wide_block_outputs(const nnd_wide_block *block, size_t b) {
    return (nnd_wide_outputs){
        .kind = block->params->loss,
        .outputs = block->outputs,
        .n = block->training,
        .ld = block->net.samples,
        .target = block->set.targets,
        .output = block->net.output + b * block->outputs * block->net.samples,
    };
}

nnd_wide_outputs nnd_wide_block_tests(const nnd_wide_block *block, size_t b) {
    nnd_wide_outputs of = nnd_wide_block_outputs(block, b);
    of.n = block->tests;
    of.target = block->set.test_targets;
    of.output += block->training;
    return of;
}

/* What is subtracted from the output becomes that of the weights kappa theta(0): decay changes the
 * output of a network that has learned nothing, too. */
static void center_on_decayed(nnd_wide_block *block) {
    nnd_network *net = &block->net;
    for (size_t i = 0; i < net->weight_count; i++)
        block->decayed[i] = block->kappa * block->first[i];
    nnd_network_exchange(net, &block->decayed);
    nnd_network_forward(net);
    nnd_network_center(net);
    nnd_network_exchange(net, &block->decayed);
}

void nnd_wide_block_evaluate(nnd_wide_block *block) {
    nnd_network *net = &block->net;
    if (block->first != NULL)
        center_on_decayed(block);
    nnd_network_forward(net);
    for (size_t b = 0; b < net->networks; b++) {
        nnd_wide_outputs of = nnd_wide_block_outputs(block, b);
        block->loss[b] =
            nnd_wide_mean_loss(&of, block->delta + b * block->training * block->outputs);
    }
    if (block->outputs == 1)
        nnd_network_backward(net, NULL);
}

/* ---- training ---- */

/* Coefficients of the gradient of the samples' weights, times a factor. With several outputs one
 * pass backward of sum_c Delta_c f_c does for all of them. */
static void weigh(nnd_wide_block *block, double factor) {
    nnd_network *net = &block->net;
    size_t outputs = block->outputs, p = block->training;
    for (size_t b = 0; b < net->networks; b++)
        for (size_t c = 0; c < outputs; c++)
            for (size_t mu = 0; mu < p; mu++)
                block->coefficient[(b * outputs + c) * net->samples + mu] =
                    factor * block->weight[mu] * block->delta[(b * p + mu) * outputs + c];
    if (outputs > 1)
        nnd_network_backward(net, block->coefficient);
}

/* target += the step of plain descent of these coefficients. */
static void descend(nnd_wide_block *block, double *target) {
    nnd_network_descend(&block->net, block->outputs > 1 ? NULL : block->coefficient, target);
}

static void scale(size_t n, double factor, double *x) {
    for (size_t i = 0; factor != 1.0 && i < n; i++)
        x[i] *= factor;
}

/* V <- m V + s u, theta <- (1 - lambda) theta + V (wide-mlp.md#eq14). */
void nnd_wide_block_step(nnd_wide_block *block, size_t step) {
    const nnd_wide_mlp *p = block->params;
    nnd_network *net = &block->net;
    double left = 1.0 - p->weight_decay;
    nnd_schedule_weights(&block->schedule, step, block->weight);
    weigh(block, nnd_wide_mlp_rate(p, step));
    if (block->velocity != NULL)
        scale(net->weight_count, p->momentum, block->velocity);
    else
        scale(net->weight_count, left, net->weights);
    descend(block, block->velocity);
    for (size_t i = 0; block->velocity != NULL && i < net->weight_count; i++)
        net->weights[i] = left * net->weights[i] + block->velocity[i];
    block->kappa *= left;
}

/* ---- gradient flow ---- */

size_t nnd_wide_block_state(const nnd_wide_block *block) {
    return block->net.weight_count + 1;
}

void nnd_wide_block_set(nnd_wide_block *block, const double *state) {
    size_t n = block->net.weight_count;
    memcpy(block->net.weights, state, n * sizeof *state);
    block->kappa = state[n];
    nnd_wide_block_evaluate(block);
}

void nnd_wide_block_flow(nnd_wide_block *block, const double *state, double *rate) {
    size_t n = nnd_wide_block_state(block);
    nnd_wide_block_set(block, state);
    for (size_t i = 0; i < n; i++)
        rate[i] = -block->params->weight_decay * state[i];
    for (size_t mu = 0; mu < block->training; mu++)
        block->weight[mu] = 1.0 / (double)block->training;
    weigh(block, 1.0);
    descend(block, rate);
}
