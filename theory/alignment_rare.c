/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In coordinates g = (Sigma + kappa)^-1/2 x a regression learns the part l_k = s_k/(s_k + kappa) of
 * direction k, and l = E[w^2] of a unit vector u with w = u . g. */
#include "theory/alignment_rare.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

enum { DIRECTIONS = 16, STEPS = 50 };

/* Growth of E[w^4] at which the search of a direction ends: what is left in u of other directions
 * falls by 3/K in each step, so that its square is then far below the 1/K that rows without u have.
 */
static const double CONVERGED = 1e-4;

/* Samples that are so rare do not count; noise grows by s/(4 kappa) at most. */
static const double NEVER = 1e-12;

typedef struct {
    const nnd_alignment_rows *rows;
    size_t found;
    double *root;   /* rank: sqrt(l_k), which times a row's coordinate is that of g */
    double *vector; /* DIRECTIONS x rank: those found, then u */
    double *scaled; /* rank: root times u */
    double *next;   /* rank */
    double *left;   /* rows: |g|^2 less what is along the directions found */
    double *square; /* rows: w^2 */
} hunt;

static void clear(hunt *h) {
    free(h->root);
    free(h->left);
    *h = (hunt){0};
}

static double learned(const hunt *h, size_t k) {
    return h->root[k] * h->root[k];
}

static const double *row(const hunt *h, size_t i) {
    return h->rows->coordinate + i * h->rows->rank;
}

static nnd_status make(nnd_context *ctx, const nnd_alignment_rows *rows, double kappa, hunt *h) {
    size_t rank = rows->rank;
    *h = (hunt){.rows = rows};
    h->root = calloc((DIRECTIONS + 3) * rank, sizeof(double));
    h->left = calloc(2 * rows->rows, sizeof(double));
    if (h->root == NULL || h->left == NULL) {
        clear(h);
        return nnd_fail_memory(ctx, "the search for rare directions");
    }
    h->vector = h->root + rank;
    h->scaled = h->vector + DIRECTIONS * rank;
    h->next = h->scaled + rank;
    h->square = h->left + rows->rows;
    for (size_t k = 0; k < rank; k++)
        h->root[k] = sqrt(rows->eigenvalue[k] / (rows->eigenvalue[k] + kappa));
    for (size_t i = 0; i < rows->rows; i++)
        for (size_t k = 0; k < rank; k++)
            h->left[i] += learned(h, k) * row(h, i)[k] * row(h, i)[k];
    return NND_OK;
}

/* Makes u of `next`: a unit vector, at right angles to those found. */
static void turn(hunt *h) {
    int rank = (int)h->rows->rank;
    double *u = h->vector + h->found * h->rows->rank;
    for (size_t j = 0; j < h->found; j++) {
        const double *v = h->vector + j * h->rows->rank;
        cblas_daxpy(rank, -cblas_ddot(rank, v, 1, h->next, 1), v, 1, h->next, 1);
    }
    double norm = cblas_dnrm2(rank, h->next, 1);
    for (int k = 0; k < rank; k++) {
        u[k] = h->next[k] / norm;
        h->scaled[k] = h->root[k] * u[k];
        h->next[k] = 0.0;
    }
}

/* `square` and E[w^4] along u, and E[w^3 g] into `next`. */
static double fourth_moment(hunt *h) {
    const nnd_alignment_rows *x = h->rows;
    double sum = 0.0;
    for (size_t i = 0; i < x->rows; i++) {
        double w = cblas_ddot((int)x->rank, h->scaled, 1, row(h, i), 1);
        cblas_daxpy((int)x->rank, w * w * w, row(h, i), 1, h->next, 1);
        h->square[i] = w * w;
        sum += h->square[i] * h->square[i];
    }
    for (size_t k = 0; k < x->rank; k++)
        h->next[k] *= h->root[k];
    return sum / (double)x->rows;
}

/* The row that has most beside the directions found, and how much: |g|^2. */
static double longest(const hunt *h, size_t *row_number) {
    *row_number = 0;
    for (size_t i = 1; i < h->rows->rows; i++)
        if (h->left[i] > h->left[*row_number])
            *row_number = i;
    return fmax(h->left[*row_number], 0.0);
}

/* Whether some direction u is left that counts. Noise grows where l = E[w^2] is above a half, and
 * there K = E[w^4]/l^2 is less than twice the largest w^2. */
static bool start(hunt *h, double samples) {
    size_t i;
    if (exp(-samples / (2.0 * longest(h, &i))) < NEVER)
        return false;
    for (size_t k = 0; k < h->rows->rank; k++)
        h->next[k] = h->root[k] * row(h, i)[k];
    return true;
}

/* The map u -> E[w^3 g] ascends, as E[w^4] is convex in u. */
static void ascend(hunt *h) {
    double moment = 0.0, before;
    size_t step = 0;
    do {
        before = moment;
        turn(h);
        moment = fourth_moment(h);
    } while (++step < STEPS && moment > before * (1.0 + CONVERGED));
    for (size_t i = 0; i < h->rows->rows; i++)
        h->left[i] -= h->square[i];
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Noise along a direction of which samples have the part `variance`: alignment.md#eq21. */
static double noise(double variance, double l) {
    return variance > 0.0 ? variance * pow(l / (variance * l + 1.0 - l), 2.0) : 0.0;
}

/* What samples without a row that has u add to the noise along it. */
static double added_noise(hunt *h, double samples) {
    size_t n = h->rows->rows, common = 0;
    double l = 0.0, second = 0.0, fourth = 0.0, rest = 0.0;
    const double *u = h->vector + h->found * h->rows->rank;
    for (size_t k = 0; k < h->rows->rank; k++)
        l += learned(h, k) * u[k] * u[k];
    for (size_t i = 0; i < n; i++) {
        second += h->square[i] / (double)n;
        fourth += h->square[i] * h->square[i] / (double)n;
    }
    double kurtosis = fourth / (second * second);
    qsort(h->square, n, sizeof(double), descending);
    for (size_t i = (size_t)ceil((double)n / kurtosis); i < n; i++, common++)
        rest += h->square[i];
    double variance = common > 0 ? rest / (double)common / second : 1.0;
    return exp(-samples / kurtosis) * fmax(noise(variance, l) - noise(1.0, l), 0.0);
}

nnd_status nnd_alignment_rare_noise(nnd_context *ctx, const nnd_alignment_rows *rows,
                                    double samples, double kappa, double *part) {
    hunt h;
    double all = 0.0;
    size_t most = rows->rank < DIRECTIONS ? rows->rank : DIRECTIONS;
    nnd_status status = make(ctx, rows, kappa, &h);
    if (status != NND_OK)
        return status;
    for (size_t k = 0; k < rows->rank; k++)
        all += pow(learned(&h, k), 2.0);
    *part = 0.0;
    for (; h.found < most && start(&h, samples); h.found++) {
        ascend(&h);
        *part += added_noise(&h, samples) / all;
    }
    clear(&h);
    return NND_OK;
}
