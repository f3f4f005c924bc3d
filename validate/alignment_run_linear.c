/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/streams.h"
#include "validate/alignment_linear.h"
#include "validate/alignment_run.h"

size_t nnd_alignment_width(const nnd_alignment *p, size_t dim) {
    double width = floor(p->width * (double)dim + 0.5);
    return width < 1.0 ? 1 : (size_t)width;
}

/* Starts whose size does not matter: networks that have converged have forgotten it. */
static const double SMALL_PREDICTOR = 1e-3, SMALL_FEATURES = 1e-5;

/* Both networks and what is measured of them. */
typedef struct {
    nnd_context *ctx;
    const nnd_alignment_pair *pair;
    nnd_rng_key key;
    const double *probes;
    nnd_alignment_trace *trace;
    nnd_linear_data data[2];
    double *b[2], *h[2]; /* predictors and hidden layers that are not a network's own */
    double *work;
} run;

static nnd_status run_make(run *r) {
    const nnd_alignment_pair *pair = r->pair;
    size_t n = pair->outputs * pair->dim;
    r->work = calloc(n, sizeof(double));
    nnd_status status = r->work != NULL ? NND_OK : nnd_fail_memory(r->ctx, "predictors");
    for (size_t k = 0; status == NND_OK && k < 2; k++) {
        r->b[k] = calloc(n, sizeof(double));
        r->h[k] = calloc(n, sizeof(double));
        if (r->b[k] == NULL || r->h[k] == NULL)
            return nnd_fail_memory(r->ctx, "predictors");
        status = nnd_linear_data_make(r->ctx, pair->dim, pair->outputs, pair->samples, &r->data[k]);
        if (status == NND_OK)
            nnd_linear_data_set(&r->data[k], pair, k);
    }
    return status;
}

static void run_clear(run *r) {
    for (int k = 0; k < 2; k++) {
        free(r->b[k]);
        free(r->h[k]);
        nnd_linear_data_clear(&r->data[k]);
    }
    free(r->work);
}

/* Measures predictors b with hidden layers h (rows x D). */
static nnd_status measure(const run *r, size_t at, const double *const b[2], const size_t rows[2],
                          const double *const h[2]) {
    double error[2];
    for (int k = 0; k < 2; k++)
        error[k] = nnd_linear_data_error(&r->data[k], b[k], r->work);
    return nnd_alignment_record_linear(r->ctx, r->pair, b, rows, h, error, r->key, r->probes,
                                       r->trace->measure + at * NND_ALIGN_MEASURES);
}

/* Measures predictors r->b as balanced two-layer networks. */
static nnd_status measure_balanced(const run *r, size_t at) {
    const size_t rows[] = {r->pair->outputs, r->pair->outputs};
    const double *const b[] = {r->b[0], r->b[1]}, *const h[] = {r->h[0], r->h[1]};
    nnd_status status = NND_OK;
    for (int k = 0; status == NND_OK && k < 2; k++)
        status = nnd_linear_hidden(r->ctx, r->pair->outputs, r->pair->dim, r->b[k], r->h[k]);
    return status == NND_OK ? measure(r, at, b, rows, h) : status;
}

static nnd_status run_direct(run *r) {
    const nnd_alignment *p = r->pair->params;
    nnd_status status = NND_OK;
    for (int k = 0; status == NND_OK && k < 2; k++)
        status = p->training == NND_ALIGN_WEIGHT_DECAY
                     ? nnd_linear_decayed(r->ctx, &r->data[k], p->weight_decay, r->b[k])
                     : nnd_linear_ridge(r->ctx, &r->data[k], p->ridge, r->b[k]);
    return status == NND_OK ? measure_balanced(r, 0) : status;
}

/* |y - B x|^2/P where the last descent direction was taken: its residual is c - B S. */
static double last_error(const nnd_linear_network *net) {
    int n = (int)net->count;
    return net->data->labels2 - cblas_ddot(n, net->predictor, 1, net->data->c, 1) -
           cblas_ddot(n, net->predictor, 1, net->residual, 1);
}

static bool has_diverged(const nnd_linear_data *data, double error) {
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, data->labels2, data->labels2);
    return nnd_has_diverged(limit, error);
}

/* One step of both networks, of linear regression; false if one of them had diverged before it. */
static bool descend(const run *r, nnd_linear_network net[2], double *step) {
    for (int k = 0; k < 2; k++) {
        nnd_linear_network_descent(&net[k], net[k].w, step);
        if (has_diverged(&r->data[k], last_error(&net[k])))
            return false;
        cblas_daxpy((int)net[k].count, r->pair->params->lr, step, 1, net[k].w, 1);
    }
    return true;
}

/* Takes both from step *done to a later one and makes their weights the predictors; false where one
 * diverges, at step *done. */
static bool descend_to(run *r, nnd_linear_network net[2], double *step, size_t *done, size_t to) {
    bool sound = true;
    while (sound && *done < to && !nnd_context_interrupted(r->ctx)) {
        sound = descend(r, net, step);
        *done += sound;
    }
    for (int k = 0; sound && k < 2; k++) {
        memcpy(r->b[k], net[k].w, net[k].count * sizeof(double));
        sound = !has_diverged(&r->data[k], nnd_linear_data_error(&r->data[k], r->b[k], r->work));
    }
    return sound;
}

/* Linear regression by descent: one matrix, from 0. */
static nnd_status run_descent(run *r) {
    nnd_linear_network net[2] = {0};
    double *step = calloc(r->pair->outputs * r->pair->dim, sizeof *step);
    nnd_status status = step != NULL ? NND_OK : nnd_fail_memory(r->ctx, "a step");
    for (int k = 0; status == NND_OK && k < 2; k++)
        status = nnd_linear_network_make(r->ctx, &r->data[k], 1, 1, &net[k]);
    size_t done = 0;
    bool sound = true;
    for (size_t i = 0; status == NND_OK && sound && i < r->trace->times; i++) {
        sound = descend_to(r, net, step, &done, (size_t)r->trace->time[i]);
        if (nnd_context_interrupted(r->ctx))
            status = nnd_fail(r->ctx, NND_E_INTERRUPTED, "interrupted at step %zu", done);
        else if (sound)
            status = measure_balanced(r, i);
    }
    if (!sound)
        r->trace->diverged_at = (double)done;
    for (int k = 0; k < 2; k++)
        nnd_linear_network_clear(&net[k]);
    free(step);
    return status;
}

/* ---- gradient flow of networks ---- */

static nnd_status start(run *r, nnd_linear_network *net, nnd_rng_key key, uint32_t b) {
    const nnd_alignment *p = r->pair->params;
    uint32_t stream = NND_STREAM_ALIGNMENT_START + b;
    size_t d = r->pair->dim;
    if (p->training == NND_ALIGN_WHITE)
        return nnd_linear_network_start_white(r->ctx, net, p->init_scale, key, stream);
    if (p->training == NND_ALIGN_GAUSSIAN) {
        if (p->features == NND_INPUTS_SHARED)
            stream = NND_STREAM_ALIGNMENT_START;
        nnd_linear_network_start_gaussian(net, p->init_scale, key, stream);
        return NND_OK;
    }
    if (net->depth == 1) /* linear regression from 0 */
        return NND_OK;
    if (r->pair->outputs > 1) { /* balanced up to what the start adds to the features */
        nnd_linear_network_start_gaussian(net, SMALL_FEATURES, key, stream);
        return NND_OK;
    }
    double *direction = r->work;
    if (p->training == NND_ALIGN_RICH && p->init == NND_START_RANDOM)
        nnd_rng_normals(key, stream, net->depth, d, direction);
    else
        memcpy(direction, r->data[b].c, d * sizeof *direction);
    cblas_dscal((int)d, 1.0 / cblas_dnrm2((int)d, direction, 1), direction, 1);
    nnd_linear_network_start_aligned(
        net, p->training == NND_ALIGN_RICH ? p->init_scale : SMALL_PREDICTOR, direction, key,
        stream);
    return NND_OK;
}

static size_t depth_of(const nnd_alignment *p) {
    return p->training == NND_ALIGN_FLOW ? 1 : p->training == NND_ALIGN_RICH ? (size_t)p->depth : 2;
}

/* The hidden layer of deep networks is the last one, a linear map of the input. */
static nnd_status hidden(const run *r, const nnd_linear_network *net, double **out) {
    size_t d = r->pair->dim, k = net->width, rows, cols;
    double *map = malloc(k * d * sizeof *map), *next = malloc(k * d * sizeof *next);
    *out = NULL;
    if (map == NULL || next == NULL) {
        free(map);
        free(next);
        return nnd_fail_memory(r->ctx, "the hidden layer");
    }
    memcpy(map, nnd_linear_network_matrix(net, 0, net->w, &rows, &cols), k * d * sizeof *map);
    for (size_t l = 1; l + 1 < net->depth; l++) {
        const double *m = nnd_linear_network_matrix(net, l, net->w, &rows, &cols);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)d, (int)k, 1.0, m,
                    (int)k, map, (int)d, 0.0, next, (int)d);
        double *swap = map;
        map = next;
        next = swap;
    }
    free(next);
    *out = map;
    return NND_OK;
}

static nnd_status measure_networks(const run *r, const nnd_linear_network net[2], size_t at) {
    for (int k = 0; k < 2; k++)
        memcpy(r->b[k], net[k].predictor, r->pair->outputs * r->pair->dim * sizeof(double));
    if (net[0].depth == 1)
        return measure_balanced(r, at);
    double *map[2] = {NULL, NULL};
    const size_t rows[] = {net[0].width, net[1].width};
    nnd_status status = hidden(r, &net[0], &map[0]);
    if (status == NND_OK)
        status = hidden(r, &net[1], &map[1]);
    const double *const b[] = {r->b[0], r->b[1]}, *const h[] = {map[0], map[1]};
    if (status == NND_OK)
        status = measure(r, at, b, rows, h);
    free(map[0]);
    free(map[1]);
    return status;
}

static nnd_status run_flow(run *r, nnd_rng_key key) {
    const nnd_alignment *p = r->pair->params;
    nnd_linear_network net[2] = {0};
    nnd_linear_flow *flow[2] = {NULL, NULL};
    size_t width = nnd_alignment_width(p, r->pair->size);
    nnd_status status = NND_OK;
    for (uint32_t k = 0; status == NND_OK && k < 2; k++) {
        status = nnd_linear_network_make(r->ctx, &r->data[k], depth_of(p), width, &net[k]);
        net[k].ridge = p->training == NND_ALIGN_RIDGE ? p->ridge : 0.0;
        net[k].decay = p->training == NND_ALIGN_WEIGHT_DECAY ? p->weight_decay : 0.0;
        if (status == NND_OK)
            status = start(r, &net[k], key, k);
        if (status == NND_OK)
            status = nnd_linear_flow_new(r->ctx, &net[k], &flow[k]);
    }
    for (size_t i = 0; status == NND_OK && r->trace->time != NULL && i < r->trace->times; i++) {
        for (int k = 0; status == NND_OK && k < 2; k++)
            status = nnd_linear_flow_to(flow[k], r->trace->time[i], r->pair->params->time);
        if (status == NND_OK)
            status = measure_networks(r, net, i);
        if (status == NND_OK)
            status = nnd_progress_step(r->ctx, (double)i, (double)r->trace->times);
    }
    if (r->trace->time == NULL) {
        bool converged = false;
        r->trace->converged = 0.0;
        for (int k = 0; status == NND_OK && k < 2; k++) {
            status = nnd_linear_flow_converge(flow[k], p->tolerance, &converged);
            r->trace->converged += converged ? 0.5 : 0.0;
        }
        if (status == NND_OK)
            status = measure_networks(r, net, 0);
    }
    for (int k = 0; k < 2; k++) {
        nnd_linear_flow_free(flow[k]);
        nnd_linear_network_clear(&net[k]);
    }
    return status;
}

nnd_status nnd_alignment_run_linear(nnd_context *ctx, const nnd_alignment_pair *pair,
                                    nnd_rng_key key, const double *probes,
                                    nnd_alignment_trace *trace) {
    const nnd_alignment *p = pair->params;
    bool decides = p->training == NND_ALIGN_RIDGE || p->training == NND_ALIGN_WEIGHT_DECAY;
    run r = {.ctx = ctx, .pair = pair, .key = key, .probes = probes, .trace = trace};
    nnd_status status = run_make(&r);
    if (status == NND_OK && decides && p->route == NND_ROUTE_DIRECT)
        status = run_direct(&r);
    else if (status == NND_OK && p->training == NND_ALIGN_GD)
        status = run_descent(&r);
    else if (status == NND_OK)
        status = run_flow(&r, key);
    run_clear(&r);
    return status;
}
