/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures that are made of X^T Y: CKA, Procrustes; and the cosine. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/similarity_impl.h"

/* ---- columns ---- */

static void subtract_means(size_t n, size_t width, double *x, double *mean) {
    memset(mean, 0, width * sizeof *mean);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < width; c++)
            mean[c] += x[i * width + c] / (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < width; c++)
            x[i * width + c] -= mean[c];
}

/* X^T = Q R (width > n): the rows of R^T have the inner products of those of X. */
static nnd_status rotate(nnd_context *ctx, size_t n, size_t width, double *x, double *rotated) {
    double *tau = calloc(n, sizeof *tau);
    nnd_status status = tau != NULL ? NND_OK : nnd_fail_memory(ctx, "columns");
    if (status == NND_OK &&
        LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (int)width, (int)n, x, (int)width, tau) != 0)
        status = nnd_fail_memory(ctx, "columns");
    for (size_t i = 0; status == NND_OK && i < n; i++)
        for (size_t c = 0; c < n; c++)
            rotated[i * n + c] = c <= i ? x[i * width + c] : 0.0;
    free(tau);
    return status;
}

/* A copy of X, scaled; the mean goes before anything else is done, lest digits be lost beside it.
 */
static nnd_status copy_columns(nnd_context *ctx, const nnd_similarity_work *work, int side,
                               double **copy) {
    size_t n = work->given->n, width = work->given->width[side];
    double *x = *copy = malloc(n * width * sizeof *x), *mean = malloc(width * sizeof *mean);
    nnd_status status = x != NULL && mean != NULL ? NND_OK : nnd_fail_memory(ctx, "columns");
    for (size_t k = 0; status == NND_OK && k < n * width; k++)
        x[k] = work->scale[side] * work->given->x[side][k];
    if (status == NND_OK && !work->options->uncentred)
        subtract_means(n, width, x, mean);
    free(mean);
    return status;
}

/* At most n of them. */
static nnd_status make_columns(nnd_context *ctx, nnd_similarity_work *work, int side) {
    size_t n = work->given->n, width = work->given->width[side];
    double *wide = NULL, **column = &work->column[side];
    if (width <= n)
        return copy_columns(ctx, work, side, column);
    nnd_status status = copy_columns(ctx, work, side, &wide);
    *column = malloc(n * n * sizeof **column);
    if (status == NND_OK)
        status = *column != NULL ? rotate(ctx, n, width, wide, *column)
                                 : nnd_fail_memory(ctx, "columns");
    free(wide);
    return status;
}

nnd_status nnd_similarity_columns(nnd_context *ctx, nnd_similarity_work *work) {
    nnd_status status = NND_OK;
    for (int side = 0; status == NND_OK && side < 2; side++)
        if (work->column[side] == NULL)
            status = make_columns(ctx, work, side);
    return status;
}

void nnd_similarity_gather(const nnd_similarity_work *work, const nnd_point_set *points, int side,
                           double *out) {
    size_t width = work->width[side];
    for (size_t i = 0; i < points->n; i++)
        memcpy(out + i * width, work->column[side] + points->row[side][i] * width,
               width * sizeof *out);
    double *mean = out + points->n * width;
    if (!work->options->uncentred)
        subtract_means(points->n, width, out, mean);
}

/* Room for the rows of one side, and for their mean. */
static size_t gathered(size_t n, size_t width) {
    return (n + 1) * width;
}

/* ---- CKA ---- */

/* |X^T Y|^2 = tr(X X^T Y Y^T), with X^T Y in `product`. */
static double cross(size_t n, size_t p, size_t q, const double *x, const double *y,
                    double *product) {
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)p, (int)q, (int)n, 1.0, x, (int)p, y,
                (int)q, 0.0, product, (int)q);
    double sum = 0.0;
    for (size_t k = 0; k < p * q; k++)
        sum += product[k] * product[k];
    return sum;
}

static double norm2(size_t width, const double *row) {
    double sum = 0.0;
    for (size_t c = 0; c < width; c++)
        sum += row[c] * row[c];
    return sum;
}

/* Unbiased estimate of the trace of the product of two operators, from tr(K L) of n points, K and
 * L as they are in `trace` (similarity.md#eq2):
 * centred:   (tr - n/(n-2) sum_i K_ii L_ii + tr K tr L/((n-1)(n-2)))/(n (n-3)),
 * uncentred: (tr - sum_i K_ii L_ii)/(n (n-1)). */
static double unbiased(size_t n, size_t p, size_t q, const double *x, const double *y, double trace,
                       bool centred) {
    double k = 0.0, l = 0.0, kl = 0.0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        double a = norm2(p, x + i * p), b = norm2(q, y + i * q);
        k += a;
        l += b;
        kl += a * b;
    }
    return centred
               ? (trace - kl * count / (count - 2.0) + k * l / ((count - 1.0) * (count - 2.0))) /
                     (count * (count - 3.0))
               : (trace - kl) / (count * (count - 1.0));
}

typedef struct {
    const double *x;
    size_t width;
} side;

/* Part of |K|^2 that its unbiased estimate must be to be more than rounding: of points that are all
 * alike but one, or all as far from each other, it is 0. */
static const double RESOLVED = 1e-12;

static void cka(size_t n, const side s[2], bool centred, double *product,
                nnd_similarity_values *v) {
    static const int pairs[3][2] = {{0, 1}, {0, 0}, {1, 1}};
    double trace[3], better[3];
    for (int k = 0; k < 3; k++) {
        const side *a = &s[pairs[k][0]], *b = &s[pairs[k][1]];
        trace[k] = cross(n, a->width, b->width, a->x, b->x, product);
        better[k] = unbiased(n, a->width, b->width, a->x, b->x, trace[k], centred);
    }
    v->value[NND_SIMILARITY_CKA] = trace[0] / sqrt(trace[1] * trace[2]);
    double count2 = (double)n * (double)n;
    if (better[1] * count2 > RESOLVED * trace[1] && better[2] * count2 > RESOLVED * trace[2])
        v->debiased[NND_SIMILARITY_CKA] = better[0] / sqrt(better[1] * better[2]);
}

/* ---- Procrustes ---- */

/* Nuclear norm of X^T Y, the sum of its singular values, over |X| |Y|. */
static nnd_status procrustes(nnd_context *ctx, size_t n, const side s[2], double *product,
                             double *value) {
    size_t p = s[0].width, q = s[1].width, least = p < q ? p : q;
    double *singular = malloc(least * sizeof *singular), sum = 0.0, none;
    nnd_status status = singular != NULL ? NND_OK : nnd_fail_memory(ctx, "Procrustes");
    cross(n, p, q, s[0].x, s[1].x, product);
    if (status == NND_OK && LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (int)q, (int)p, product, (int)q,
                                           singular, &none, 1, &none, 1) != 0)
        status = nnd_fail(ctx, NND_E_LIMIT, "Procrustes: singular values were not found");
    for (size_t k = 0; status == NND_OK && k < least; k++)
        sum += singular[k];
    if (status == NND_OK)
        *value = sum / sqrt(norm2(n * p, s[0].x) * norm2(n * q, s[1].x));
    free(singular);
    return status;
}

/* ---- both ---- */

static size_t larger(const nnd_similarity_work *work) {
    return work->width[0] > work->width[1] ? work->width[0] : work->width[1];
}

static nnd_status compare(nnd_context *ctx, const nnd_similarity_work *work,
                          const nnd_point_set *points, nnd_similarity_values *values) {
    size_t most = larger(work);
    double *x[2] = {malloc(gathered(points->n, work->width[0]) * sizeof(double)),
                    malloc(gathered(points->n, work->width[1]) * sizeof(double))};
    double *product = malloc(most * most * sizeof *product);
    nnd_status status = x[0] != NULL && x[1] != NULL && product != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "a set of points");
    if (status == NND_OK) {
        for (int b = 0; b < 2; b++)
            nnd_similarity_gather(work, points, b, x[b]);
        const side s[2] = {{x[0], work->width[0]}, {x[1], work->width[1]}};
        if (work->options->wanted[NND_SIMILARITY_CKA])
            cka(points->n, s, !work->options->uncentred, product, values);
        if (work->options->wanted[NND_SIMILARITY_PROCRUSTES])
            status =
                procrustes(ctx, points->n, s, product, &values->value[NND_SIMILARITY_PROCRUSTES]);
    }
    free(x[0]);
    free(x[1]);
    free(product);
    return status;
}

static double bytes(const nnd_similarity_work *work) {
    double most = (double)larger(work);
    return sizeof(double) *
           (((double)work->given->n + 1.0) * (double)(work->width[0] + work->width[1]) +
            most * most + 32.0 * most);
}

const nnd_similarity_family nnd_similarity_linear = {nnd_similarity_columns, compare, bytes};

/* ---- cosine ---- */

static double bytes_of_means(const nnd_similarity_work *work) {
    return 2.0 * sizeof(double) * (double)work->given->width[0];
}

static void means(const nnd_similarity_work *work, const nnd_point_set *points, int b,
                  double *mean) {
    size_t width = work->given->width[b];
    for (size_t i = 0; !work->options->uncentred && i < points->n; i++)
        for (size_t c = 0; c < width; c++)
            mean[c] += work->scale[b] * work->given->x[b][points->row[b][i] * width + c] /
                       (double)points->n;
}

/* Columns stand beside each other as they are given: no rotation of one side alone. */
static nnd_status compare_cosine(nnd_context *ctx, const nnd_similarity_work *work,
                                 const nnd_point_set *points, nnd_similarity_values *values) {
    size_t width = work->given->width[0];
    double *mean[2] = {calloc(width, sizeof(double)), calloc(width, sizeof(double))};
    double ab = 0.0, aa = 0.0, bb = 0.0;
    nnd_status status =
        mean[0] != NULL && mean[1] != NULL ? NND_OK : nnd_fail_memory(ctx, "the cosine");
    for (int b = 0; status == NND_OK && b < 2; b++)
        means(work, points, b, mean[b]);
    for (size_t i = 0; status == NND_OK && i < points->n; i++) {
        const double *x = work->given->x[0] + points->row[0][i] * width;
        const double *y = work->given->x[1] + points->row[1][i] * width;
        for (size_t c = 0; c < width; c++) {
            double u = work->scale[0] * x[c] - mean[0][c], v = work->scale[1] * y[c] - mean[1][c];
            ab += u * v;
            aa += u * u;
            bb += v * v;
        }
    }
    values->value[NND_SIMILARITY_COSINE] = ab / sqrt(aa * bb);
    free(mean[0]);
    free(mean[1]);
    return status;
}

const nnd_similarity_family nnd_similarity_cosine = {NULL, compare_cosine, bytes_of_means};
