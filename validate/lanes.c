/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/lanes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/vector.h"

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

/* A row of lanes is PARTS vectors; what is called with pointers to one part works on that part. */
enum { PARTS = NND_LANES / NND_VECTOR };

typedef nnd_vector vec;

static const vec *part_of(const double *x, size_t part) {
    return (const vec *)x + part;
}

static vec *part_to(double *x, size_t part) {
    return (vec *)x + part;
}

static void set_zero(size_t n, double *x) {
    memset(x, 0, n * NND_LANES * sizeof *x);
}

/* y += A' x over some rows of A, a constant number. */
static inline __attribute__((always_inline)) void pull_rows(size_t rows, size_t cols, const vec *a,
                                                            const vec *x, vec *restrict y) {
    for (size_t j = 0; j < cols; j++) {
        vec sum = y[j * PARTS];
        for (size_t i = 0; i < rows; i++)
            sum += a[(i * cols + j) * PARTS] * x[i * PARTS];
        y[j * PARTS] = sum;
    }
}

/* y = A' x */
static void transposed_times(size_t rows, size_t cols, const double *a, const double *x,
                             double *y) {
    set_zero(cols, y);
    for (size_t part = 0; part < PARTS; part++) {
        const vec *row = part_of(a, part), *along = part_of(x, part);
        vec *sum = part_to(y, part);
        size_t i = 0;
        for (; i + FOUR <= rows; i += FOUR)
            pull_rows(FOUR, cols, row + i * cols * PARTS, along + i * PARTS, sum);
        for (; i < rows; i++)
            pull_rows(1, cols, row + i * cols * PARTS, along + i * PARTS, sum);
    }
}

/* The same after A += factor u v'. */
static inline __attribute__((always_inline)) void turn_rows(size_t rows, size_t cols, double factor,
                                                            const vec *u, const vec *v,
                                                            vec *restrict a, const vec *x,
                                                            vec *restrict y) {
    vec scaled[FOUR], pull[FOUR];
    for (size_t i = 0; i < rows; i++) {
        scaled[i] = factor * u[i * PARTS];
        pull[i] = x[i * PARTS];
    }
    for (size_t j = 0; j < cols; j++) {
        vec sum = y[j * PARTS], along = v[j * PARTS];
        for (size_t i = 0; i < rows; i++) {
            vec turned = a[(i * cols + j) * PARTS] + scaled[i] * along;
            a[(i * cols + j) * PARTS] = turned;
            sum += turned * pull[i];
        }
        y[j * PARTS] = sum;
    }
}

/* A += factor u v', y = A' x, in one pass over A. */
static void add_outer_times(size_t rows, size_t cols, double factor, const double *u,
                            const double *v, double *a, const double *x, double *y) {
    set_zero(cols, y);
    for (size_t part = 0; part < PARTS; part++) {
        const vec *left = part_of(u, part), *right = part_of(v, part), *along = part_of(x, part);
        vec *row = part_to(a, part), *sum = part_to(y, part);
        size_t i = 0;
        for (; i + FOUR <= rows; i += FOUR)
            turn_rows(FOUR, cols, factor, left + i * PARTS, right, row + i * cols * PARTS,
                      along + i * PARTS, sum);
        for (; i < rows; i++)
            turn_rows(1, cols, factor, left + i * PARTS, right, row + i * cols * PARTS,
                      along + i * PARTS, sum);
    }
}

static inline __attribute__((always_inline)) void some_times(size_t rows, size_t cols, const vec *a,
                                                             const vec *x, vec *restrict y) {
    vec sum[FOUR] = {{0}};
    for (size_t j = 0; j < cols; j++)
        for (size_t i = 0; i < rows; i++)
            sum[i] += a[(i * cols + j) * PARTS] * x[j * PARTS];
    for (size_t i = 0; i < rows; i++)
        y[i * PARTS] = sum[i];
}

/* y = A x */
static void times(size_t rows, size_t cols, const double *a, const double *x, double *y) {
    for (size_t part = 0; part < PARTS; part++) {
        const vec *row = part_of(a, part), *along = part_of(x, part);
        vec *sum = part_to(y, part);
        size_t i = 0;
        for (; i + FOUR <= rows; i += FOUR)
            some_times(FOUR, cols, row + i * cols * PARTS, along, sum + i * PARTS);
        for (; i < rows; i++)
            some_times(1, cols, row + i * cols * PARTS, along, sum + i * PARTS);
    }
}

/* a += factor u v' */
static void add_outer(size_t rows, size_t cols, double factor, const double *restrict u,
                      const double *restrict v, double *restrict a) {
    for (size_t i = 0; i < rows; i++) {
        double scaled[NND_LANES];
        for (size_t b = 0; b < NND_LANES; b++)
            scaled[b] = factor * u[i * NND_LANES + b];
        for (size_t j = 0; j < cols; j++)
            for (size_t b = 0; b < NND_LANES; b++)
                a[(i * cols + j) * NND_LANES + b] += scaled[b] * v[j * NND_LANES + b];
    }
}

static void norm2(size_t n, const double *restrict x, double *restrict sum) {
    set_zero(1, sum);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < NND_LANES; b++)
            sum[b] += x[i * NND_LANES + b] * x[i * NND_LANES + b];
}

/* Errors of some samples at w, and their pull on it. */
static inline __attribute__((always_inline)) void
pass_samples(size_t samples, size_t d, const double *x, const double *y, double strength,
             const vec *w, vec *restrict error, vec *restrict g) {
    vec sum[FOUR];
    for (size_t i = 0; i < samples; i++)
        sum[i] = (vec){0} - y[i];
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < samples; i++)
            sum[i] += x[i * d + j] * w[j * PARTS];
    for (size_t i = 0; i < samples; i++)
        error[i * PARTS] = sum[i];
    for (size_t j = 0; j < d; j++) {
        vec pull = g[j * PARTS];
        for (size_t i = 0; i < samples; i++)
            pull += strength * x[i * d + j] * sum[i];
        g[j * PARTS] = pull;
    }
}

/* Errors at w = back[0] and their pull g = image[0] on it. */
static void pass_data(const nnd_lanes *l) {
    size_t d = l->width[0];
    double strength = 2.0 * l->weight;
    set_zero(d, l->image[0]);
    for (size_t part = 0; part < PARTS; part++) {
        const vec *w = part_of(l->back[0], part);
        vec *error = part_to(l->error, part), *g = part_to(l->image[0], part);
        size_t mu = 0;
        for (; mu + FOUR <= l->samples; mu += FOUR)
            pass_samples(FOUR, d, l->x + mu * d, l->y + mu, strength, w, error + mu * PARTS, g);
        for (; mu < l->samples; mu++)
            pass_samples(1, d, l->x + mu * d, l->y + mu, strength, w, error + mu * PARTS, g);
    }
}

/* ---- passes ---- */

/* All that depends on back[0..depth]. */
static void finish(nnd_lanes *l) {
    const size_t *width = l->width;
    double back2[NND_LANES], image2[NND_LANES];
    pass_data(l);
    norm2(l->samples, l->error, l->loss);
    norm2(width[0], l->image[0], l->slope2);
    memset(l->gradient2, 0, sizeof back2);
    for (size_t b = 0; b < NND_LANES; b++)
        l->loss[b] = l->weight * l->loss[b] + l->floor;
    for (size_t k = 0; k < l->depth; k++) {
        norm2(width[k + 1], l->back[k + 1], back2);
        norm2(width[k], l->image[k], image2);
        for (size_t b = 0; b < NND_LANES; b++)
            l->gradient2[b] += back2[b] * image2[b];
        if (k + 1 < l->depth)
            times(width[k + 1], width[k], l->matrix[k], l->image[k], l->image[k + 1]);
    }
}

void nnd_lanes_evaluate(nnd_lanes *l) {
    for (size_t k = l->depth; k-- > 0;)
        transposed_times(l->width[k + 1], l->width[k], l->matrix[k], l->back[k + 1], l->back[k]);
    finish(l);
}

void nnd_lanes_descend(nnd_lanes *l, double rate) {
    const double *above = l->back[l->depth]; /* before this step, which the gradient needs */
    for (size_t k = l->depth; k-- > 0;) {
        double *now = l->spare[0], *before = l->back[k];
        add_outer_times(l->width[k + 1], l->width[k], -rate, above, l->image[k], l->matrix[k],
                        l->back[k + 1], now);
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
        add_outer(width[k + 1], width[k], factor, l->back[k + 1], l->image[k], target);
        target += width[k] * width[k + 1] * NND_LANES;
    }
}
