/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Representational similarity: the correlation of the distances of two representations. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/similarity_distance.h"

/* Distances of point i of a set from those before it; or, with `mean_rank`, the ranks that these
 * have among all of the set. */
static void row_of(const nnd_similarity_work *work, const nnd_point_set *points, int side, size_t i,
                   const double *mean_rank, double *row) {
    size_t first = points->row[side][i] * work->given->n;
    for (size_t j = 0; j < i; j++) {
        size_t at = first + points->row[side][j];
        row[j] = mean_rank != NULL ? mean_rank[work->rank[side][at]] : work->distance[side][at];
    }
}

typedef struct {
    const nnd_similarity_work *work;
    const nnd_point_set *points;
    const double *mean_rank[2];
    double *row[2];
} pairs;

static void both_rows(const pairs *p, size_t i) {
    for (int side = 0; side < 2; side++)
        row_of(p->work, p->points, side, i, p->mean_rank[side], p->row[side]);
}

/* Whether the distances of one side differ by more than the roundings of their columns. */
static bool varies(const nnd_similarity_work *work, const nnd_point_set *points, int side,
                   double *row) {
    double least = INFINITY, most = 0.0;
    for (size_t i = 1; i < points->n; i++) {
        row_of(work, points, side, i, NULL, row);
        for (size_t j = 0; j < i; j++) {
            least = fmin(least, row[j]);
            most = fmax(most, row[j]);
        }
    }
    return most - least > DBL_EPSILON * (2.0 + (double)work->given->width[side]) * most;
}

/* Pearson's correlation over pairs. */
static double correlation(const pairs *p) {
    size_t n = p->points->n;
    double x = 0.0, y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    double count = 0.5 * (double)n * (double)(n - 1);
    for (size_t i = 1; i < n; i++) {
        both_rows(p, i);
        for (size_t j = 0; j < i; j++) {
            x += p->row[0][j] / count;
            y += p->row[1][j] / count;
        }
    }
    for (size_t i = 1; i < n; i++) {
        both_rows(p, i);
        for (size_t j = 0; j < i; j++) {
            double u = p->row[0][j] - x, v = p->row[1][j] - y;
            xx += u * u;
            yy += v * v;
            xy += u * v;
        }
    }
    return xy / sqrt(xx * yy);
}

/* Ranks among the pairs of a set, from 1, for each rank among all pairs; equal distances share the
 * mean of theirs. Counting them is enough, since all pairs have been sorted. */
static void mean_ranks(const nnd_similarity_work *work, const nnd_point_set *points, int side,
                       double *rank) {
    double below = 0.0;
    memset(rank, 0, work->ranks[side] * sizeof *rank);
    for (size_t i = 1; i < points->n; i++)
        for (size_t j = 0; j < i; j++)
            rank[work->rank[side][points->row[side][i] * work->given->n + points->row[side][j]]] +=
                1.0;
    for (size_t k = 0; k < work->ranks[side]; k++) {
        double equal = rank[k];
        rank[k] = below + 0.5 * (equal + 1.0);
        below += equal;
    }
}

static nnd_status spearman(nnd_context *ctx, pairs p, double *value) {
    double *rank[2] = {malloc(p.work->ranks[0] * sizeof(double)),
                       malloc(p.work->ranks[1] * sizeof(double))};
    nnd_status status = rank[0] != NULL && rank[1] != NULL ? NND_OK : nnd_fail_memory(ctx, "ranks");
    for (int side = 0; status == NND_OK && side < 2; side++) {
        mean_ranks(p.work, p.points, side, rank[side]);
        p.mean_rank[side] = rank[side];
    }
    if (status == NND_OK)
        *value = correlation(&p);
    free(rank[0]);
    free(rank[1]);
    return status;
}

static nnd_status compare(nnd_context *ctx, const nnd_similarity_work *work,
                          const nnd_point_set *points, nnd_similarity_values *values) {
    pairs p = {.work = work, .points = points};
    nnd_status status = NND_OK;
    for (int side = 0; side < 2; side++) {
        p.row[side] = malloc(points->n * sizeof(double));
        status = p.row[side] != NULL ? status : nnd_fail_memory(ctx, "distances");
    }
    bool known =
        status == NND_OK && varies(work, points, 0, p.row[0]) && varies(work, points, 1, p.row[1]);
    if (known && work->options->wanted[NND_SIMILARITY_RSA_PEARSON])
        values->value[NND_SIMILARITY_RSA_PEARSON] = correlation(&p);
    if (known && work->options->wanted[NND_SIMILARITY_RSA_SPEARMAN])
        status = spearman(ctx, p, &values->value[NND_SIMILARITY_RSA_SPEARMAN]);
    free(p.row[0]);
    free(p.row[1]);
    return status;
}

static nnd_status make(nnd_context *ctx, nnd_similarity_work *work) {
    return work->options->wanted[NND_SIMILARITY_RSA_SPEARMAN] ? nnd_similarity_ranks(ctx, work)
                                                              : nnd_similarity_distance(ctx, work);
}

static double bytes(const nnd_similarity_work *work) {
    double n = (double)work->given->n;
    bool ranked = work->options->wanted[NND_SIMILARITY_RSA_SPEARMAN];
    return sizeof(double) * (2.0 * n + (ranked ? n * n : 0.0));
}

const nnd_similarity_family nnd_similarity_rsa = {make, compare, bytes};
