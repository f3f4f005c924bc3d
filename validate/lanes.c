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

static bool make_vectors(size_t depth, const size_t *width, double ***layer) {
    *layer = calloc(depth + 1, sizeof **layer);
    bool done = *layer != NULL;
    for (size_t k = 0; done && k <= depth; k++)
        done = ((*layer)[k] = lanes_new(width[k])) != NULL;
    return done;
}

nnd_status nnd_lanes_make(nnd_context *ctx, size_t depth, const size_t *width, size_t samples,
                          const double *x, const double *y, double weight, double floor,
                          nnd_lanes *l) {
    *l = (nnd_lanes){
        .depth = depth, .samples = samples, .x = x, .y = y, .weight = weight, .floor = floor};
    for (size_t k = 0; k < depth; k++)
        l->count += width[k] * width[k + 1];
    l->width = calloc(depth + 1, sizeof *l->width);
    l->weights = lanes_new(l->count);
    l->matrix = calloc(depth, sizeof *l->matrix);
    l->error = lanes_new(samples);
    l->loss = lanes_new(3);
    if (l->width == NULL || l->weights == NULL || l->matrix == NULL || l->error == NULL ||
        l->loss == NULL || !make_vectors(depth, width, &l->back) ||
        !make_vectors(depth, width, &l->image))
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

/* ---- kernels: every loop over lanes is one vector operation ---- */

/* y = A' x */
static void transposed_times(size_t rows, size_t cols, const double *restrict a,
                             const double *restrict x, double *restrict y) {
    memset(y, 0, cols * NND_LANES * sizeof(double));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            const double *aij = a + (i * cols + j) * NND_LANES;
            for (size_t b = 0; b < NND_LANES; b++)
                y[j * NND_LANES + b] += aij[b] * x[i * NND_LANES + b];
        }
}

/* y = A x */
static void times(size_t rows, size_t cols, const double *restrict a, const double *restrict x,
                  double *restrict y) {
    for (size_t i = 0; i < rows; i++) {
        double sum[NND_LANES] = {0};
        for (size_t j = 0; j < cols; j++) {
            const double *aij = a + (i * cols + j) * NND_LANES;
            for (size_t b = 0; b < NND_LANES; b++)
                sum[b] += aij[b] * x[j * NND_LANES + b];
        }
        memcpy(y + i * NND_LANES, sum, sizeof sum);
    }
}

/* a += factor x y' */
static void add_outer(size_t rows, size_t cols, double factor, const double *restrict x,
                      const double *restrict y, double *restrict a) {
    for (size_t i = 0; i < rows; i++) {
        double scaled[NND_LANES];
        for (size_t b = 0; b < NND_LANES; b++)
            scaled[b] = factor * x[i * NND_LANES + b];
        for (size_t j = 0; j < cols; j++) {
            double *aij = a + (i * cols + j) * NND_LANES;
            for (size_t b = 0; b < NND_LANES; b++)
                aij[b] += scaled[b] * y[j * NND_LANES + b];
        }
    }
}

static void norm2(size_t n, const double *restrict x, double *restrict sum) {
    memset(sum, 0, NND_LANES * sizeof(double));
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < NND_LANES; b++)
            sum[b] += x[i * NND_LANES + b] * x[i * NND_LANES + b];
}

/* Errors at w and their pull g on it. */
static void pass_data(const nnd_lanes *l, const double *restrict w, double *restrict g) {
    size_t d = l->width[0];
    memset(g, 0, d * NND_LANES * sizeof(double));
    for (size_t mu = 0; mu < l->samples; mu++) {
        const double *row = l->x + mu * d;
        double sum[NND_LANES];
        for (size_t b = 0; b < NND_LANES; b++)
            sum[b] = -l->y[mu];
        for (size_t j = 0; j < d; j++)
            for (size_t b = 0; b < NND_LANES; b++)
                sum[b] += row[j] * w[j * NND_LANES + b];
        memcpy(l->error + mu * NND_LANES, sum, sizeof sum);
        for (size_t j = 0; j < d; j++)
            for (size_t b = 0; b < NND_LANES; b++)
                g[j * NND_LANES + b] += 2.0 * l->weight * row[j] * sum[b];
    }
}

void nnd_lanes_evaluate(nnd_lanes *l) {
    const size_t *width = l->width;
    double back2[NND_LANES], image2[NND_LANES];
    for (size_t k = l->depth; k-- > 0;)
        transposed_times(width[k + 1], width[k], l->matrix[k], l->back[k + 1], l->back[k]);
    pass_data(l, l->back[0], l->image[0]);
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

void nnd_lanes_add_gradient(nnd_lanes *l, double factor, double *target) {
    const size_t *width = l->width;
    if (target == NULL)
        target = l->weights;
    for (size_t k = 0; k < l->depth; k++) {
        add_outer(width[k + 1], width[k], factor, l->back[k + 1], l->image[k], target);
        target += width[k] * width[k + 1] * NND_LANES;
    }
}
