/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flat_minima_block.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

static bool is_residual(const nnd_flat_minima *p) {
    return p->architecture == NND_FLAT_RESIDUAL;
}

/* ---- making ---- */

nnd_status nnd_flat_network_make(nnd_context *ctx, const nnd_flat_minima *p, size_t samples,
                                 const double *x, size_t networks, nnd_network *net) {
    size_t depth = (size_t)p->depth, layers = depth + is_residual(p);
    nnd_layer_plan *layer = calloc(layers, sizeof *layer);
    if (layer == NULL)
        return nnd_fail_memory(ctx, "a network");
    for (size_t k = 0; k < layers; k++) {
        bool hidden = k + 1 < depth && !nnd_flat_minima_is_linear(p);
        layer[k] = (nnd_layer_plan){
            .width = k < depth ? nnd_flat_minima_width(p, k + 1) : 1,
            .scale = 1.0,
            .rate = k < depth ? 1.0 : 0.0,
            .activation = hidden ? &p->activation : NULL,
        };
    }
    nnd_network_plan plan = {.networks = networks,
                             .samples = samples,
                             .inputs = nnd_flat_minima_dim(p),
                             .layers = layers,
                             .layer = layer};
    nnd_status status = nnd_network_make(ctx, &plan, net);
    if (status == NND_OK)
        nnd_network_set_inputs(net, 0, x);
    free(layer);
    return status;
}

/* Of either kind. */
static nnd_status make_lanes(nnd_context *ctx, nnd_flat_block *block) {
    const nnd_flat_minima *p = block->params;
    const nnd_flat_data *data = &block->data;
    size_t depth = (size_t)p->depth, *width = calloc(depth + 1, sizeof *width);
    if (width == NULL)
        return nnd_fail_memory(ctx, "a block of networks");
    for (size_t k = 0; k <= depth; k++)
        width[k] = nnd_flat_minima_width(p, k);
    nnd_status status = block->linear
                            ? nnd_lanes_make(ctx, depth, width, data->samples, data->x, data->y,
                                             data->weight, data->floor, &block->lanes)
                            : nnd_bent_lanes_make(ctx, depth, width, &p->activation, data->samples,
                                                  data->x, data->y, data->weight, &block->bent);
    free(width);
    return status;
}

static size_t widest(const nnd_flat_minima *p) {
    size_t most = 0;
    for (size_t k = 0; k <= (size_t)p->depth; k++)
        most = nnd_flat_minima_width(p, k) > most ? nnd_flat_minima_width(p, k) : most;
    return most;
}

static double *all_weights(const nnd_flat_block *block) {
    return block->linear ? block->lanes.weights : block->bent.weights;
}

enum { MOST_FLOW_STEPS = 100000000 };

static size_t weight_count(const nnd_flat_block *block) {
    return NND_LANES * (block->linear ? block->lanes.count : block->bent.count);
}

/* dx/dt = - gradient, at weights that become those of the block. */
static void flow_rate(void *user, const double *x, double *rate) {
    nnd_flat_block *block = user;
    memcpy(all_weights(block), x, weight_count(block) * sizeof *x);
    memset(rate, 0, weight_count(block) * sizeof *rate);
    nnd_flat_block_evaluate(block);
    if (block->linear)
        nnd_lanes_add_gradient(&block->lanes, -1.0, rate);
    else
        nnd_bent_lanes_add_gradient(&block->bent, -1.0, rate);
}

nnd_status nnd_flat_block_make(nnd_context *ctx, const nnd_flat_minima *p, nnd_flat_block *block) {
    *block = (nnd_flat_block){.params = p, .linear = nnd_flat_minima_is_linear(p)};
    nnd_status status = nnd_flat_data_make(ctx, p, &block->data);
    if (status == NND_OK)
        status = make_lanes(ctx, block);
    if (status != NND_OK)
        return status;
    block->one = calloc(weight_count(block), sizeof(double));
    block->pair = calloc(2 * widest(p), sizeof(double));
    if (block->one == NULL || block->pair == NULL)
        return nnd_fail_memory(ctx, "a block of networks");
    if (p->integrator == NND_GRADIENT_FLOW) {
        status =
            nnd_flow_make(ctx, weight_count(block), flow_rate, block, 1e-10, 1e-13, &block->flow);
        block->flow.max_steps = MOST_FLOW_STEPS;
        block->flow.last = p->time;
    }
    return status;
}

void nnd_flat_block_clear(nnd_flat_block *block) {
    nnd_flat_data_clear(&block->data);
    nnd_lanes_clear(&block->lanes);
    nnd_bent_lanes_clear(&block->bent);
    nnd_flow_clear(&block->flow);
    free(block->one);
    free(block->pair);
    *block = (nnd_flat_block){0};
}

/* ---- initial weights ---- */

static void draw_unit(nnd_rng_key key, uint32_t stream, size_t n, double *x) {
    nnd_rng_normals(key, stream, 0, n, x);
    cblas_dscal((int)n, 1.0 / cblas_dnrm2((int)n, x, 1), x, 1);
}

/* W_1 = s u_1 v', W_k = s u_k u_{k-1}' with random unit u_k and v along w0; balanced, so that the
 * length of w is s^L. */
static void draw_aligned(const nnd_flat_block *block, nnd_rng_key key, double *w) {
    const nnd_flat_minima *p = block->params;
    const size_t *width = block->lanes.width;
    size_t depth = block->lanes.depth;
    double *below = block->pair, *above = below + widest(p);
    int d = (int)width[0];
    for (size_t j = 0; j < width[0]; j++)
        below[j] = p->w0.count > 0 ? p->w0.value[j] : 1.0;
    double s = nnd_flat_minima_start(p);
    cblas_dscal(d, 1.0 / cblas_dnrm2(d, below, 1), below, 1);
    for (size_t k = 1; k <= depth; k++) {
        draw_unit(key, NND_STREAM_FLAT_MINIMA_ALIGNED + (uint32_t)k - 1, width[k], above);
        if (k == depth)
            above[0] = 1.0;
        for (size_t i = 0; i < width[k]; i++)
            for (size_t j = 0; j < width[k - 1]; j++)
                *w++ = s * above[i] * below[j];
        memcpy(below, above, width[k] * sizeof *below);
    }
}

/* Normal weights, around the identity in a residual network. */
static void draw_normal(const nnd_flat_minima *p, nnd_rng_key key, double *w) {
    double d = (double)nnd_flat_minima_dim(p), scale = p->init_scale;
    if (is_residual(p))
        scale /= sqrt((double)p->depth * d);
    for (size_t k = 1; k <= (size_t)p->depth; k++) {
        size_t rows = nnd_flat_minima_width(p, k), cols = nnd_flat_minima_width(p, k - 1);
        for (size_t i = 0; i < rows; i++, w += cols) {
            nnd_rng_normals(key, NND_STREAM_FLAT_MINIMA_WEIGHTS + (uint32_t)k - 1, i, cols, w);
            cblas_dscal((int)cols, scale, w, 1);
            if (is_residual(p))
                w[i] += 1.0;
        }
    }
}

static void draw_readout(nnd_flat_block *block, nnd_rng_key key, size_t b) {
    const nnd_flat_minima *p = block->params;
    size_t d = nnd_flat_minima_dim(p);
    double *readout = block->one;
    if (p->readout.count > 0) {
        memcpy(readout, p->readout.value, d * sizeof *readout);
        cblas_dscal((int)d, 1.0 / cblas_dnrm2((int)d, readout, 1), readout, 1);
    } else {
        draw_unit(key, NND_STREAM_FLAT_MINIMA_READOUT, d, readout);
    }
    for (size_t i = 0; i < d; i++)
        block->lanes.back[p->depth][i * NND_LANES + b] = readout[i];
}

void nnd_flat_block_draw(nnd_flat_block *block, nnd_rng_key key) {
    for (size_t b = 0; b < NND_LANES; b++) {
        nnd_rng_key own = {key.base_seed, key.seed + b, key.size};
        if (is_residual(block->params))
            draw_readout(block, own, b);
        if (block->params->weights.rows > 0)
            memcpy(block->one, block->params->weights.value,
                   block->params->weights.rows * sizeof(double));
        else if (block->params->init == NND_FLAT_ALIGNED)
            draw_aligned(block, own, block->one);
        else
            draw_normal(block->params, own, block->one);
        if (block->linear)
            nnd_lanes_write(&block->lanes, b, block->one);
        else
            nnd_bent_lanes_write(&block->bent, b, block->one);
    }
    if (block->params->integrator == NND_GRADIENT_FLOW)
        nnd_flow_start(&block->flow, all_weights(block));
}

/* ---- training ---- */

void nnd_flat_block_evaluate(nnd_flat_block *block) {
    if (block->linear)
        nnd_lanes_evaluate(&block->lanes);
    else
        nnd_bent_lanes_evaluate(&block->bent);
    memcpy(block->loss, block->linear ? block->lanes.loss : block->bent.loss, sizeof block->loss);
}

void nnd_flat_block_descend(nnd_flat_block *block, double rate) {
    if (block->linear) {
        nnd_lanes_descend(&block->lanes, rate);
        memcpy(block->loss, block->lanes.loss, sizeof block->loss);
        return;
    }
    nnd_bent_lanes_add_gradient(&block->bent, -rate, block->bent.weights);
    nnd_flat_block_evaluate(block);
}

nnd_status nnd_flat_block_flow(nnd_context *ctx, nnd_flat_block *block, double to) {
    nnd_status status = nnd_flow_advance(ctx, &block->flow, to);
    memcpy(all_weights(block), block->flow.x, weight_count(block) * sizeof(double));
    nnd_flat_block_evaluate(block);
    return status;
}

void nnd_flat_block_read(const nnd_flat_block *block, size_t b, nnd_network *net) {
    if (!block->linear) {
        nnd_bent_lanes_read(&block->bent, b, net->weights);
        return;
    }
    nnd_lanes_read(&block->lanes, b, net->weights);
    size_t depth = block->lanes.depth;
    for (size_t i = 0; is_residual(block->params) && i < block->lanes.width[depth]; i++)
        net->layer[depth].w[i] = block->lanes.back[depth][i * NND_LANES + b];
}

/* ---- where it stands ---- */

/* |g| at w = 0. */
static double first_slope(const nnd_flat_data *data) {
    double sum = 0.0;
    for (size_t j = 0; j < data->dim; j++) {
        double pull = 2.0 * data->weight *
                      cblas_ddot((int)data->samples, data->x + j, (int)data->dim, data->y, 1);
        sum += pull * pull;
    }
    return sqrt(sum);
}

bool nnd_flat_block_converged(const nnd_flat_block *block, size_t b, double gradient, double top) {
    double tolerance = block->params->tolerance;
    if (block->linear)
        return sqrt(block->lanes.slope2[b]) <= tolerance * first_slope(&block->data);
    double least = tolerance * block->data.target2;
    return gradient <= least && top > least;
}

bool nnd_flat_block_settled(const nnd_flat_block *block, const bool *lost, double remaining) {
    const double immovable = 1e-13;
    if (!block->linear)
        return false;
    const nnd_lanes *lanes = &block->lanes;
    double least = block->params->tolerance * first_slope(&block->data);
    for (size_t b = 0; b < NND_LANES; b++) {
        double size2 = 0.0;
        if (lost[b])
            continue;
        if (sqrt(lanes->slope2[b]) > least)
            return false;
        for (size_t i = 0; i < lanes->count; i++)
            size2 += lanes->weights[i * NND_LANES + b] * lanes->weights[i * NND_LANES + b];
        if (!(remaining * sqrt(lanes->gradient2[b]) <= immovable * sqrt(size2)))
            return false;
    }
    return true;
}
