/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/directional_network.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

/* Largest number of directions perpendicular to v that a start needs. */
static size_t planes(const nnd_directional *p) {
    return p->init.kind == NND_START_GIVEN ? (size_t)p->width : 1;
}

static size_t scratch_size(const nnd_directional *p, size_t dim) {
    size_t units = (size_t)p->width;
    return (planes(p) + 2) * dim + units * units + 4 * units;
}

/* The layers of the plan, owned by the caller; NULL when out of memory. */
static nnd_layer_plan *make_layers(const nnd_directional *p) {
    size_t depth = (size_t)p->depth;
    nnd_layer_plan *layer = calloc(depth, sizeof *layer);
    for (size_t l = 0; layer != NULL && l < depth; l++)
        layer[l] = (nnd_layer_plan){.width = l + 1 < depth ? (size_t)p->width : 1,
                                    .scale = 1.0,
                                    .rate = p->integrator == NND_DESCENT ? p->lr : 1.0};
    return layer;
}

double nnd_directional_network_bytes(const nnd_directional *p) {
    double dim = (double)p->dim, units = (double)p->width, depth = (double)p->depth;
    if (!nnd_directional_is_noisy(p))
        dim = fmin(dim, units + 1.0);
    double weights = dim * units + depth * units * units;
    return nnd_directional_data_bytes(p) +
           (weights + ((double)planes(p) + 5.0) * dim + units * units) * sizeof(double);
}

nnd_status nnd_directional_network_make(nnd_context *ctx, const nnd_directional *p,
                                        nnd_directional_network *n) {
    *n = (nnd_directional_network){.params = p, .units = (size_t)p->width};
    nnd_status status = nnd_directional_data_make(ctx, p, &n->data);
    if (status != NND_OK)
        return status;
    n->dim = n->data.dim;
    n->w = calloc(2 * n->dim, sizeof(double));
    n->scratch = calloc(scratch_size(p, n->dim), sizeof(double));
    nnd_layer_plan *layer = make_layers(p);
    if (n->w == NULL || n->scratch == NULL || layer == NULL) {
        free(layer);
        return nnd_fail_memory(ctx, "a network");
    }
    n->force = n->w + n->dim;
    const nnd_network_plan plan = {.networks = 1,
                                   .samples = 1,
                                   .inputs = n->dim,
                                   .own_inputs = true,
                                   .layers = (size_t)p->depth,
                                   .layer = layer};
    status = nnd_network_make(ctx, &plan, &n->net);
    free(layer);
    return status;
}

void nnd_directional_network_clear(nnd_directional_network *n) {
    nnd_directional_data_clear(&n->data);
    nnd_network_clear(&n->net);
    free(n->w);
    free(n->scratch);
    *n = (nnd_directional_network){0};
}

static void unit_vector(nnd_rng_key key, uint32_t stream, size_t index, size_t n, double *x) {
    nnd_rng_normals(key, stream, index, n, x);
    cblas_dscal((int)n, 1.0 / cblas_dnrm2((int)n, x, 1), x, 1);
}

/* W = factor * left right^T. */
static void rank_one(double *w, size_t rows, size_t cols, double factor, const double *left,
                     const double *right) {
    memset(w, 0, rows * cols * sizeof(double));
    cblas_dger(CblasRowMajor, (int)rows, (int)cols, factor, left, 1, right, 1, w, (int)cols);
}

/* W_1 = u_1 b^T, W_k = s u_k u_{k-1}^T, W_L = s u_{L-1}^T with |b| = s (directional.md#s3-c). */
static void draw_aligned(nnd_directional_network *n, nnd_rng_key key) {
    const nnd_directional *p = n->params;
    size_t depth = (size_t)p->depth, units = n->units;
    double s = pow(p->omega0, 1.0 / (double)depth), *b = n->scratch;
    double *below = b + n->dim, *here = below + units;
    b[0] = 0.0;
    if (n->dim > 1)
        unit_vector(key, NND_STREAM_DIRECTIONAL_PLANE, 0, n->dim - 1, b + 1);
    bool straight = p->theta0 == 0.0 || p->theta0 >= M_PI;
    cblas_dscal((int)n->dim, straight ? 0.0 : s * sin(p->theta0), b, 1);
    b[0] = s * cos(p->theta0);
    if (depth == 1) {
        memcpy(nnd_network_weights(&n->net, 0, 0), b, n->dim * sizeof(double));
        return;
    }
    unit_vector(key, NND_STREAM_DIRECTIONAL_LAYERS, 0, units, below);
    rank_one(nnd_network_weights(&n->net, 0, 0), units, n->dim, 1.0, below, b);
    for (size_t l = 1; l < depth; l++) {
        const double one = 1.0;
        bool last = l + 1 == depth;
        if (!last)
            unit_vector(key, NND_STREAM_DIRECTIONAL_LAYERS, l, units, here);
        rank_one(nnd_network_weights(&n->net, l, 0), last ? 1 : units, units, s, last ? &one : here,
                 below);
        memcpy(below, here, units * sizeof(double));
    }
}

/* F with F F^T = M - p p^T, columns in descending order; the number of those that are not 0. */
static size_t factor(const nnd_start *start, size_t k, double *f, double *value) {
    for (size_t i = 0; i < k * k; i++)
        f[i] = start->m.value[i] - start->p.value[i / k] * start->p.value[i % k];
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (int)k, f, (int)k, value) != 0)
        return 0;
    size_t rank = 0;
    for (size_t j = 0; j < k; j++) {
        rank += value[j] > 1e-14 * value[k - 1];
        for (size_t i = 0; i < k; i++)
            f[i * k + j] *= sqrt(fmax(0.0, value[j]));
    }
    return rank;
}

/* W_1 = p v^T + F Q^T with random orthonormal columns of Q perpendicular to v, W_2 = a^T. */
static void draw_given(nnd_directional_network *n, nnd_rng_key key) {
    const nnd_start *start = &n->params->init;
    size_t k = n->units, dim = n->dim;
    double *f = n->scratch, *value = f + k * k, *q = value + k;
    double *w = nnd_network_weights(&n->net, 0, 0);
    size_t rank = factor(start, k, f, value);
    memset(w, 0, k * dim * sizeof(double));
    for (size_t i = 0; i < k; i++)
        w[i * dim] = start->p.value[i];
    for (size_t j = 0; j < rank; j++) {
        double *x = q + j * dim;
        x[0] = 0.0;
        nnd_rng_normals(key, NND_STREAM_DIRECTIONAL_PLANE, j, dim - 1, x + 1);
        for (size_t i = 0; i < 2 * j; i++)
            cblas_daxpy((int)dim, -cblas_ddot((int)dim, x, 1, q + (i % j) * dim, 1),
                        q + (i % j) * dim, 1, x, 1);
        cblas_dscal((int)dim, 1.0 / cblas_dnrm2((int)dim, x, 1), x, 1);
        cblas_dger(CblasRowMajor, (int)k, (int)dim, 1.0, f + k - rank + j, (int)k, x, 1, w,
                   (int)dim);
    }
    memcpy(nnd_network_weights(&n->net, 1, 0), start->a.value, k * sizeof(double));
}

void nnd_directional_network_draw(nnd_directional_network *n, nnd_rng_key key) {
    nnd_directional_data_draw(&n->data, key);
    if (n->params->init.kind == NND_START_GIVEN)
        draw_given(n, key);
    else
        draw_aligned(n, key);
}

void nnd_directional_network_evaluate(nnd_directional_network *n, size_t step, bool measure) {
    n->data.step = n->params->batch > 0 ? step : 0;
    const nnd_layer *first = &n->net.layer[0];
    nnd_network_backward(&n->net, NULL);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)first->rows, (int)first->cols, 1.0, first->w,
                (int)first->cols, first->g, 1, 0.0, n->w, 1);
    nnd_directional_data_force(&n->data, n->w, measure, n->force);
    nnd_network_set_inputs(&n->net, 0, n->force);
    nnd_network_forward(&n->net);
}

void nnd_directional_network_step(nnd_directional_network *n, size_t step) {
    double rate = nnd_rates_at(&n->params->schedule, step);
    nnd_network_descend(&n->net, &rate, NULL);
}

void nnd_directional_network_rate(nnd_directional_network *n, double *rate) {
    memset(rate, 0, n->net.weight_count * sizeof(double));
    nnd_network_descend(&n->net, NULL, rate);
}

/* dw/dt = sum_k |alpha_k|^2 B_k^T B_k force, with alpha_k the product of the layers above k and B_k
 * that of the layers below. */
void nnd_directional_network_velocity(nnd_directional_network *n, double *velocity) {
    double *now = n->scratch, *next = now + n->dim + n->units;
    memset(velocity, 0, n->dim * sizeof(double));
    for (size_t k = 0; k < n->net.layers; k++) {
        const nnd_layer *layer = &n->net.layer[k];
        double alpha2 = cblas_ddot((int)layer->rows, layer->g, 1, layer->g, 1);
        memcpy(now, nnd_network_input(&n->net, k, 0), layer->cols * sizeof(double));
        for (size_t j = k; j-- > 0;) {
            const nnd_layer *below = &n->net.layer[j];
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)below->rows, (int)below->cols, 1.0,
                        below->w, (int)below->cols, now, 1, 0.0, next, 1);
            memcpy(now, next, below->cols * sizeof(double));
        }
        cblas_daxpy((int)n->dim, alpha2, now, 1, velocity, 1);
    }
}
