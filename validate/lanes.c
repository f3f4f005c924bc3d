/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/lanes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Rows of lanes are aligned to vectors. */
enum { ALIGNMENT = 64 };

static double *lanes_new(size_t n) {
    size_t bytes = n * NND_LANES * sizeof(double);
    double *x = aligned_alloc(ALIGNMENT, bytes > 0 ? bytes : ALIGNMENT);
    if (x != NULL)
        memset(x, 0, bytes);
    return x;
}

/* All as wide as the widest: buffers change places. */
static bool make_vectors(size_t count, size_t width, double **vector) {
    bool done = vector != NULL;
    for (size_t k = 0; done && k < count; k++)
        done = (vector[k] = lanes_new(width)) != NULL;
    return done;
}

nnd_status nnd_lanes_make(nnd_context *ctx, size_t depth, const size_t *width, size_t samples,
                          const double *x, const double *y, double weight, double floor,
                          nnd_lanes *l) {
    *l = (nnd_lanes){
        .depth = depth, .samples = samples, .x = x, .y = y, .weight = weight, .floor = floor};
    size_t widest = width[0];
    for (size_t k = 0; k < depth; k++) {
        l->count += width[k] * width[k + 1];
        widest = width[k + 1] > widest ? width[k + 1] : widest;
    }
    l->width = calloc(depth + 1, sizeof *l->width);
    l->weights = lanes_new(l->count);
    l->matrix = calloc(depth, sizeof *l->matrix);
    l->error = lanes_new(samples);
    l->loss = lanes_new(3);
    l->back = calloc(depth + 1, sizeof *l->back);
    l->image = calloc(depth + 1, sizeof *l->image);
    if (l->width == NULL || l->weights == NULL || l->matrix == NULL || l->error == NULL ||
        l->loss == NULL || !make_vectors(depth + 1, widest, l->back) ||
        !make_vectors(depth + 1, widest, l->image) || !make_vectors(2, widest, l->spare))
        return nnd_fail_memory(ctx, "a block of networks");
    l->slope2 = l->loss + NND_LANES;
    l->gradient2 = l->slope2 + NND_LANES;
    memcpy(l->width, width, (depth + 1) * sizeof *width);
    for (size_t k = 0, at = 0; k < depth; at += width[k] * width[k + 1], k++)
        l->matrix[k] = l->weights + at * NND_LANES;
    for (size_t i = 0; i < width[depth] * NND_LANES; i++)
        l->back[depth][i] = 1.0;
    return NND_OK;
}

static void free_vectors(size_t depth, double **layer) {
    for (size_t k = 0; layer != NULL && k <= depth; k++)
        free(layer[k]);
    free(layer);
}

void nnd_lanes_clear(nnd_lanes *l) {
    free(l->width);
    free(l->weights);
    free(l->matrix);
    free(l->error);
    free(l->loss);
    free(l->spare[0]);
    free(l->spare[1]);
    free_vectors(l->depth, l->back);
    free_vectors(l->depth, l->image);
    *l = (nnd_lanes){0};
}

void nnd_lanes_read(const nnd_lanes *l, size_t lane, double *weights) {
    for (size_t i = 0; i < l->count; i++)
        weights[i] = l->weights[i * NND_LANES + lane];
}

void nnd_lanes_write(nnd_lanes *l, size_t lane, const double *weights) {
    for (size_t i = 0; i < l->count; i++)
        l->weights[i * NND_LANES + lane] = weights[i];
}

/* ---- kernels: rows of matrices four by four, to hide how long one multiply-add takes ---- */

enum { FOUR = 4 };

typedef double vec
    __attribute__((vector_size(NND_LANES * sizeof(double)), aligned(sizeof(double))));

static const vec *rows_of(const double *x) {
    return (const vec *)x;
}

/* y += A' x over some rows of A, a constant number. */
static inline __attribute__((always_inline)) void pull_rows(size_t rows, size_t cols, const vec *a,
                                                            const vec *x, vec *restrict y) {
    for (size_t j = 0; j < cols; j++) {
        vec sum = y[j];
        for (size_t i = 0; i < rows; i++)
            sum += a[i * cols + j] * x[i];
        y[j] = sum;
    }
}

/* y = A' x */
static void transposed_times(size_t rows, size_t cols, const vec *a, const vec *x, vec *y) {
    size_t i = 0;
    memset(y, 0, cols * sizeof *y);
    for (; i + FOUR <= rows; i += FOUR)
        pull_rows(FOUR, cols, a + i * cols, x + i, y);
    for (; i < rows; i++)
        pull_rows(1, cols, a + i * cols, x + i, y);
}

/* The same after A += factor u v'. */
static inline __attribute__((always_inline)) void turn_rows(size_t rows, size_t cols, double factor,
                                                            const vec *u, const vec *v,
                                                            vec *restrict a, const vec *x,
                                                            vec *restrict y) {
    vec scaled[FOUR], pull[FOUR];
    for (size_t i = 0; i < rows; i++) {
        scaled[i] = factor * u[i];
        pull[i] = x[i];
    }
    for (size_t j = 0; j < cols; j++) {
        vec sum = y[j], along = v[j];
        for (size_t i = 0; i < rows; i++) {
            vec turned = a[i * cols + j] + scaled[i] * along;
            a[i * cols + j] = turned;
            sum += turned * pull[i];
        }
        y[j] = sum;
    }
}

/* A += factor u v', y = A' x, in one pass over A. */
static void add_outer_times(size_t rows, size_t cols, double factor, const vec *u, const vec *v,
                            vec *a, const vec *x, vec *y) {
    size_t i = 0;
    memset(y, 0, cols * sizeof *y);
    for (; i + FOUR <= rows; i += FOUR)
        turn_rows(FOUR, cols, factor, u + i, v, a + i * cols, x + i, y);
    for (; i < rows; i++)
        turn_rows(1, cols, factor, u + i, v, a + i * cols, x + i, y);
}

static inline __attribute__((always_inline)) void some_times(size_t rows, size_t cols, const vec *a,
                                                             const vec *x, vec *restrict y) {
    vec sum[FOUR] = {{0}};
    for (size_t j = 0; j < cols; j++)
        for (size_t i = 0; i < rows; i++)
            sum[i] += a[i * cols + j] * x[j];
    for (size_t i = 0; i < rows; i++)
        y[i] = sum[i];
}

/* y = A x */
static void times(size_t rows, size_t cols, const vec *a, const vec *x, vec *y) {
    size_t i = 0;
    for (; i + FOUR <= rows; i += FOUR)
        some_times(FOUR, cols, a + i * cols, x, y + i);
    for (; i < rows; i++)
        some_times(1, cols, a + i * cols, x, y + i);
}

/* a += factor u v' */
static void add_outer(size_t rows, size_t cols, double factor, const vec *u, const vec *v,
                      vec *restrict a) {
    for (size_t i = 0; i < rows; i++) {
        vec scaled = factor * u[i];
        for (size_t j = 0; j < cols; j++)
            a[i * cols + j] += scaled * v[j];
    }
}

static vec norm2(size_t n, const double *x) {
    const vec *row = rows_of(x);
    vec sum = {0};
    for (size_t i = 0; i < n; i++)
        sum += row[i] * row[i];
    return sum;
}

/* Errors of some samples at w, and their pull on it. */
static inline __attribute__((always_inline)) void
pass_samples(size_t samples, const nnd_lanes *l, size_t mu, const vec *w, vec *restrict g) {
    size_t d = l->width[0];
    const double *x = l->x + mu * d;
    vec *error = (vec *)l->error + mu, sum[FOUR];
    for (size_t i = 0; i < samples; i++)
        sum[i] = (vec){0} - l->y[mu + i];
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < samples; i++)
            sum[i] += x[i * d + j] * w[j];
    for (size_t i = 0; i < samples; i++)
        error[i] = sum[i];
    for (size_t j = 0; j < d; j++) {
        vec pull = g[j];
        for (size_t i = 0; i < samples; i++)
            pull += 2.0 * l->weight * x[i * d + j] * sum[i];
        g[j] = pull;
    }
}

/* Errors at w = back[0] and their pull g = image[0] on it. */
static void pass_data(const nnd_lanes *l) {
    const vec *w = rows_of(l->back[0]);
    vec *g = (vec *)l->image[0];
    size_t mu = 0;
    memset(g, 0, l->width[0] * sizeof *g);
    for (; mu + FOUR <= l->samples; mu += FOUR)
        pass_samples(FOUR, l, mu, w, g);
    for (; mu < l->samples; mu++)
        pass_samples(1, l, mu, w, g);
}

/* ---- passes ---- */

/* All that depends on back[0..depth]. */
static void finish(nnd_lanes *l) {
    const size_t *width = l->width;
    vec *loss = (vec *)l->loss, *slope2 = (vec *)l->slope2, *gradient2 = (vec *)l->gradient2;
    pass_data(l);
    *loss = l->weight * norm2(l->samples, l->error) + l->floor;
    *slope2 = norm2(width[0], l->image[0]);
    *gradient2 = (vec){0};
    for (size_t k = 0; k < l->depth; k++) {
        *gradient2 += norm2(width[k + 1], l->back[k + 1]) * norm2(width[k], l->image[k]);
        if (k + 1 < l->depth)
            times(width[k + 1], width[k], rows_of(l->matrix[k]), rows_of(l->image[k]),
                  (vec *)l->image[k + 1]);
    }
}

void nnd_lanes_evaluate(nnd_lanes *l) {
    for (size_t k = l->depth; k-- > 0;)
        transposed_times(l->width[k + 1], l->width[k], rows_of(l->matrix[k]),
                         rows_of(l->back[k + 1]), (vec *)l->back[k]);
    finish(l);
}

void nnd_lanes_descend(nnd_lanes *l, double rate) {
    const double *above = l->back[l->depth]; /* before this step, which the gradient needs */
    for (size_t k = l->depth; k-- > 0;) {
        double *now = l->spare[0], *before = l->back[k];
        add_outer_times(l->width[k + 1], l->width[k], -rate, rows_of(above), rows_of(l->image[k]),
                        (vec *)l->matrix[k], rows_of(l->back[k + 1]), (vec *)now);
        l->back[k] = now;
        l->spare[0] = l->spare[1];
        l->spare[1] = before;
        above = before;
    }
    finish(l);
}

void nnd_lanes_add_gradient(const nnd_lanes *l, double factor, double *target) {
    const size_t *width = l->width;
    for (size_t k = 0; k < l->depth; k++) {
        add_outer(width[k + 1], width[k], factor, rows_of(l->back[k + 1]), rows_of(l->image[k]),
                  (vec *)target);
        target += width[k] * width[k + 1] * NND_LANES;
    }
}
