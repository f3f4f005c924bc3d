/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/deep_linear_spectra.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

enum { STEPS = 400 };

/* Of residuals, relative to the largest eigenvalue: eigenvalues are then good to some 1e-10,
 * vectors to 1e-5 over the gap. */
static const double TOLERANCE = 1e-6;

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Room for any vector of the network, and for the scratch of a product with its weights. */
static size_t longest(const nnd_deep_linear_network *net) {
    return larger(larger(net->inputs, net->width), larger(net->samples, net->window.capacity));
}

/* Space on which the NTK acts: training samples, or inputs where there are none. */
static size_t ntk_size(const nnd_deep_linear_network *net) {
    return net->params->training == NND_TRAIN_FIXED ? net->samples : net->inputs;
}

nnd_status nnd_deep_linear_spectra_make(nnd_context *ctx, const nnd_deep_linear_network *net,
                                        nnd_deep_linear_spectra *s) {
    const nnd_deep_linear *p = net->params;
    size_t count = (size_t)p->outliers, n = longest(net), layers = net->depth;
    size_t widest = larger(net->inputs, net->width);
    *s = (nnd_deep_linear_spectra){.count = count};
    nnd_status status = NND_OK;
    if (p->spectrum)
        status = nnd_lanczos_new(ctx, widest, STEPS, &s->weights);
    if (status == NND_OK && p->ntk)
        status = nnd_lanczos_new(ctx, ntk_size(net), STEPS, &s->ntk);
    s->start = calloc((layers + 1) * n, sizeof(double));
    s->vector = calloc(count * n, sizeof(double));
    s->space = calloc((layers + 3) * n, sizeof(double));
    s->value = calloc(count, sizeof(double));
    bool done = s->start != NULL && s->vector != NULL && s->space != NULL && s->value != NULL;
    if (p->density) {
        s->matrix = calloc(widest * net->width, sizeof(double));
        s->s = calloc(widest, sizeof(double));
        done = done && s->matrix != NULL && s->s != NULL;
    }
    return status != NND_OK ? status : done ? NND_OK : nnd_fail_memory(ctx, "the spectra");
}

void nnd_deep_linear_spectra_clear(nnd_deep_linear_spectra *s) {
    nnd_lanczos_free(s->weights);
    nnd_lanczos_free(s->ntk);
    free(s->start);
    free(s->vector);
    free(s->space);
    free(s->value);
    free(s->matrix);
    free(s->s);
    *s = (nnd_deep_linear_spectra){0};
}

void nnd_deep_linear_spectra_restart(nnd_deep_linear_spectra *s, const nnd_deep_linear_network *net,
                                     nnd_rng_key key) {
    nnd_rng_normals(key, NND_STREAM_DEEP_LINEAR_SEARCH, 0, (net->depth + 1) * longest(net),
                    s->start);
}

/* The next search of the same spectrum starts from what this one found; a little of everything else
 * comes with the sum over the answers. */
static void remember(nnd_deep_linear_spectra *s, size_t n, double *start) {
    for (size_t i = 0; i < n; i++) {
        start[i] *= 1e-3;
        for (size_t k = 0; k < s->count; k++)
            start[i] += s->vector[k * n + i];
    }
}

/* ---- weight matrices ---- */

typedef struct {
    const nnd_deep_linear_network *net;
    nnd_deep_linear_spectra *spectra;
    size_t layer;
} target;

/* y = A^T A x. */
static void gram_of_weights(void *data, const double *x, double *y) {
    const target *t = data;
    const nnd_weights *w = &t->net->layer[t->layer];
    double *image = t->spectra->space, *scratch = image + longest(t->net);
    nnd_weights_times(w, &t->net->window, x, image, scratch);
    nnd_weights_transposed_times(w, &t->net->window, image, y, scratch);
}

static double squared_cosine(size_t n, const double *x, const double *y) {
    double dot = cblas_ddot((int)n, x, 1, y, 1);
    double norms = cblas_ddot((int)n, x, 1, x, 1) * cblas_ddot((int)n, y, 1, y, 1);
    return norms > 0.0 ? dot * dot / norms : 0.0;
}

nnd_status nnd_deep_linear_singular_values(nnd_deep_linear_spectra *s,
                                           const nnd_deep_linear_network *net, size_t l,
                                           double *value, const double *right,
                                           double *right_overlap, const double *left,
                                           double *left_overlap) {
    target t = {net, s, l};
    size_t n = net->layer[l].cols, rows = net->layer[l].rows;
    double *start = s->start + l * longest(net);
    nnd_lanczos_resize(s->weights, n);
    nnd_status status = nnd_lanczos_largest(s->weights, gram_of_weights, &t, start, s->count,
                                            TOLERANCE, s->value, s->vector, NULL);
    if (status < NND_OK)
        return status;
    for (size_t k = 0; k < s->count && k < n; k++) {
        const double *v = s->vector + k * n;
        value[k] = sqrt(fmax(0.0, s->value[k]));
        if (right != NULL)
            right_overlap[k] = squared_cosine(n, v, right);
        if (left != NULL) {
            nnd_weights_times(&net->layer[l], &net->window, v, s->space, s->space + longest(net));
            left_overlap[k] = squared_cosine(rows, s->space, left);
        }
    }
    remember(s, n, start);
    return NND_OK;
}

/* ---- NTK ---- */

/* grad_{A_l} f(x) is g_{l+1} h_l(x)^T / gamma, so sum_l (D scale_l^2) |g_{l+1}|^2 Q_l^T Q_l with
 * Q_l = A_{l-1} ... A_0 is the Gram operator of gradients on inputs. y = B p, in place of p
 * allowed. */
static void gradient_gram(const target *t, const double *p, double *y) {
    const nnd_deep_linear_network *net = t->net;
    size_t n = longest(net), depth = net->depth, d = net->inputs;
    double *h = t->spectra->space, *scratch = h + (depth + 1) * n, *below = scratch + n;
    memcpy(h, p, d * sizeof(double));
    for (size_t l = 0; l < depth; l++)
        nnd_weights_times(&net->layer[l], &net->window, h + l * n, h + (l + 1) * n, scratch);
    for (size_t l = depth + 1; l-- > 0;) {
        size_t cols = net->layer[l].cols;
        double rate =
            (double)d * net->layer[l].scale * net->layer[l].scale *
            cblas_ddot((int)net->layer[l].rows, net->backward[l + 1], 1, net->backward[l + 1], 1);
        cblas_dscal((int)cols, rate, h + l * n, 1);
        if (l < depth) {
            nnd_weights_transposed_times(&net->layer[l], &net->window, h + (l + 1) * n, below,
                                         scratch);
            cblas_daxpy((int)cols, 1.0, below, 1, h + l * n, 1);
        }
    }
    memcpy(y, h, d * sizeof(double));
}

static void ntk_on_inputs(void *data, const double *x, double *y) {
    gradient_gram(data, x, y);
}

/* y = X B X^T x / P. */
static void ntk_on_samples(void *data, const double *x, double *y) {
    const target *t = data;
    const nnd_deep_linear_network *net = t->net;
    int d = (int)net->inputs, p = (int)net->samples;
    double *input = t->spectra->space + (net->depth + 2) * longest(net);
    cblas_dgemv(CblasRowMajor, CblasTrans, p, d, 1.0 / (double)p, net->x, d, x, 1, 0.0, input, 1);
    gradient_gram(t, input, input);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, p, d, 1.0, net->x, d, input, 1, 0.0, y, 1);
}

nnd_status nnd_deep_linear_ntk_values(nnd_deep_linear_spectra *s,
                                      const nnd_deep_linear_network *net, double *value,
                                      double *residual_overlap) {
    target t = {net, s, 0};
    bool fixed = net->params->training == NND_TRAIN_FIXED;
    size_t n = ntk_size(net);
    double *start = s->start + net->depth * longest(net);
    nnd_status status = nnd_lanczos_largest(s->ntk, fixed ? ntk_on_samples : ntk_on_inputs, &t,
                                            start, s->count, TOLERANCE, value, s->vector, NULL);
    if (status < NND_OK)
        return status;
    if (residual_overlap != NULL)
        *residual_overlap = squared_cosine(n, s->vector, net->residual);
    remember(s, n, start);
    return NND_OK;
}

/* ---- all singular values ---- */

nnd_status nnd_deep_linear_histogram(nnd_context *ctx, nnd_deep_linear_spectra *s,
                                     const nnd_deep_linear_network *net, size_t l, size_t bins,
                                     double width, double *density) {
    const nnd_weights *w = &net->layer[l];
    size_t least = w->rows < w->cols ? w->rows : w->cols;
    memset(density, 0, bins * sizeof *density);
    nnd_weights_write(w, &net->window, s->matrix);
    /* Row-major A is column-major A^T, which has the same singular values. */
    if (LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (lapack_int)w->cols, (lapack_int)w->rows, s->matrix,
                       (lapack_int)w->cols, s->s, NULL, 1, NULL, 1) != 0)
        return nnd_fail(ctx, NND_E_INPUT, "a weight matrix has no singular values");
    for (size_t i = 0; i < least; i++) {
        size_t bin = (size_t)(s->s[i] / width);
        if (bin < bins)
            density[bin] += 1.0 / ((double)least * width);
    }
    return NND_OK;
}
