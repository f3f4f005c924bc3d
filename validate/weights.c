/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/weights.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

nnd_status nnd_window_make(nnd_context *ctx, size_t capacity, nnd_window *window) {
    *window = (nnd_window){.capacity = capacity, .base = 1.0, .carry = 1.0};
    window->weight = calloc(capacity, sizeof(double));
    window->velocity = calloc(capacity, sizeof(double));
    if (window->weight == NULL || window->velocity == NULL)
        return nnd_fail_memory(ctx, "pending updates");
    return NND_OK;
}

void nnd_window_clear(nnd_window *window) {
    free(window->weight);
    free(window->velocity);
    *window = (nnd_window){0};
}

void nnd_window_reset(nnd_window *window) {
    window->count = 0;
    window->base = window->carry = 1.0;
    window->lag = 0.0;
}

nnd_status nnd_weights_make(nnd_context *ctx, size_t rows, size_t cols, const nnd_window *window,
                            bool momentum, nnd_weights *w) {
    *w = (nnd_weights){.rows = rows, .cols = cols};
    w->w = calloc(rows * cols, sizeof(double));
    w->v = momentum ? calloc(rows * cols, sizeof(double)) : NULL;
    w->left = calloc(window->capacity * rows, sizeof(double));
    w->right = calloc(window->capacity * cols, sizeof(double));
    w->scaled = calloc(window->capacity * rows, sizeof(double));
    if (w->w == NULL || (momentum && w->v == NULL) || w->left == NULL || w->right == NULL ||
        w->scaled == NULL)
        return nnd_fail_memory(ctx, "a weight matrix");
    return NND_OK;
}

void nnd_weights_clear(nnd_weights *w) {
    free(w->w);
    free(w->v);
    free(w->left);
    free(w->right);
    free(w->scaled);
    *w = (nnd_weights){0};
}

size_t nnd_window_push(nnd_window *window) {
    window->weight[window->count] = 0.0;
    window->velocity[window->count] = 0.0;
    return window->count++;
}

void nnd_window_descend(nnd_window *window, double rate, double momentum, double decay) {
    double keep = 1.0 - decay;
    window->carry *= momentum;
    window->lag = keep * window->lag + window->carry;
    window->base *= keep;
    for (size_t k = 0; k < window->count; k++)
        window->velocity[k] *= momentum;
    window->velocity[window->count - 1] = rate;
    for (size_t k = 0; k < window->count; k++)
        window->weight[k] = keep * window->weight[k] + window->velocity[k];
}

void nnd_weights_push(nnd_weights *w, size_t k, const double *left, const double *right) {
    memcpy(w->left + k * w->rows, left, w->rows * sizeof(double));
    memcpy(w->right + k * w->cols, right, w->cols * sizeof(double));
}

/* target += strength * sum_k coefficient_k left_k right_k^T. */
static void add_updates(nnd_weights *w, const nnd_window *window, const double *coefficient,
                        double *target) {
    for (size_t k = 0; k < window->count; k++)
        for (size_t i = 0; i < w->rows; i++)
            w->scaled[k * w->rows + i] = coefficient[k] * w->left[k * w->rows + i];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)w->rows, (int)w->cols,
                (int)window->count, w->strength, w->scaled, (int)w->rows, w->right, (int)w->cols,
                1.0, target, (int)w->cols);
}

void nnd_weights_fold(nnd_weights *w, const nnd_window *window) {
    bool momentum = w->v != NULL;
    for (size_t i = 0; i < w->rows * w->cols; i++) {
        double v = momentum ? w->v[i] : 0.0;
        w->w[i] = window->base * w->w[i] + window->lag * v;
        if (momentum)
            w->v[i] = window->carry * v;
    }
    add_updates(w, window, window->weight, w->w);
    if (momentum)
        add_updates(w, window, window->velocity, w->v);
}

/* Pending part: y += scale strength sum_k weight_k out_k (in_k . x). */
static void add_pending(const nnd_weights *w, const nnd_window *window, size_t n_in,
                        const double *in, size_t n_out, const double *out, const double *x,
                        double *y, double *scratch) {
    int count = (int)window->count;
    if (count == 0)
        return;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, count, (int)n_in, w->scale * w->strength, in,
                (int)n_in, x, 1, 0.0, scratch, 1);
    for (size_t k = 0; k < window->count; k++)
        scratch[k] *= window->weight[k];
    cblas_dgemv(CblasRowMajor, CblasTrans, count, (int)n_out, 1.0, out, (int)n_out, scratch, 1, 1.0,
                y, 1);
}

static void times(const nnd_weights *w, const nnd_window *window, CBLAS_TRANSPOSE transpose,
                  const double *x, double *y) {
    int rows = (int)w->rows, cols = (int)w->cols;
    cblas_dgemv(CblasRowMajor, transpose, rows, cols, w->scale * window->base, w->w, cols, x, 1,
                0.0, y, 1);
    if (w->v != NULL && window->lag != 0.0)
        cblas_dgemv(CblasRowMajor, transpose, rows, cols, w->scale * window->lag, w->v, cols, x, 1,
                    1.0, y, 1);
}

void nnd_weights_times(const nnd_weights *w, const nnd_window *window, const double *x, double *y,
                       double *scratch) {
    times(w, window, CblasNoTrans, x, y);
    add_pending(w, window, w->cols, w->right, w->rows, w->left, x, y, scratch);
}

void nnd_weights_transposed_times(const nnd_weights *w, const nnd_window *window, const double *x,
                                  double *y, double *scratch) {
    times(w, window, CblasTrans, x, y);
    add_pending(w, window, w->rows, w->left, w->cols, w->right, x, y, scratch);
}

void nnd_weights_write(const nnd_weights *w, const nnd_window *window, double *out) {
    for (size_t i = 0; i < w->rows * w->cols; i++)
        out[i] = w->scale * (window->base * w->w[i] + (w->v != NULL ? window->lag * w->v[i] : 0.0));
    for (size_t k = 0; k < window->count; k++)
        cblas_dger(CblasRowMajor, (int)w->rows, (int)w->cols,
                   w->scale * w->strength * window->weight[k], w->left + k * w->rows, 1,
                   w->right + k * w->cols, 1, out, (int)w->cols);
}
