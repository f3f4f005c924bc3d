/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/alignment_measure.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double nnd_cka_of(const nnd_cka_traces *t) {
    return t->cross / sqrt(t->self[0] * t->self[1]);
}

/* |A B^T|^2 (Frobenius) of A (m x k) and B (n x k); `work` has m n numbers. */
static double product_norm2(size_t m, size_t n, size_t k, const double *a, const double *b,
                            double *work) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1.0, a, (int)k, b,
                (int)k, 0.0, work, (int)n);
    return cblas_ddot((int)(m * n), work, 1, work, 1);
}

nnd_status nnd_cka_population(nnd_context *ctx, size_t dim, const double *eigenvalue,
                              const size_t rows[2], const double *const h[2],
                              nnd_cka_traces *traces) {
    size_t most = rows[0] > rows[1] ? rows[0] : rows[1];
    double *seen[2] = {calloc(rows[0] * dim, sizeof(double)),
                       calloc(rows[1] * dim, sizeof(double))};
    double *work = calloc(most * most, sizeof *work);
    nnd_status status = NND_OK;
    if (seen[0] == NULL || seen[1] == NULL || work == NULL)
        status = nnd_fail_memory(ctx, "CKA");
    if (status == NND_OK) {
        for (int b = 0; b < 2; b++)
            for (size_t i = 0; i < rows[b] * dim; i++)
                seen[b][i] = sqrt(eigenvalue[i % dim]) * h[b][i];
        traces->cross = product_norm2(rows[0], rows[1], dim, seen[0], seen[1], work);
        for (int b = 0; b < 2; b++)
            traces->self[b] = product_norm2(rows[b], rows[b], dim, seen[b], seen[b], work);
    }
    free(seen[0]);
    free(seen[1]);
    free(work);
    return status;
}

/* ---- finite sets ---- */

static void gram(size_t n, size_t width, const double *f, double *g) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)width, 1.0, f,
                (int)width, f, (int)width, 0.0, g, (int)n);
}

/* g -> (1 - 1 1^T/n) g (1 - 1 1^T/n). */
static void centre(size_t n, double *g, double *mean) {
    double all = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean[i] = 0.0;
        for (size_t j = 0; j < n; j++)
            mean[i] += g[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            g[i * n + j] += all - mean[i] - mean[j];
}

/* Sum of the rows of a matrix without its diagonal, and the sum of all. */
static double row_sums(size_t n, const double *g, double *sum) {
    double all = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum[i] = -g[i * n + i];
        for (size_t j = 0; j < n; j++)
            sum[i] += g[i * n + j];
        all += sum[i];
    }
    return all;
}

/* Unbiased estimate of tr(G_a G_b): over pairs of different probes. */
static double unbiased(size_t n, const double *a, const double *b, bool centred, double *work) {
    double count = (double)n, product = 0.0;
    for (size_t i = 0; i < n * n; i++)
        product += a[i] * b[i];
    for (size_t i = 0; i < n; i++)
        product -= a[i * n + i] * b[i * n + i];
    if (!centred)
        return product / (count * (count - 1.0));
    double *of_a = work, *of_b = work + n;
    double all_a = row_sums(n, a, of_a), all_b = row_sums(n, b, of_b);
    double along = cblas_ddot((int)n, of_a, 1, of_b, 1);
    return (product + all_a * all_b / ((count - 1.0) * (count - 2.0)) -
            2.0 * along / (count - 2.0)) /
           (count * (count - 3.0));
}

nnd_status nnd_cka_finite(nnd_context *ctx, size_t n, const size_t width[2],
                          const double *const f[2], bool centred, bool debiased,
                          nnd_cka_traces *traces) {
    double *g[2] = {calloc(n * n, sizeof(double)), calloc(n * n, sizeof(double))};
    double *work = calloc(2 * n, sizeof *work);
    nnd_status status = NND_OK;
    if (g[0] == NULL || g[1] == NULL || work == NULL)
        status = nnd_fail_memory(ctx, "CKA");
    if (status == NND_OK) {
        for (int b = 0; b < 2; b++) {
            gram(n, width[b], f[b], g[b]);
            if (centred && !debiased)
                centre(n, g[b], work);
        }
        double t[3];
        for (int k = 0; k < 3; k++) {
            const double *left = g[k == 2], *right = g[k != 1];
            t[k] = debiased ? unbiased(n, left, right, centred, work)
                            : cblas_ddot((int)(n * n), left, 1, right, 1);
        }
        *traces = (nnd_cka_traces){t[0], {t[1], t[2]}};
    }
    free(g[0]);
    free(g[1]);
    free(work);
    return status;
}
