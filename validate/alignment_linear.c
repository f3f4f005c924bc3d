/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data, gradient and starts of linear networks. */
#include "validate/alignment_linear.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ---- */

nnd_status nnd_linear_data_make(nnd_context *ctx, size_t dim, size_t outputs, size_t samples,
                                nnd_linear_data *data) {
    *data = (nnd_linear_data){.dim = dim, .outputs = outputs, .samples = samples};
    data->s = calloc(dim * dim, sizeof(double));
    data->c = calloc(outputs * dim, sizeof(double));
    return data->s != NULL && data->c != NULL ? NND_OK : nnd_fail_memory(ctx, "the data");
}

void nnd_linear_data_clear(nnd_linear_data *data) {
    free(data->s);
    free(data->c);
    *data = (nnd_linear_data){0};
}

void nnd_linear_data_set(nnd_linear_data *data, const nnd_alignment_pair *pair, size_t b) {
    int d = (int)data->dim, p = (int)data->samples, c = (int)data->outputs;
    double scale = 1.0 / (double)data->samples;
    data->x = pair->x[b];
    data->y = pair->y[b];
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, d, p, scale, data->x, d, 0.0, data->s, d);
    for (size_t i = 0; i < data->dim; i++)
        for (size_t j = 0; j < i; j++)
            data->s[j * data->dim + i] = data->s[i * data->dim + j];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c, d, p, scale, data->y, c, data->x, d,
                0.0, data->c, d);
    data->labels2 = scale * cblas_ddot(p * c, data->y, 1, data->y, 1);
}

double nnd_linear_data_error(const nnd_linear_data *data, const double *b, double *work) {
    int d = (int)data->dim, c = (int)data->outputs;
    cblas_dcopy(c * d, data->c, 1, work, 1);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, c, d, d, 1.0, b, d, data->s, d, -2.0,
                work, d);
    return data->labels2 + cblas_ddot(c * d, b, 1, work, 1);
}

/* ---- network ---- */

static size_t rows_of(const nnd_linear_network *net, size_t l) {
    return l + 1 == net->depth ? net->data->outputs : net->width;
}

static size_t cols_of(const nnd_linear_network *net, size_t l) {
    return l == 0 ? net->data->dim : net->width;
}

nnd_status nnd_linear_network_make(nnd_context *ctx, const nnd_linear_data *data, size_t depth,
                                   size_t width, nnd_linear_network *net) {
    *net = (nnd_linear_network){.data = data, .depth = depth, .width = width};
    for (size_t l = 0; l < depth; l++)
        net->count += rows_of(net, l) * cols_of(net, l);
    size_t c = data->outputs, widest = data->dim > width ? data->dim : width;
    net->w = calloc(net->count, sizeof(double));
    net->predictor = calloc(c * data->dim, sizeof(double));
    net->residual = calloc(c * data->dim, sizeof(double));
    net->back = calloc((depth + 1) * c * widest, sizeof(double));
    net->forth = calloc(2 * c * widest, sizeof(double));
    return net->w != NULL && net->predictor != NULL && net->residual != NULL && net->back != NULL &&
                   net->forth != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "a network");
}

void nnd_linear_network_clear(nnd_linear_network *net) {
    free(net->w);
    free(net->predictor);
    free(net->residual);
    free(net->back);
    free(net->forth);
    *net = (nnd_linear_network){0};
}

double *nnd_linear_network_matrix(const nnd_linear_network *net, size_t l, double *w, size_t *rows,
                                  size_t *cols) {
    for (size_t k = 0; k < l; k++)
        w += rows_of(net, k) * cols_of(net, k);
    *rows = rows_of(net, l);
    *cols = cols_of(net, l);
    return w;
}

/* back_l = a W_{L-1} .. W_{l+1} (C x width of layer l); back_0 is the predictor. */
static double *back_at(const nnd_linear_network *net, size_t l) {
    size_t widest = net->data->dim > net->width ? net->data->dim : net->width;
    return net->back + l * net->data->outputs * widest;
}

static void evaluate(nnd_linear_network *net, const double *w) {
    size_t c = net->data->outputs, rows, cols;
    double *top = back_at(net, net->depth);
    memset(top, 0, c * c * sizeof *top);
    for (size_t i = 0; i < c; i++)
        top[i * c + i] = 1.0;
    for (size_t l = net->depth; l-- > 0;) {
        const double *m = nnd_linear_network_matrix(net, l, (double *)(uintptr_t)w, &rows, &cols);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)cols, (int)rows, 1.0,
                    back_at(net, l + 1), (int)rows, m, (int)cols, 0.0, back_at(net, l), (int)cols);
    }
    memcpy(net->predictor, back_at(net, 0), c * net->data->dim * sizeof(double));
}

void nnd_linear_network_descent(nnd_linear_network *net, const double *w, double *direction) {
    size_t c = net->data->outputs, d = net->data->dim, rows, cols;
    size_t widest = d > net->width ? d : net->width;
    evaluate(net, w);
    memcpy(net->residual, net->data->c, c * d * sizeof(double));
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)d, (int)d, -1.0,
                net->predictor, (int)d, net->data->s, (int)d, 1.0, net->residual, (int)d);
    cblas_daxpy((int)(c * d), -net->ridge, net->predictor, 1, net->residual, 1);
    /* forth_l = residual W_1^T .. W_l^T; the direction of matrix l is back_{l+1}^T forth_l. */
    const double *forth = net->residual;
    for (size_t l = 0; l < net->depth; l++) {
        const double *m = nnd_linear_network_matrix(net, l, (double *)(uintptr_t)w, &rows, &cols);
        double *out = nnd_linear_network_matrix(net, l, direction, &rows, &cols);
        for (size_t i = 0; i < rows * cols; i++)
            out[i] = -net->decay * m[i];
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)cols, (int)c, 1.0,
                    back_at(net, l + 1), (int)rows, forth, (int)cols, 1.0, out, (int)cols);
        double *next = net->forth + (l % 2) * c * widest;
        if (l + 1 < net->depth)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)c, (int)rows, (int)cols, 1.0,
                        forth, (int)cols, m, (int)cols, 0.0, next, (int)rows);
        forth = next;
    }
}

/* ---- starts ---- */

void nnd_linear_network_start_aligned(nnd_linear_network *net, double scale,
                                      const double *direction, nnd_rng_key key, uint32_t stream) {
    size_t rows, cols, k = net->width;
    double root = pow(scale, 1.0 / (double)net->depth), one = 1.0;
    for (size_t l = 0; l < net->depth; l++) {
        double *m = nnd_linear_network_matrix(net, l, net->w, &rows, &cols);
        /* hidden layer l has the direction in which normals l point, stored in scratch */
        double *in = net->back + (l % 2) * k, *out = net->back + ((l + 1) % 2) * k;
        const double *right = l == 0 ? direction : in, *left = &one;
        if (l + 1 < net->depth) {
            nnd_rng_normals(key, stream, l, k, out);
            cblas_dscal((int)k, 1.0 / cblas_dnrm2((int)k, out, 1), out, 1);
            left = out;
        }
        memset(m, 0, rows * cols * sizeof *m);
        cblas_dger(CblasRowMajor, (int)rows, (int)cols, root, left, 1, right, 1, m, (int)cols);
    }
}

nnd_status nnd_linear_network_start_white(nnd_context *ctx, nnd_linear_network *net, double scale,
                                          nnd_rng_key key, uint32_t stream) {
    size_t k = net->width, d = net->data->dim;
    double *w = calloc(k * d, sizeof *w), *tau = calloc(d, sizeof *tau);
    lapack_int info = w != NULL && tau != NULL ? 0 : -1;
    /* columns of the K x D matrix W, as column-major storage has them */
    for (size_t i = 0; info == 0 && i < d; i++)
        nnd_rng_normals(key, stream, i, k, w + i * k);
    if (info == 0)
        info =
            LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (lapack_int)k, (lapack_int)d, w, (lapack_int)k, tau);
    if (info == 0)
        info = LAPACKE_dorgqr(LAPACK_COL_MAJOR, (lapack_int)k, (lapack_int)d, (lapack_int)d, w,
                              (lapack_int)k, tau);
    memset(net->w, 0, net->count * sizeof(double));
    for (size_t i = 0; info == 0 && i < d; i++)
        for (size_t h = 0; h < k; h++)
            net->w[h * d + i] = sqrt(scale) * w[i * k + h];
    free(w);
    free(tau);
    return info == 0 ? NND_OK : nnd_fail_memory(ctx, "white features");
}

void nnd_linear_network_start_gaussian(nnd_linear_network *net, double variance, nnd_rng_key key,
                                       uint32_t stream) {
    size_t k = net->width, d = net->data->dim;
    memset(net->w, 0, net->count * sizeof(double));
    for (size_t h = 0; h < k; h++) {
        nnd_rng_normals(key, stream, h, d, net->w + h * d);
        cblas_dscal((int)d, sqrt(variance / (double)d), net->w + h * d, 1);
    }
}
