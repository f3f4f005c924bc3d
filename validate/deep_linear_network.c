/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/deep_linear_network.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

/* Of matrix l. */
static uint32_t weights_stream(size_t l) {
    size_t first = NND_STREAMS_DEEP_LINEAR_WEIGHTS;
    return (uint32_t)(l < first ? NND_STREAM_DEEP_LINEAR_WEIGHTS + l
                                : NND_STREAM_DEEP_LINEAR_MORE_WEIGHTS + l - first);
}

enum {
    MIN_WINDOW = 8,
    MAX_WINDOW = 64,
    /* Doubles in a tile of data: a quarter of a megabyte stays in the second-level cache, so that
     * X is read from memory once per pass though it is used twice. */
    TILE = 32768
};

size_t nnd_deep_linear_width(const nnd_deep_linear *p, size_t inputs) {
    return (size_t)llround(p->nu * (double)inputs);
}

size_t nnd_deep_linear_samples(const nnd_deep_linear *p, size_t inputs) {
    return p->training == NND_TRAIN_ONLINE ? 0 : (size_t)llround(p->alpha * (double)inputs);
}

double nnd_deep_linear_gamma(const nnd_deep_linear *p) {
    return p->gamma0 * (p->parameterization == NND_MUP ? sqrt(p->nu) : 1.0);
}

double nnd_deep_linear_raw_rate(const nnd_deep_linear *p, size_t inputs) {
    double gamma = nnd_deep_linear_gamma(p);
    return (p->integrator == NND_GRADIENT_FLOW ? 1.0 : p->lr) * gamma * gamma * (double)inputs;
}

double nnd_deep_linear_scale(const nnd_deep_linear *p, size_t inputs, size_t l) {
    size_t fan_in = l == 0 ? inputs : nnd_deep_linear_width(p, inputs);
    return nnd_deep_linear_sigma(p, l) / sqrt((double)fan_in);
}

/* Pending updates cost 4 n per update and pass, folding 2 n^2: n/8 keeps both small. */
static size_t window_capacity(size_t inputs) {
    size_t n = inputs / 8;
    return n < MIN_WINDOW ? MIN_WINDOW : n > MAX_WINDOW ? MAX_WINDOW : n;
}

static size_t tile_rows(size_t inputs) {
    return inputs < TILE ? TILE / inputs : 1;
}

static size_t rows_of(const nnd_deep_linear_network *net, size_t l) {
    return l == net->depth ? 1 : net->width;
}

static size_t cols_of(const nnd_deep_linear_network *net, size_t l) {
    return l == 0 ? net->inputs : net->width;
}

static double parameters(const nnd_deep_linear *p, size_t inputs) {
    double d = (double)inputs, n = p->nu * d;
    return n * d + (double)(p->depth - 1) * n * n + n;
}

double nnd_deep_linear_network_bytes(const nnd_deep_linear *p, size_t inputs) {
    double d = (double)inputs, n = p->nu * d, depth = (double)p->depth;
    double data = p->training == NND_TRAIN_FIXED ? p->alpha * d * (d + 2.0) : TILE;
    double weights = parameters(p, inputs) * (p->momentum > 0.0 ? 2.0 : 1.0);
    double window = 3.0 * (double)window_capacity(inputs) * (d + (2.0 * depth + 1.0) * n);
    return (data + weights + window + (2.0 * depth + 4.0) * (n + d)) * sizeof(double);
}

static double data_size(const nnd_deep_linear *p, size_t inputs) {
    double d = (double)inputs;
    return p->training == NND_TRAIN_ONLINE ? 0.0 : p->alpha * d * d;
}

double nnd_deep_linear_pass_flops(const nnd_deep_linear *p, size_t inputs) {
    return 4.0 * (parameters(p, inputs) + data_size(p, inputs));
}

/* How often it is evaluated, roughly for flow: a flow takes six passes a step, of which there is
 * one at least per recorded time, and some twenty per unit of time. */
static double evaluations(const nnd_deep_linear *p) {
    if (p->integrator == NND_DESCENT)
        return (double)p->steps + 1.0;
    return 6.0 * fmax(nnd_deep_linear_most_marks(p), 10.0 + 20.0 * p->time) + 1.0;
}

double nnd_deep_linear_network_flops(const nnd_deep_linear *p, size_t inputs) {
    /* A normal number takes the time of some 40 operations of a matrix-vector product. */
    const double draw = 40.0;
    double passes = evaluations(p);
    double batches = p->training == NND_TRAIN_FRESH ? passes : 1.0;
    return passes * nnd_deep_linear_pass_flops(p, inputs) +
           draw * (parameters(p, inputs) + data_size(p, inputs) * batches);
}

static bool allocate(double **x, size_t n) {
    *x = calloc(n > 0 ? n : 1, sizeof(double));
    return *x != NULL;
}

static bool allocate_fields(nnd_deep_linear_network *net) {
    size_t n = net->width, d = net->inputs, depth = net->depth;
    net->layer = calloc(depth + 1, sizeof *net->layer);
    net->backward = calloc(depth + 2, sizeof(double *));
    net->forward = calloc(depth + 1, sizeof(double *));
    if (net->layer == NULL || net->backward == NULL || net->forward == NULL)
        return false;
    bool done = true;
    for (size_t l = 0; l <= depth; l++)
        done = done && allocate(&net->backward[l], l == 0 ? d : n) &&
               allocate(&net->forward[l], l == 0 ? d : n);
    done = done && allocate(&net->backward[depth + 1], 1);
    return done && allocate(&net->target, d) && allocate(&net->start, d) &&
           allocate(&net->beta, d) && allocate(&net->error, d);
}

static bool allocate_data(nnd_deep_linear_network *net) {
    size_t d = net->inputs, p = net->samples, rows = tile_rows(d);
    bool fixed = net->params->training == NND_TRAIN_FIXED;
    bool fresh = net->params->training == NND_TRAIN_FRESH;
    return allocate(&net->x, fixed ? p * d : 0) && allocate(&net->y, fixed ? p : 0) &&
           allocate(&net->residual, fixed ? p : rows) && allocate(&net->tile, fresh ? rows * d : 0);
}

nnd_status nnd_deep_linear_network_make(nnd_context *ctx, const nnd_deep_linear *p, size_t inputs,
                                        nnd_deep_linear_network *net) {
    *net = (nnd_deep_linear_network){
        .params = p,
        .depth = (size_t)p->depth,
        .inputs = inputs,
        .width = nnd_deep_linear_width(p, inputs),
        .samples = nnd_deep_linear_samples(p, inputs),
        .gamma = nnd_deep_linear_gamma(p),
    };
    nnd_status status = nnd_window_make(ctx, window_capacity(inputs), &net->window);
    if (status == NND_OK && !(allocate_fields(net) && allocate_data(net) &&
                              allocate(&net->scratch, net->window.capacity)))
        status = nnd_fail_memory(ctx, "a network");
    double eta = nnd_deep_linear_raw_rate(p, inputs);
    for (size_t l = 0; status == NND_OK && l <= net->depth; l++) {
        nnd_weights *w = &net->layer[l];
        status = nnd_weights_make(ctx, rows_of(net, l), cols_of(net, l), &net->window,
                                  p->momentum > 0.0, w);
        w->scale = nnd_deep_linear_scale(p, inputs, l);
        w->strength = eta * w->scale / net->gamma;
    }
    return status;
}

static void free_all(double **x, size_t n) {
    for (size_t i = 0; x != NULL && i < n; i++)
        free(x[i]);
    free(x);
}

void nnd_deep_linear_network_clear(nnd_deep_linear_network *net) {
    for (size_t l = 0; net->layer != NULL && l <= net->depth; l++)
        nnd_weights_clear(&net->layer[l]);
    free(net->layer);
    nnd_window_clear(&net->window);
    free_all(net->backward, net->depth + 2);
    free_all(net->forward, net->depth + 1);
    free(net->target);
    free(net->start);
    free(net->beta);
    free(net->error);
    free(net->x);
    free(net->y);
    free(net->residual);
    free(net->tile);
    free(net->scratch);
    memset(net, 0, sizeof *net);
}

/* Inputs and label noise of rows [first, first + rows) of batch `batch`. */
static void draw_rows(const nnd_deep_linear_network *net, uint64_t batch, size_t first, size_t rows,
                      double *x, double *noise) {
    uint64_t tiles = net->samples / tile_rows(net->inputs) + 1;
    uint64_t index = batch * tiles + first / tile_rows(net->inputs);
    nnd_rng_normals(net->key, NND_STREAM_DEEP_LINEAR_INPUTS, index, rows * net->inputs, x);
    nnd_rng_normals(net->key, NND_STREAM_DEEP_LINEAR_NOISE, index, rows, noise);
}

static size_t rows_at(const nnd_deep_linear_network *net, size_t first) {
    size_t rows = tile_rows(net->inputs), left = net->samples - first;
    return rows < left ? rows : left;
}

/* y = sigma_eps noise + X beta, where y holds the noise. */
static void add_labels(const nnd_deep_linear_network *net, size_t rows, const double *x,
                       const double *beta, double *y) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)net->inputs, 1.0, x, (int)net->inputs,
                beta, 1, net->params->noise, y, 1);
}

static void backward_pass(nnd_deep_linear_network *net) {
    net->backward[net->depth + 1][0] = 1.0;
    for (size_t l = net->depth + 1; l-- > 0;)
        nnd_weights_transposed_times(&net->layer[l], &net->window, net->backward[l + 1],
                                     net->backward[l], net->scratch);
}

void nnd_deep_linear_network_draw(nnd_deep_linear_network *net, nnd_rng_key key) {
    size_t d = net->inputs;
    net->key = key;
    nnd_window_reset(&net->window);
    nnd_rng_normals(key, NND_STREAM_DEEP_LINEAR_TARGET, 0, d, net->target);
    cblas_dscal((int)d, 1.0 / cblas_dnrm2((int)d, net->target, 1), net->target, 1);
    if (net->params->training == NND_TRAIN_FIXED)
        for (size_t i = 0; i < net->samples; i += tile_rows(d)) {
            draw_rows(net, 0, i, rows_at(net, i), net->x + i * d, net->y + i);
            add_labels(net, rows_at(net, i), net->x + i * d, net->target, net->y + i);
        }
    for (size_t l = 0; l <= net->depth; l++) {
        nnd_weights *w = &net->layer[l];
        for (size_t i = 0; i < w->rows; i++)
            nnd_rng_normals(key, weights_stream(l), i, w->cols, w->w + i * w->cols);
        if (w->v != NULL)
            memset(w->v, 0, w->rows * w->cols * sizeof(double));
    }
    memset(net->start, 0, d * sizeof(double));
    if (net->params->center) {
        backward_pass(net);
        cblas_daxpy((int)d, 1.0 / net->gamma, net->backward[0], 1, net->start, 1);
    }
}

/* Residual of a tile of rows and its part of X^T Delta / P. */
static void use_rows(nnd_deep_linear_network *net, size_t rows, const double *x, double *residual) {
    int d = (int)net->inputs, n = (int)rows;
    net->mse += cblas_ddot(n, residual, 1, residual, 1) / (double)net->samples;
    cblas_dgemv(CblasRowMajor, CblasTrans, n, d, 1.0 / (double)net->samples, x, d, residual, 1, 1.0,
                net->forward[0], 1);
}

/* v = X^T Delta / P and the mean squared residual; beta and error are known. */
static void data_pass(nnd_deep_linear_network *net, size_t step) {
    size_t d = net->inputs;
    double noise2 = net->params->noise * net->params->noise;
    if (net->params->training == NND_TRAIN_ONLINE) {
        memcpy(net->forward[0], net->error, d * sizeof(double));
        net->mse = cblas_ddot((int)d, net->error, 1, net->error, 1) + noise2;
        return;
    }
    memset(net->forward[0], 0, d * sizeof(double));
    net->mse = 0.0;
    for (size_t i = 0; i < net->samples; i += tile_rows(d)) {
        size_t rows = rows_at(net, i);
        if (net->params->training == NND_TRAIN_FRESH) {
            draw_rows(net, step, i, rows, net->tile, net->residual);
            add_labels(net, rows, net->tile, net->error, net->residual);
            use_rows(net, rows, net->tile, net->residual);
            continue;
        }
        double *residual = net->residual + i, *x = net->x + i * d;
        memcpy(residual, net->y + i, rows * sizeof(double));
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)d, -1.0, x, (int)d, net->beta, 1,
                    1.0, residual, 1);
        use_rows(net, rows, x, residual);
    }
}

void nnd_deep_linear_network_evaluate(nnd_deep_linear_network *net, size_t step) {
    backward_pass(net);
    for (size_t i = 0; i < net->inputs; i++) {
        net->beta[i] = net->backward[0][i] / net->gamma - net->start[i];
        net->error[i] = net->target[i] - net->beta[i];
    }
    data_pass(net, step);
    for (size_t l = 0; l < net->depth; l++)
        nnd_weights_times(&net->layer[l], &net->window, net->forward[l], net->forward[l + 1],
                          net->scratch);
}

size_t nnd_deep_linear_network_push(nnd_deep_linear_network *net) {
    size_t k = nnd_window_push(&net->window);
    for (size_t l = 0; l <= net->depth; l++)
        nnd_weights_push(&net->layer[l], k, net->backward[l + 1], net->forward[l]);
    return k;
}

void nnd_deep_linear_network_make_room(nnd_deep_linear_network *net, size_t updates) {
    if (net->window.count + updates <= net->window.capacity)
        return;
    for (size_t l = 0; l <= net->depth; l++)
        nnd_weights_fold(&net->layer[l], &net->window);
    nnd_window_reset(&net->window);
}

void nnd_deep_linear_network_step(nnd_deep_linear_network *net, size_t step) {
    const nnd_deep_linear *p = net->params;
    nnd_deep_linear_network_make_room(net, 1);
    nnd_deep_linear_network_push(net);
    nnd_window_descend(&net->window, nnd_deep_linear_rate(p, step), p->momentum, p->weight_decay);
}
