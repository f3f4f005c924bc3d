/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flat_minima_record.h"
#include "core/companion.h"
#include "core/streams.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANCZOS_STEPS = 300 };

/* ---- making ---- */

typedef bool (*wanted)(const nnd_flat_minima *p);

static bool always(const nnd_flat_minima *p) {
    (void)p;
    return true;
}

static bool descends(const nnd_flat_minima *p) {
    return p->integrator == NND_DESCENT;
}

static bool is_residual(const nnd_flat_minima *p) {
    return p->architecture == NND_FLAT_RESIDUAL;
}

static bool has_tests(const nnd_flat_minima *p) {
    return nnd_data_tests(&p->data) > 0;
}

static bool lists_eigenvalues(const nnd_flat_minima *p) {
    return p->eigenvalues > 0;
}

static bool starts_normal(const nnd_flat_minima *p) {
    return nnd_flat_minima_is_linear(p) && p->init == NND_FLAT_GAUSSIAN && p->weights.rows == 0;
}

static bool is_given(const nnd_flat_minima *p) {
    return p->weights.rows > 0;
}

static bool is_given_and_linear(const nnd_flat_minima *p) {
    return is_given(p) && nnd_flat_minima_is_linear(p);
}

/* What the estimators of variables take from each network. */
static nnd_status add_minima(nnd_flat_record *r) {
    static const struct {
        const char *name;
        wanted wanted;
    } arrays[] = {
        {NND_DIVERGED_AT, always},
        {"minimum_sharpness", always},
        {"minimum_stability", descends},
        {"minimum_bound", is_residual},
        {"minimum_bound_share", is_residual},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].wanted(r->params))
            status = nnd_frame_add(r->frame, arrays[i].name, "seed", NULL);
    return status;
}

static nnd_status add_arrays(nnd_flat_record *r) {
    static const struct {
        const char *name;
        wanted wanted;
    } arrays[] = {
        {"diverged", always},
        {"converged", always},
        {"final_distance2", nnd_flat_minima_is_linear},
        {"trace_start", starts_normal},
        {"weights_sharpness", is_given},
        {"weights_loss", is_given},
        {"weights_distance2", is_given_and_linear},
        {"last_sharpness", always},
        {"sharpness", always},
        {"sharpness_least", always},
        {"sharpness_k", lists_eigenvalues},
        {"loss", always},
        {"test_loss", has_tests},
        {"gap", has_tests},
        {"distance2", nnd_flat_minima_is_linear},
        {"trace", nnd_flat_minima_is_linear},
        {"layer_norm", always},
        {"layer_rank_ratio", always},
        {"layer_alignment", always},
        {"layer_deviation", is_residual},
    };
    nnd_status status = add_minima(r);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].wanted(r->params))
            status = nnd_frame_add_variable(r->frame, &nnd_flat_minima_model, arrays[i].name, NULL);
    return status;
}

static nnd_status make_frame(nnd_flat_record *r, size_t first_seed, const nnd_reals *times) {
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "seed", NND_LANES, (double)first_seed);
    if (status == NND_OK)
        status = nnd_frame_add_dim(r->frame, "t",
                                   descends(r->params) ? NND_COORD_INTEGER : NND_COORD_REAL,
                                   times->count, times->value);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "layer", (size_t)r->params->depth, 1.0);
    if (status == NND_OK && lists_eigenvalues(r->params))
        status = nnd_frame_add_range(r->frame, "k", (size_t)r->params->eigenvalues, 1.0);
    return status == NND_OK ? add_arrays(r) : status;
}

/* How many are searched for: the sharpness is one. */
static size_t eigenvalues(const nnd_flat_record *r) {
    return r->params->eigenvalues > 0 ? (size_t)r->params->eigenvalues : 1;
}

static nnd_status make_scratch(nnd_flat_record *r) {
    size_t widest = nnd_flat_minima_dim(r->params), samples = r->block->data.samples;
    for (size_t k = 0; k <= (size_t)r->params->depth; k++) {
        size_t width = nnd_flat_minima_width(r->params, k);
        widest = width > widest ? width : widest;
    }
    r->start = calloc(NND_LANES * r->hessian.count, sizeof(double));
    r->search = calloc((2 * eigenvalues(r) + 1) * r->hessian.count, sizeof(double));
    r->value = calloc(eigenvalues(r) + 1, sizeof(double));
    r->scratch = calloc(r->hessian.count, sizeof(double));
    r->kernel = calloc(samples * samples, sizeof(double));
    r->matrix = calloc(3 * widest * widest, sizeof(double));
    r->singular = calloc(2 * widest, sizeof(double));
    if (r->start == NULL || r->search == NULL || r->value == NULL || r->scratch == NULL ||
        r->kernel == NULL || r->matrix == NULL || r->singular == NULL)
        return nnd_fail_memory(r->ctx, "the records of a network");
    r->left = r->matrix + widest * widest;
    r->right = r->left + widest * widest;
    r->below = r->singular + widest;
    return NND_OK;
}

/* The largest eigenvalue of the covariance of the inputs, weight X^T X. */
static nnd_status find_curvature(nnd_flat_record *r) {
    const nnd_flat_data *data = &r->block->data;
    size_t n = data->samples, d = data->dim, least = n < d ? n : d;
    double *x = calloc(n * d + least, sizeof *x), *singular = x != NULL ? x + n * d : NULL;
    if (x == NULL)
        return nnd_fail_memory(r->ctx, "the records of a network");
    memcpy(x, data->x, n * d * sizeof *x);
    bool done = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', (lapack_int)n, (lapack_int)d, x,
                               (lapack_int)d, singular, NULL, 1, NULL, (lapack_int)d) == 0;
    r->curvature = data->weight * singular[0] * singular[0];
    free(x);
    return done ? NND_OK : nnd_fail(r->ctx, NND_E_INPUT, "the inputs have no singular values");
}

nnd_status nnd_flat_record_make(nnd_context *ctx, const nnd_flat_block *block, size_t first_seed,
                                const nnd_reals *times, nnd_flat_record *r) {
    *r = (nnd_flat_record){.ctx = ctx, .params = block->params, .block = block};
    const nnd_flat_data *data = &block->data;
    nnd_status status =
        nnd_flat_network_make(ctx, block->params, data->samples, data->x, 1, &r->probe);
    if (status == NND_OK && data->tests > 0)
        status = nnd_flat_network_make(ctx, block->params, data->tests, data->test_x, 1, &r->tests);
    if (status == NND_OK)
        status = nnd_hessian_make(ctx, &r->probe, data->y, data->weight, &r->hessian);
    if (status == NND_OK)
        status = nnd_lanczos_new(ctx, r->hessian.count, LANCZOS_STEPS, &r->lanczos);
    if (status == NND_OK)
        status = make_scratch(r);
    if (status == NND_OK && is_residual(block->params))
        status = find_curvature(r);
    return status == NND_OK ? make_frame(r, first_seed, times) : status;
}

void nnd_flat_record_clear(nnd_flat_record *r) {
    if (r->hessian.net != NULL)
        nnd_hessian_clear(&r->hessian);
    nnd_network_clear(&r->probe);
    nnd_network_clear(&r->tests);
    nnd_lanczos_free(r->lanczos);
    nnd_frame_free(r->frame);
    free(r->start);
    free(r->search);
    free(r->value);
    free(r->scratch);
    free(r->kernel);
    free(r->matrix);
    free(r->singular);
    *r = (nnd_flat_record){0};
}

void nnd_flat_record_restart(nnd_flat_record *r, nnd_rng_key key) {
    for (size_t b = 0; b < NND_LANES; b++)
        nnd_rng_normals((nnd_rng_key){key.base_seed, key.seed + b, key.size},
                        NND_STREAM_FLAT_MINIMA_SEARCH, 0, r->hessian.count,
                        r->start + b * r->hessian.count);
}

/* Values of network b in an array whose first dimension is the seed; NULL if it is not wanted. */
static double *values(const nnd_flat_record *r, const char *name, size_t b) {
    const nnd_array *array = nnd_frame_find(r->frame, name);
    return array != NULL ? array->data + b * (array->count / NND_LANES) : NULL;
}

static void set(const nnd_flat_record *r, const char *name, size_t b, size_t at, double x) {
    double *to = values(r, name, b);
    if (to != NULL)
        to[at] = x;
}

/* ---- the Hessian ---- */

/* The `count` largest eigenvalues of the Hessian at the weights of the probe, and the smallest,
 * into `value`. The first search begins where both ends were last time, shaken so that no direction
 * is lost. */
static nnd_status find_eigenvalues(nnd_flat_record *r, size_t b, size_t count) {
    size_t n = r->hessian.count;
    double *start = r->start + b * n, *vector = r->search + count * n, error;
    memcpy(r->search, start, n * sizeof *start);
    for (size_t k = 1; k < count; k++)
        nnd_rng_normals((nnd_rng_key){0}, NND_STREAM_FLAT_MINIMA_SEARCH, 1 + k, n,
                        r->search + k * n);
    nnd_status status = nnd_lanczos_leading(r->lanczos, nnd_hessian_times, &r->hessian, count,
                                            r->search, 1e-7, r->value, vector, &error);
    if (status == NND_NOT_CONVERGED)
        status = nnd_fail(r->ctx, NND_E_UNSOLVED,
                          "the eigenvalues of a network's Hessian were not found in %d steps",
                          LANCZOS_STEPS);
    nnd_rng_normals((nnd_rng_key){0}, NND_STREAM_FLAT_MINIMA_SEARCH, 1, n, start);
    cblas_dscal((int)n, 0.1 / sqrt((double)n), start, 1);
    cblas_daxpy((int)n, 1.0, vector, 1, start, 1);
    cblas_daxpy((int)n, 1.0, vector + count * n, 1, start, 1);
    return status;
}

nnd_status nnd_flat_record_sharpness(nnd_flat_record *r, size_t b, double *top) {
    nnd_flat_block_read(r->block, b, &r->probe);
    nnd_hessian_set(&r->hessian);
    nnd_status status = find_eigenvalues(r, b, 1);
    *top = r->value[0];
    return status;
}

static nnd_status record_eigenvalues(nnd_flat_record *r, size_t b, size_t i) {
    size_t count = eigenvalues(r);
    nnd_hessian_set(&r->hessian);
    nnd_status status = find_eigenvalues(r, b, count);
    if (status != NND_OK)
        return status;
    set(r, "sharpness", b, i, r->value[0]);
    set(r, "sharpness_least", b, i, r->value[count]);
    for (size_t k = 0; k < count; k++)
        set(r, "sharpness_k", b, i * count + k, r->value[k]);
    return NND_OK;
}

/* 2 weight sum_mu |df_mu/dW|^2, the trace of the Hessian where f is linear in each matrix. */
static double hessian_trace(nnd_flat_record *r) {
    size_t n = r->probe.samples;
    double sum = 0.0;
    nnd_network_forward(&r->probe);
    nnd_network_backward(&r->probe, NULL);
    nnd_network_ntk(&r->probe, 0, r->kernel);
    for (size_t mu = 0; mu < n; mu++)
        sum += r->kernel[mu * n + mu];
    return 2.0 * r->block->data.weight * sum;
}

/* ---- the layers ---- */

/* Norm and singular values of layer l, and the overlap of its leading right vector with the leading
 * left one of the layer below, which is then that of this one. */
static nnd_status record_layer(nnd_flat_record *r, size_t b, size_t i, size_t l) {
    const nnd_layer *layer = &r->probe.layer[l];
    size_t rows = layer->rows, cols = layer->cols, least = rows < cols ? rows : cols;
    size_t depth = (size_t)r->params->depth, at = i * depth + l;
    memcpy(r->matrix, layer->w, rows * cols * sizeof(double));
    if (LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)rows, (lapack_int)cols, r->matrix,
                       (lapack_int)cols, r->singular, r->left, (lapack_int)least, r->right,
                       (lapack_int)cols) != 0)
        return nnd_fail(r->ctx, NND_E_INPUT, "a weight matrix has no singular values");
    set(r, "layer_norm", b, at, cblas_dnrm2((int)least, r->singular, 1));
    set(r, "layer_rank_ratio", b, at, least > 1 ? r->singular[1] / r->singular[0] : 0.0);
    if (l > 0)
        set(r, "layer_alignment", b, at - 1, fabs(cblas_ddot((int)cols, r->below, 1, r->right, 1)));
    for (size_t k = 0; k < rows; k++)
        r->below[k] = r->left[k * least];
    return NND_OK;
}

/* |W_l - 1| of a residual network, the largest singular value. */
static nnd_status record_deviation(nnd_flat_record *r, size_t b, size_t i, size_t l) {
    const nnd_layer *layer = &r->probe.layer[l];
    size_t n = layer->rows;
    memcpy(r->matrix, layer->w, n * n * sizeof(double));
    for (size_t k = 0; k < n; k++)
        r->matrix[k * n + k] -= 1.0;
    if (LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', (lapack_int)n, (lapack_int)n, r->matrix,
                       (lapack_int)n, r->singular, NULL, 1, NULL, (lapack_int)n) != 0)
        return nnd_fail(r->ctx, NND_E_INPUT, "a weight matrix has no singular values");
    set(r, "layer_deviation", b, i * (size_t)r->params->depth + l, r->singular[0]);
    return NND_OK;
}

/* The last layer with the readout of the residual network, or with its one output. */
static void record_last_alignment(nnd_flat_record *r, size_t b, size_t i) {
    size_t depth = (size_t)r->params->depth;
    double overlap = 1.0;
    if (r->probe.layers > depth)
        overlap = fabs(
            cblas_ddot((int)r->probe.layer[depth].cols, r->below, 1, r->probe.layer[depth].w, 1));
    set(r, "layer_alignment", b, i * depth + depth - 1, overlap);
}

/* ---- records ---- */

static double distance2(const nnd_flat_block *block, size_t b) {
    double sum = 0.0;
    for (size_t j = 0; j < block->data.dim; j++) {
        double apart = block->lanes.back[0][j * NND_LANES + b] - block->data.minimizer[j];
        sum += apart * apart;
    }
    return sum;
}

/* What the network of the probe is worth on samples it has not seen. */
static void record_test_loss(nnd_flat_record *r, size_t b, size_t i) {
    const nnd_flat_data *data = &r->block->data;
    if (data->tests == 0)
        return;
    memcpy(r->tests.weights, r->probe.weights, r->probe.weight_count * sizeof(double));
    nnd_network_forward(&r->tests);
    double loss = nnd_loss(NND_SQUARE, data->tests, NULL, data->test_y, r->tests.output, NULL);
    set(r, "test_loss", b, i, loss);
    set(r, "gap", b, i, loss - r->block->loss[b]);
}

nnd_status nnd_flat_record_state(nnd_flat_record *r, size_t b, size_t i) {
    nnd_flat_block_read(r->block, b, &r->probe);
    if (r->block->linear) {
        set(r, "distance2", b, i, distance2(r->block, b));
        set(r, "trace", b, i, hessian_trace(r));
    }
    set(r, "loss", b, i, r->block->loss[b]);
    record_test_loss(r, b, i);
    nnd_status status = record_eigenvalues(r, b, i);
    for (size_t l = 0; status == NND_OK && l < (size_t)r->params->depth; l++)
        status = record_layer(r, b, i, l);
    for (size_t l = 0; is_residual(r->params) && status == NND_OK && l < (size_t)r->params->depth;
         l++)
        status = record_deviation(r, b, i, l);
    if (status == NND_OK)
        record_last_alignment(r, b, i);
    return status;
}

void nnd_flat_record_copy(nnd_flat_record *r, size_t b, size_t from, size_t to) {
    for (size_t k = 0; k < nnd_frame_array_count(r->frame); k++) {
        const nnd_array *array = nnd_frame_array(r->frame, k);
        if (array->ndims < 2)
            continue;
        size_t times = array->shape[1], inner = array->count / NND_LANES / times;
        double *x = array->data + b * times * inner;
        memcpy(x + to * inner, x + from * inner, inner * sizeof *x);
    }
}

nnd_status nnd_flat_record_start(nnd_flat_record *r, size_t b) {
    double top;
    nnd_flat_block_read(r->block, b, &r->probe);
    if (starts_normal(r->params))
        set(r, "trace_start", b, 0, hessian_trace(r));
    if (!is_given(r->params))
        return NND_OK;
    set(r, "weights_loss", b, 0, r->block->loss[b]);
    if (r->block->linear)
        set(r, "weights_distance2", b, 0, distance2(r->block, b));
    nnd_status status = nnd_flat_record_sharpness(r, b, &top);
    if (status == NND_E_INPUT)
        return nnd_fail(r->ctx, status,
                        "params.weights: the Hessian at these matrices is not finite");
    if (status == NND_OK)
        set(r, "weights_sharpness", b, 0, top);
    return status;
}

/* Of a minimum of a residual network: S <= 2 Lambda sum_k prod_(j != k) (1 + |W_j - 1|)^2. */
static double sharpness_bound(const nnd_flat_record *r, size_t b, size_t last) {
    size_t depth = (size_t)r->params->depth;
    const double *deviation = values(r, "layer_deviation", b) + last * depth;
    double sum = 0.0;
    for (size_t k = 0; k < depth; k++) {
        double product = 1.0;
        for (size_t j = 0; j < depth; j++)
            product *= j == k ? 1.0 : (1.0 + deviation[j]) * (1.0 + deviation[j]);
        sum += product;
    }
    return 2.0 * r->curvature * sum;
}

nnd_status nnd_flat_record_end(nnd_flat_record *r, size_t b, size_t last, double diverged_at) {
    bool lost = !isnan(diverged_at);
    set(r, NND_DIVERGED_AT, b, 0, diverged_at);
    set(r, "diverged", b, 0, lost);
    set(r, "converged", b, 0, 0.0);
    set(r, "minimum_sharpness", b, 0, 0.0);
    set(r, "minimum_stability", b, 0, 0.0);
    set(r, "minimum_bound", b, 0, 0.0);
    set(r, "minimum_bound_share", b, 0, 0.0);
    if (lost)
        return NND_OK;
    double top = values(r, "sharpness", b)[last], gradient = 0.0;
    set(r, "last_sharpness", b, 0, top);
    if (!r->block->linear) {
        nnd_flat_block_read(r->block, b, &r->probe);
        nnd_hessian_set(&r->hessian);
        nnd_hessian_gradient(&r->hessian, r->scratch);
        gradient = cblas_dnrm2((int)r->hessian.count, r->scratch, 1);
    } else {
        set(r, "final_distance2", b, 0, values(r, "distance2", b)[last]);
    }
    if (nnd_flat_block_converged(r->block, b, gradient, top)) {
        set(r, "converged", b, 0, 1.0);
        set(r, "minimum_sharpness", b, 0, top);
        set(r, "minimum_stability", b, 0, r->params->lr * top);
        if (is_residual(r->params)) {
            double bound = sharpness_bound(r, b, last);
            set(r, "minimum_bound", b, 0, bound);
            set(r, "minimum_bound_share", b, 0, top / bound);
        }
    }
    return NND_OK;
}
