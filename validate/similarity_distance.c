/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distances between all points of a representation, and their ranks. */
#include "validate/similarity_distance.h"

#include <math.h>
#include <stdlib.h>

/* ---- distances ---- */

enum { ROWS = 32, TILE = 512 }; /* a tile of sums stays in the second cache */

typedef struct {
    size_t n, width;
    const double *transposed; /* width x n */
    double *distance;
} work_on_rows;

/* Rows first..last-1 and columns from..to-1. By differences, so that equal points are at 0 exactly,
 * and a distance is the same from both ends; columns are summed in their order. */
static void tile(const work_on_rows *w, size_t first, size_t last, size_t from, size_t to) {
    for (size_t c = 0; c < w->width; c++) {
        const double *x = w->transposed + c * w->n;
        for (size_t i = first; i < last; i++) {
            double *sum = w->distance + i * w->n, own = x[i];
            for (size_t j = from; j < to; j++)
                sum[j] += (x[j] - own) * (x[j] - own);
        }
    }
    for (size_t i = first; i < last; i++)
        for (size_t j = from; j < to; j++)
            w->distance[i * w->n + j] = sqrt(w->distance[i * w->n + j]);
}

static size_t at_most(size_t a, size_t b) {
    return a < b ? a : b;
}

static nnd_status rows_of_distances(nnd_context *ctx, size_t piece, void *data) {
    const work_on_rows *w = data;
    size_t first = piece * ROWS, last = at_most(first + ROWS, w->n);
    for (size_t from = 0; from < w->n; from += TILE) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted");
        tile(w, first, last, from, at_most(from + TILE, w->n));
    }
    return NND_OK;
}

static nnd_status make_distance(nnd_context *ctx, nnd_similarity_work *work, int side) {
    size_t n = work->given->n, width = work->given->width[side], pieces = (n + ROWS - 1) / ROWS;
    double *transposed = malloc(n * width * sizeof *transposed);
    work->distance[side] = calloc(n * n, sizeof(double));
    nnd_status status = transposed != NULL && work->distance[side] != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "distances");
    if (status == NND_OK) {
        work_on_rows rows = {n, width, transposed, work->distance[side]};
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < width; c++)
                transposed[c * n + i] = work->scale[side] * work->given->x[side][i * width + c];
        status = nnd_parallel(ctx, nnd_context_concurrency(ctx, pieces, 0.0), pieces,
                              rows_of_distances, &rows);
    }
    free(transposed);
    return status;
}

nnd_status nnd_similarity_distance(nnd_context *ctx, nnd_similarity_work *work) {
    nnd_status status = NND_OK;
    for (int side = 0; status == NND_OK && side < 2; side++)
        if (work->distance[side] == NULL)
            status = make_distance(ctx, work, side);
    return status;
}

/* ---- ranks ---- */

typedef struct {
    double distance;
    uint32_t i, j;
} pair;

static int by_distance(const void *a, const void *b) {
    double x = ((const pair *)a)->distance, y = ((const pair *)b)->distance;
    return (x > y) - (x < y);
}

static nnd_status make_ranks(nnd_context *ctx, nnd_similarity_work *work, int side) {
    size_t n = work->given->n, count = 0, rank = 0;
    pair *all = malloc(n * (n - 1) / 2 * sizeof *all);
    uint32_t *r = work->rank[side] = calloc(n * n, sizeof *r);
    nnd_status status = all != NULL && r != NULL ? NND_OK : nnd_fail_memory(ctx, "ranks");
    for (size_t i = 0; status == NND_OK && i < n; i++)
        for (size_t j = 0; j < i; j++)
            all[count++] = (pair){work->distance[side][i * n + j], (uint32_t)i, (uint32_t)j};
    if (status == NND_OK)
        qsort(all, count, sizeof *all, by_distance);
    for (size_t k = 0; status == NND_OK && k < count; k++) {
        rank += k > 0 && all[k].distance > all[k - 1].distance;
        r[all[k].i * n + all[k].j] = r[all[k].j * n + all[k].i] = (uint32_t)rank;
    }
    work->ranks[side] = rank + 1;
    free(all);
    return status;
}

nnd_status nnd_similarity_ranks(nnd_context *ctx, nnd_similarity_work *work) {
    nnd_status status = nnd_similarity_distance(ctx, work);
    for (int side = 0; status == NND_OK && side < 2; side++)
        if (work->rank[side] == NULL)
            status = make_ranks(ctx, work, side);
    return status;
}
