/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_network.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

double nnd_wide_gamma(const nnd_wide_mlp *p, size_t width) {
    return p->parameterization == NND_NTK ? p->gamma0 / sqrt((double)width) : p->gamma0;
}

/* Learning rate of the weights W_l, eta0 gamma^2 N. */
static double raw_rate(const nnd_wide_mlp *p, size_t width) {
    double gamma = nnd_wide_gamma(p, width);
    return p->lr * gamma * gamma * (double)width;
}

nnd_network_plan nnd_wide_plan(const nnd_wide_mlp *p, size_t width, size_t networks,
                               nnd_layer_plan *layer) {
    size_t depth = (size_t)p->depth, inputs = nnd_data_dim(&p->data);
    for (size_t l = 0; l < depth; l++)
        layer[l] = (nnd_layer_plan){
            .width = width,
            .scale = p->sigma_w / sqrt((double)(l == 0 ? inputs : width)),
            .rate = raw_rate(p, width),
            .activation = p->activation.name == NND_LINEAR && p->activation.scale == 1.0
                              ? NULL
                              : &p->activation,
        };
    layer[depth] = (nnd_layer_plan){
        .width = 1,
        .scale = p->sigma_w / (nnd_wide_gamma(p, width) * (double)width),
        .rate = raw_rate(p, width),
    };
    return (nnd_network_plan){
        .networks = networks,
        .samples = nnd_data_samples(&p->data) + nnd_data_tests(&p->data),
        .inputs = inputs,
        .layers = depth + 1,
        .layer = layer,
    };
}

static nnd_status make_data(nnd_wide_block *block) {
    const nnd_wide_mlp *p = block->params;
    nnd_status status = nnd_wide_mlp_dataset(block->ctx, p, &block->set);
    if (status == NND_OK)
        status = nnd_dataset_reproduce(block->ctx, &block->set, 0);
    if (status != NND_OK)
        return status;
    block->training = block->set.samples;
    block->tests = block->set.tests;
    return nnd_schedule_make(block->ctx, p->batch, block->training, &block->schedule);
}

nnd_status nnd_wide_block_make(nnd_context *ctx, const nnd_wide_mlp *p, size_t width,
                               size_t networks, nnd_wide_block *block) {
    nnd_layer_plan layer[NND_WIDE_MAX_LAYERS];
    *block = (nnd_wide_block){.params = p, .ctx = ctx, .width = width, .depth = (size_t)p->depth};
    nnd_status status = make_data(block);
    if (status != NND_OK)
        return status;
    nnd_network_plan plan = nnd_wide_plan(p, width, networks, layer);
    status = nnd_network_make(ctx, &plan, &block->net);
    if (status != NND_OK)
        return status;
    nnd_network_set_inputs(&block->net, 0, block->set.inputs);
    block->weight = calloc(block->training, sizeof(double));
    block->delta = calloc(networks * block->training, sizeof(double));
    block->coefficient = calloc(networks * plan.samples, sizeof(double));
    block->loss = calloc(networks, sizeof(double));
    if (p->orthonormal_init)
        block->columns = calloc((plan.inputs + 1) * (width + 2), sizeof(double));
    bool done = block->weight != NULL && block->delta != NULL && block->coefficient != NULL &&
                block->loss != NULL && (!p->orthonormal_init || block->columns != NULL);
    return done ? NND_OK : nnd_fail_memory(ctx, "a block of networks");
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
    *block = (nnd_wide_block){0};
}

/* The columns of (W0, w) become orthogonal and get the squared norm N (wide-mlp.md#s12). */
static nnd_status orthonormalise(nnd_wide_block *block, size_t b) {
    lapack_int n = (lapack_int)block->width, d = (lapack_int)block->net.inputs, count = d + 1;
    double *column = block->columns, *tau = column + (size_t)count * block->width;
    double *w0 = nnd_network_weights(&block->net, 0, b);
    double *readout = nnd_network_weights(&block->net, block->depth, b);
    for (lapack_int j = 0; j < d; j++)
        cblas_dcopy(n, w0 + j, d, column + j * n, 1);
    cblas_dcopy(n, readout, 1, column + d * n, 1);
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
    cblas_dcopy(n, column + d * n, 1, readout, 1);
    return NND_OK;
}

nnd_status nnd_wide_block_draw(nnd_wide_block *block, nnd_rng_key key) {
    nnd_network *net = &block->net;
    nnd_status status = NND_OK;
    for (size_t l = 0; l < net->layers; l++)
        nnd_network_draw(net, l, 1.0, key, (uint32_t)(NND_STREAM_WIDE_MLP_WEIGHTS + l));
    for (size_t b = 0; status == NND_OK && block->columns != NULL && b < net->networks; b++)
        status = orthonormalise(block, b);
    memset(net->start, 0, net->networks * net->samples * sizeof(double));
    if (status == NND_OK && block->params->center) {
        nnd_network_forward(net);
        nnd_network_center(net);
    }
    return status;
}

void nnd_wide_block_evaluate(nnd_wide_block *block) {
    nnd_network *net = &block->net;
    nnd_network_forward(net);
    for (size_t b = 0; b < net->networks; b++)
        block->loss[b] =
            nnd_loss(NND_HALF_SQUARE, block->training, NULL, block->set.targets,
                     net->output + b * net->samples, block->delta + b * block->training);
    nnd_network_backward(net, NULL);
}

void nnd_wide_block_step(nnd_wide_block *block, size_t step) {
    nnd_network *net = &block->net;
    nnd_schedule_weights(&block->schedule, step, block->weight);
    for (size_t b = 0; b < net->networks; b++)
        for (size_t mu = 0; mu < block->training; mu++)
            block->coefficient[b * net->samples + mu] =
                block->weight[mu] * block->delta[b * block->training + mu];
    nnd_network_descend(net, block->coefficient, NULL);
}
