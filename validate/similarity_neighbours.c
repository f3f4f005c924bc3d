/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures of which points are near: overlap of neighbours, information imbalance. */
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "validate/similarity_distance.h"

/* Distances of point i of a set from the others. */
static void row_of(const nnd_similarity_work *work, const nnd_point_set *points, int side, size_t i,
                   double *row) {
    const double *from = work->distance[side] + points->row[side][i] * work->given->n;
    size_t count = 0;
    for (size_t j = 0; j < points->n; j++)
        if (j != i)
            row[count++] = from[points->row[side][j]];
}

/* ---- overlap of the k nearest ---- */

/* The k-th smallest distance, and how much of each point at it belongs to the k nearest: as many
 * equal distances as there are share the places that are left. */
typedef struct {
    double distance, share;
} border;

static border find_border(size_t count, const double *row, size_t k, double *nearest) {
    size_t below = 0, equal = 0;
    gsl_sort_smallest(nearest, k, row, 1, count);
    double distance = nearest[k - 1];
    for (size_t j = 0; j < count; j++) {
        below += row[j] < distance;
        equal += row[j] == distance;
    }
    return (border){distance, (double)(k - below) / (double)equal};
}

static double membership(border b, double distance) {
    return distance < b.distance ? 1.0 : distance == b.distance ? b.share : 0.0;
}

/* Share of the k nearest of one point that both sides have. */
static double overlap(size_t count, double *const row[2], size_t k, double *nearest) {
    double sum = 0.0;
    const border a = find_border(count, row[0], k, nearest);
    const border b = find_border(count, row[1], k, nearest);
    for (size_t j = 0; j < count; j++)
        if (row[0][j] <= a.distance && row[1][j] <= b.distance)
            sum += fmin(membership(a, row[0][j]), membership(b, row[1][j]));
    return sum / (double)k;
}

/* ---- information imbalance ---- */

/* How many of sorted x[0..n) are greater than y, equal ones counting half. */
static double above(size_t n, const double *x, double y) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x[middle] < y)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < n && x[end] == y)
        end++;
    return (double)(n - end) + 0.5 * (double)(end - low);
}

/* Rank in `to` of the point that is nearest in `from`, from 1. Points that are equally near share
 * the mean of their ranks, and so do ranks of equal distances. */
static double rank_of_nearest(size_t count, const double *from, const double *to, double *nearest) {
    double least = INFINITY, sum = 0.0;
    size_t equal = 0;
    for (size_t j = 0; j < count; j++)
        least = fmin(least, from[j]);
    for (size_t j = 0; j < count; j++)
        if (from[j] == least)
            nearest[equal++] = to[j];
    gsl_sort(nearest, 1, equal);
    for (size_t j = 0; j < count; j++)
        sum += above(equal, nearest, to[j]);
    return sum / (double)equal + 0.5;
}

/* ---- all points ---- */

typedef struct {
    double overlap, rank[2]; /* sums over points */
} sums;

static void add_point(const nnd_similarity_work *work, const nnd_point_set *points, size_t i,
                      double *const row[2], double *nearest, sums *s) {
    size_t count = points->n - 1, k = work->options->neighbours;
    for (int side = 0; side < 2; side++)
        row_of(work, points, side, i, row[side]);
    if (work->options->wanted[NND_SIMILARITY_KNN] && k < count)
        s->overlap += overlap(count, row, k, nearest);
    for (int d = 0; d < 2; d++)
        if (work->options->wanted[NND_SIMILARITY_IMBALANCE_AB + d])
            s->rank[d] += rank_of_nearest(count, row[d], row[1 - d], nearest);
}

/* Overlap m, by chance c = k/(n-1): (m - c)/(1 - c). Imbalance 2 <r>/n; of the n - 2 other points
 * r - 1 are nearer: 2 <r - 1>/(n - 2) is free of the grain of ranks (similarity.md#s3). */
static void put_values(const nnd_similarity_work *work, size_t n, const sums *s,
                       nnd_similarity_values *v) {
    double count = (double)n, k = (double)work->options->neighbours;
    double chance = k / (count - 1.0), m = s->overlap / count;
    if (work->options->wanted[NND_SIMILARITY_KNN] && chance < 1.0) {
        v->value[NND_SIMILARITY_KNN] = m;
        v->debiased[NND_SIMILARITY_KNN] = (m - chance) / (1.0 - chance);
    }
    for (int d = 0; d < 2; d++)
        if (work->options->wanted[NND_SIMILARITY_IMBALANCE_AB + d]) {
            double rank = s->rank[d] / count;
            v->value[NND_SIMILARITY_IMBALANCE_AB + d] = 2.0 * rank / count;
            v->debiased[NND_SIMILARITY_IMBALANCE_AB + d] = 2.0 * (rank - 1.0) / (count - 2.0);
        }
}

static nnd_status compare(nnd_context *ctx, const nnd_similarity_work *work,
                          const nnd_point_set *points, nnd_similarity_values *values) {
    double *row[2] = {malloc(points->n * sizeof(double)), malloc(points->n * sizeof(double))};
    double *nearest = malloc(points->n * sizeof *nearest);
    sums s = {0};
    nnd_status status = row[0] != NULL && row[1] != NULL && nearest != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "neighbours");
    for (size_t i = 0; status == NND_OK && i < points->n; i++)
        add_point(work, points, i, row, nearest, &s);
    if (status == NND_OK)
        put_values(work, points->n, &s, values);
    free(row[0]);
    free(row[1]);
    free(nearest);
    return status;
}

static double bytes(const nnd_similarity_work *work) {
    return 3.0 * sizeof(double) * (double)work->given->n;
}

const nnd_similarity_family nnd_similarity_neighbours = {nnd_similarity_distance, compare, bytes};
