/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/chain.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/solvers/lanczos.h"

/* depth + 1 vectors of the widths in one block, which the first one owns. */
static double **layers_new(size_t depth, const size_t *width) {
    double **layer = calloc(depth + 1, sizeof *layer);
    size_t total = 0;
    for (size_t k = 0; k <= depth; k++)
        total += width[k];
    double *block = calloc(total, sizeof *block);
    if (layer == NULL || block == NULL) {
        free(layer);
        free(block);
        return NULL;
    }
    for (size_t k = 0; k <= depth; k++) {
        layer[k] = block;
        block += width[k];
    }
    return layer;
}

static void layers_free(double **layer) {
    if (layer != NULL)
        free(layer[0]);
    free(layer);
}

nnd_status nnd_chain_make(nnd_context *ctx, const nnd_quadratic *loss, size_t depth,
                          const size_t *width, const double *readout, nnd_chain *chain) {
    *chain = (nnd_chain){.loss = loss, .depth = depth};
    for (size_t k = 0; k < depth; k++)
        chain->count += width[k] * width[k + 1];
    chain->width = calloc(depth + 1, sizeof *chain->width);
    chain->weights = calloc(chain->count, sizeof(double));
    chain->matrix = calloc(depth, sizeof *chain->matrix);
    chain->readout = calloc(width[depth], sizeof(double));
    chain->alpha = layers_new(depth, width);
    chain->image = layers_new(depth, width);
    chain->alpha_change = layers_new(depth, width);
    chain->image_change = layers_new(depth, width);
    if (chain->width == NULL || chain->weights == NULL || chain->matrix == NULL ||
        chain->readout == NULL || chain->alpha == NULL || chain->image == NULL ||
        chain->alpha_change == NULL || chain->image_change == NULL)
        return nnd_fail_memory(ctx, "a chain of matrices");
    memcpy(chain->width, width, (depth + 1) * sizeof *width);
    for (size_t k = 0, at = 0; k < depth; at += width[k] * width[k + 1], k++)
        chain->matrix[k] = chain->weights + at;
    for (size_t i = 0; i < width[depth]; i++)
        chain->readout[i] = readout != NULL ? readout[i] : 1.0;
    return NND_OK;
}

void nnd_chain_clear(nnd_chain *chain) {
    free(chain->width);
    free(chain->weights);
    free(chain->matrix);
    free(chain->readout);
    layers_free(chain->alpha);
    layers_free(chain->image);
    layers_free(chain->alpha_change);
    layers_free(chain->image_change);
    *chain = (nnd_chain){0};
}

/* y = beta y + A x of a rows x cols matrix. */
static void times(size_t rows, size_t cols, const double *a, const double *x, double beta,
                  double *y) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)cols, 1.0, a, (int)cols, x, 1, beta, y,
                1);
}

/* y = beta y + A' x. */
static void transposed_times(size_t rows, size_t cols, const double *a, const double *x,
                             double beta, double *y) {
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, (int)cols, 1.0, a, (int)cols, x, 1, beta, y,
                1);
}

/* a = x y', or a + x y'. */
static void outer(size_t rows, size_t cols, const double *x, const double *y, bool add, double *a) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            a[i * cols + j] = x[i] * y[j] + (add ? a[i * cols + j] : 0.0);
}

void nnd_chain_evaluate(nnd_chain *c) {
    const size_t *width = c->width;
    memcpy(c->alpha[c->depth], c->readout, width[c->depth] * sizeof(double));
    for (size_t k = c->depth; k-- > 0;)
        transposed_times(width[k + 1], width[k], c->matrix[k], c->alpha[k + 1], 0.0, c->alpha[k]);
    nnd_quadratic_gradient(c->loss, c->alpha[0], c->image[0]);
    for (size_t k = 0; k < c->depth; k++)
        times(width[k + 1], width[k], c->matrix[k], c->image[k], 0.0, c->image[k + 1]);
}

void nnd_chain_hessian(void *chain, const double *x, double *y) {
    nnd_chain *c = chain;
    const size_t *width = c->width;
    size_t d = width[0];
    const double *v = x + c->count;
    memset(c->alpha_change[c->depth], 0, width[c->depth] * sizeof(double));
    for (size_t k = c->depth; k-- > 0;) {
        v -= width[k] * width[k + 1];
        transposed_times(width[k + 1], width[k], c->matrix[k], c->alpha_change[k + 1], 0.0,
                         c->alpha_change[k]);
        transposed_times(width[k + 1], width[k], v, c->alpha[k + 1], 1.0, c->alpha_change[k]);
    }
    cblas_dsymv(CblasRowMajor, CblasLower, (int)d, 2.0, c->loss->covariance, (int)d,
                c->alpha_change[0], 1, 0.0, c->image_change[0], 1);
    for (size_t k = 0; k < c->depth; k++) {
        times(width[k + 1], width[k], c->matrix[k], c->image_change[k], 0.0,
              c->image_change[k + 1]);
        times(width[k + 1], width[k], v, c->image[k], 1.0, c->image_change[k + 1]);
        outer(width[k + 1], width[k], c->alpha[k + 1], c->image_change[k], false, y);
        outer(width[k + 1], width[k], c->alpha_change[k + 1], c->image[k], true, y);
        v += width[k] * width[k + 1];
        y += width[k] * width[k + 1];
    }
}

nnd_status nnd_chain_extremes(nnd_context *ctx, nnd_chain *chain, double *value) {
    enum { STEPS = 300 };
    nnd_lanczos *lanczos = NULL;
    double *start = calloc(chain->count, sizeof *start);
    nnd_status status = start == NULL ? nnd_fail_memory(ctx, "Lanczos vectors")
                                      : nnd_lanczos_new(ctx, chain->count, STEPS, &lanczos);
    if (status == NND_OK) {
        nnd_rng_normals((nnd_rng_key){0}, 0, 0, chain->count, start);
        status =
            nnd_lanczos_extremes(lanczos, nnd_chain_hessian, chain, start, 1e-7, value, NULL, NULL);
    }
    nnd_lanczos_free(lanczos);
    free(start);
    return status;
}

/* S^(1/2) Theta S^(1/2) = sum_k |alpha_k|^2 C_k' C_k with C_k = W_{k-1} ... W_1 S^(1/2), lower
 * triangle of dim x dim, by columns of C from left to right. */
static nnd_status root_theta(nnd_context *ctx, const nnd_chain *c, double *sum) {
    size_t d = c->width[0], widest = d;
    for (size_t k = 0; k < c->depth; k++)
        widest = c->width[k] > widest ? c->width[k] : widest;
    double *now = calloc(widest * d, sizeof *now), *next = calloc(widest * d, sizeof *next);
    if (now == NULL || next == NULL) {
        free(now);
        free(next);
        return nnd_fail_memory(ctx, "a tangent kernel");
    }
    memcpy(now, c->loss->root, d * d * sizeof(double));
    memset(sum, 0, d * d * sizeof(double));
    for (size_t k = 0; k < c->depth; k++) {
        int n = (int)d, rows = (int)c->width[k], up = (int)c->width[k + 1];
        double alpha2 = cblas_ddot(up, c->alpha[k + 1], 1, c->alpha[k + 1], 1), *swap = now;
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, rows, alpha2, now, n, 1.0, sum, n);
        if (k + 1 == c->depth)
            break;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, up, n, rows, 1.0, c->matrix[k], rows,
                    now, n, 0.0, next, n);
        now = next;
        next = swap;
    }
    free(now);
    free(next);
    return NND_OK;
}

nnd_status nnd_chain_sharpness(nnd_context *ctx, const nnd_chain *chain, double *sharpness) {
    size_t d = chain->width[0];
    lapack_int found, n = (lapack_int)d;
    double *sum = calloc(d * d, sizeof *sum), *value = calloc(d, sizeof *value);
    nnd_status status = sum == NULL || value == NULL ? nnd_fail_memory(ctx, "a tangent kernel")
                                                     : root_theta(ctx, chain, sum);
    if (status == NND_OK && LAPACKE_dsyevr(LAPACK_ROW_MAJOR, 'N', 'I', 'L', n, sum, n, 0.0, 0.0, n,
                                           n, 0.0, &found, value, NULL, n, NULL) != 0)
        status = nnd_fail(ctx, NND_E_INPUT, "a tangent kernel is not finite");
    if (status == NND_OK)
        *sharpness = 2.0 * value[0];
    free(sum);
    free(value);
    return status;
}

void nnd_chain_set_aligned(nnd_chain *chain, const double *b, double s) {
    memset(chain->weights, 0, chain->count * sizeof(double));
    memcpy(chain->matrix[0], b, chain->width[0] * sizeof(double));
    for (size_t k = 1; k < chain->depth; k++)
        chain->matrix[k][0] = s;
}
