/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/bent_lanes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/vector.h"

typedef nnd_vector vec;

/* A row of lanes is PARTS vectors. */
enum { PARTS = NND_LANES / NND_VECTOR };

/* ---- making ---- */

static double *lanes_new(size_t n) {
    enum { ALIGNMENT = 64 };
    size_t bytes = n * NND_LANES * sizeof(double);
    double *x = aligned_alloc(ALIGNMENT, bytes > 0 ? bytes : ALIGNMENT);
    if (x != NULL)
        memset(x, 0, bytes);
    return x;
}

/* Fields of layer k; the last layer has no activation. */
static bool make_fields(nnd_bent_lanes *l, size_t k) {
    size_t n = l->width[k + 1] * l->samples;
    bool last = k + 1 == l->depth;
    l->h[k] = lanes_new(n);
    l->g[k] = lanes_new(n);
    l->phi[k] = last ? l->h[k] : lanes_new(n);
    l->slope[k] = last ? NULL : lanes_new(n);
    return l->h[k] != NULL && l->g[k] != NULL && l->phi[k] != NULL && (last || l->slope[k] != NULL);
}

static bool make_layers(nnd_bent_lanes *l) {
    l->matrix = calloc(l->depth, sizeof *l->matrix);
    l->h = calloc(l->depth, sizeof *l->h);
    l->phi = calloc(l->depth, sizeof *l->phi);
    l->slope = calloc(l->depth, sizeof *l->slope);
    l->g = calloc(l->depth, sizeof *l->g);
    bool done =
        l->matrix != NULL && l->h != NULL && l->phi != NULL && l->slope != NULL && l->g != NULL;
    for (size_t k = 0, at = 0; done && k < l->depth; k++) {
        l->matrix[k] = l->weights + at * NND_LANES;
        at += l->width[k] * l->width[k + 1];
        done = make_fields(l, k);
    }
    return done;
}

nnd_status nnd_bent_lanes_make(nnd_context *ctx, size_t depth, const size_t *width,
                               const nnd_activation *activation, size_t samples, const double *x,
                               const double *y, double weight, nnd_bent_lanes *l) {
    *l = (nnd_bent_lanes){
        .depth = depth, .samples = samples, .activation = activation, .y = y, .weight = weight};
    for (size_t k = 0; k < depth; k++)
        l->count += width[k] * width[k + 1];
    l->width = calloc(depth + 1, sizeof *l->width);
    l->x = calloc(width[0] * samples, sizeof *l->x);
    l->weights = lanes_new(l->count);
    l->loss = lanes_new(1);
    if (l->width == NULL || l->x == NULL || l->weights == NULL || l->loss == NULL)
        return nnd_fail_memory(ctx, "a block of networks");
    memcpy(l->width, width, (depth + 1) * sizeof *width);
    for (size_t mu = 0; mu < samples; mu++)
        for (size_t j = 0; j < width[0]; j++)
            l->x[j * samples + mu] = x[mu * width[0] + j];
    return make_layers(l) ? NND_OK : nnd_fail_memory(ctx, "a block of networks");
}

static void free_fields(size_t depth, double **field) {
    for (size_t k = 0; field != NULL && k < depth; k++)
        free(field[k]);
    free(field);
}

void nnd_bent_lanes_clear(nnd_bent_lanes *l) {
    if (l->phi != NULL && l->depth > 0)
        l->phi[l->depth - 1] = NULL; /* that of h */
    free_fields(l->depth, l->h);
    free_fields(l->depth, l->phi);
    free_fields(l->depth, l->slope);
    free_fields(l->depth, l->g);
    free(l->matrix);
    free(l->width);
    free(l->x);
    free(l->weights);
    free(l->loss);
    *l = (nnd_bent_lanes){0};
}

void nnd_bent_lanes_read(const nnd_bent_lanes *l, size_t lane, double *weights) {
    for (size_t i = 0; i < l->count; i++)
        weights[i] = l->weights[i * NND_LANES + lane];
}

void nnd_bent_lanes_write(nnd_bent_lanes *l, size_t lane, const double *weights) {
    for (size_t i = 0; i < l->count; i++)
        l->weights[i * NND_LANES + lane] = weights[i];
}

/* ---- products of matrices, lane by lane ---- */

/* Entry (i, j) of a matrix is the row of lanes i * down + j * along; `shared`: one number for all
 * lanes. */
typedef struct {
    double *at;
    size_t down, along;
    bool shared;
} view;

static inline __attribute__((always_inline)) vec load(const view *m, size_t i, size_t j,
                                                      size_t part) {
    size_t entry = i * m->down + j * m->along;
    const vec zero = {0};
    if (m->shared)
        return m->at[entry] - zero;
    return ((const vec *)m->at)[entry * PARTS + part];
}

/* Sides of a tile, whose sums stay in registers. */
enum { TILE = 4 };

/* A tile of C = factor A B, added to C or in its place, at row i and column j. */
static inline __attribute__((always_inline)) void tile(size_t rows, size_t cols, size_t i, size_t j,
                                                       size_t inner, double factor, const view *a,
                                                       const view *b, bool added, const view *c,
                                                       size_t part) {
    vec sum[TILE][TILE] = {0};
    for (size_t k = 0; k < inner; k++) {
        vec right[TILE];
        for (size_t q = 0; q < cols; q++)
            right[q] = load(b, k, j + q, part);
        for (size_t p = 0; p < rows; p++) {
            vec left = load(a, i + p, k, part);
            for (size_t q = 0; q < cols; q++)
                sum[p][q] += left * right[q];
        }
    }
    for (size_t p = 0; p < rows; p++)
        for (size_t q = 0; q < cols; q++) {
            vec *to = (vec *)c->at + ((i + p) * c->down + (j + q) * c->along) * PARTS + part;
            *to = added ? *to + factor * sum[p][q] : factor * sum[p][q];
        }
}

/* Some rows of C from i on. */
static inline __attribute__((always_inline)) void stripe(size_t rows, size_t i, size_t n,
                                                         size_t inner, double factor, const view *a,
                                                         const view *b, bool added, const view *c,
                                                         size_t part) {
    size_t j = 0;
    for (; j + TILE <= n; j += TILE)
        tile(rows, TILE, i, j, inner, factor, a, b, added, c, part);
    for (; j < n; j++)
        tile(rows, 1, i, j, inner, factor, a, b, added, c, part);
}

/* C = factor A B, m x n, added to C or in its place. */
static inline __attribute__((always_inline)) void
product(size_t m, size_t n, size_t inner, double factor, view a, view b, bool added, view c) {
    for (size_t part = 0; part < PARTS; part++) {
        size_t i = 0;
        for (; i + TILE <= m; i += TILE)
            stripe(TILE, i, n, inner, factor, &a, &b, added, &c, part);
        for (; i < m; i++)
            stripe(1, i, n, inner, factor, &a, &b, added, &c, part);
    }
}

/* ---- passes ---- */

static view field(const nnd_bent_lanes *l, double *x) {
    return (view){x, l->samples, 1, false};
}

static view matrix(const nnd_bent_lanes *l, size_t k) {
    return (view){l->matrix[k], l->width[k], 1, false};
}

static view transposed(view m) {
    return (view){m.at, m.along, m.down, m.shared};
}

static void forward(nnd_bent_lanes *l) {
    size_t n = l->samples;
    product(l->width[1], n, l->width[0], 1.0, matrix(l, 0), (view){l->x, n, 1, true}, false,
            field(l, l->h[0]));
    for (size_t k = 0; k + 1 < l->depth; k++) {
        nnd_activation_apply(l->activation, l->width[k + 1] * n * NND_LANES, l->h[k], l->phi[k],
                             l->slope[k], NULL, NULL);
        product(l->width[k + 2], n, l->width[k + 1], 1.0, matrix(l, k + 1), field(l, l->phi[k]),
                false, field(l, l->h[k + 1]));
    }
}

/* Losses, and the gradient at the output. */
static void compare(nnd_bent_lanes *l) {
    const double *f = l->h[l->depth - 1];
    double *g = l->g[l->depth - 1];
    memset(l->loss, 0, NND_LANES * sizeof *l->loss);
    for (size_t mu = 0; mu < l->samples; mu++)
        for (size_t b = 0; b < NND_LANES; b++) {
            double error = f[mu * NND_LANES + b] - l->y[mu];
            l->loss[b] += l->weight * error * error;
            g[mu * NND_LANES + b] = 2.0 * l->weight * error;
        }
}

static void backward(nnd_bent_lanes *l) {
    for (size_t k = l->depth - 1; k > 0; k--) {
        size_t rows = l->width[k], n = rows * l->samples * NND_LANES;
        double *below = l->g[k - 1];
        const double *slope = l->slope[k - 1];
        product(rows, l->samples, l->width[k + 1], 1.0, transposed(matrix(l, k)), field(l, l->g[k]),
                false, field(l, below));
        for (size_t i = 0; i < n; i++)
            below[i] *= slope[i];
    }
}

void nnd_bent_lanes_evaluate(nnd_bent_lanes *l) {
    forward(l);
    compare(l);
    backward(l);
}

void nnd_bent_lanes_add_gradient(const nnd_bent_lanes *l, double factor, double *target) {
    size_t n = l->samples;
    product(l->width[1], l->width[0], n, factor, field(l, l->g[0]), (view){l->x, 1, n, true}, true,
            (view){target, l->width[0], 1, false});
    for (size_t k = 1; k < l->depth; k++)
        product(l->width[k + 1], l->width[k], n, factor, field(l, l->g[k]),
                transposed(field(l, l->phi[k - 1])), true,
                (view){target + (l->matrix[k] - l->weights), l->width[k], 1, false});
}
