/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/spikes.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Puts x into a descending list whose end is NaN, unless it is smaller than all of it. */
static void keep_largest(double x, size_t count, double *value) {
    for (size_t j = 0; j < count; j++)
        if (!(x <= value[j])) {
            double smaller = value[j];
            value[j] = x;
            x = smaller;
        }
}

nnd_status nnd_largest_real_eigenvalues(nnd_context *ctx, size_t n, double *a, size_t count,
                                        double *value) {
    /* Rounding splits a double eigenvalue by the root of what it is, 1e-8, times its condition. */
    const double paired = 1e-6;
    double *re = calloc(n + 1, sizeof *re), *im = calloc(n + 1, sizeof *im);
    nnd_status status = NND_OK;
    for (size_t j = 0; j < count; j++)
        value[j] = NAN;
    if (re == NULL || im == NULL)
        status = nnd_fail_memory(ctx, "eigenvalues");
    else if (LAPACKE_dgeev(LAPACK_ROW_MAJOR, 'N', 'N', (lapack_int)n, a, (lapack_int)n, re, im,
                           NULL, 1, NULL, 1) != 0)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "a matrix has no eigenvalues");
    for (size_t i = 0; status == NND_OK && i < n; i++)
        if (fabs(im[i]) <= paired * fabs(re[i]))
            keep_largest(re[i], count, value);
    free(re);
    free(im);
    return status;
}

/* ---- compression of spikes ---- */

static const double SPIKE_THRESHOLD = 1e-8;

/* Scaled joint Gram matrix of two sets, lower triangle, row-major. */
static void joint_gram(size_t rows, size_t sets, const double *const gram[2], size_t ld,
                       const double *cross, const double *scale, double *out) {
    size_t n = sets * rows;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            size_t si = i / rows, sj = j / rows, p = i % rows, q = j % rows;
            double product = si == sj ? gram[si][p * ld + q] : cross[q * rows + p];
            out[i * n + j] = product / (scale[si] * scale[sj]);
        }
}

/* Rows of the factor of one set, from the pivoted Cholesky factor of all. */
static nnd_status take_rows(nnd_context *ctx, size_t set, size_t rows, size_t n, size_t rank,
                            const double *cholesky, const lapack_int *pivot, double scale,
                            nnd_factor *factor) {
    factor->rank = rank;
    factor->coords = calloc(rows * (rank > 0 ? rank : 1), sizeof(double));
    if (factor->coords == NULL)
        return nnd_fail_memory(ctx, "the spikes");
    for (size_t i = 0; i < n; i++) {
        size_t of = (size_t)(pivot[i] - 1);
        for (size_t k = 0; of / rows == set && k < rank && k <= i; k++)
            factor->coords[of % rows * rank + k] = scale * cholesky[i * n + k];
    }
    return NND_OK;
}

static double longest(size_t rows, const double *gram, size_t ld) {
    double norm2 = 0.0;
    for (size_t p = 0; p < rows; p++)
        norm2 = fmax(norm2, gram[p * ld + p]);
    return norm2 > 0.0 ? sqrt(norm2) : 1.0;
}

nnd_status nnd_factor_gram(nnd_context *ctx, size_t rows, const double *a, const double *b,
                           size_t ld, const double *cross, nnd_factor *factor_a,
                           nnd_factor *factor_b) {
    const double *const gram[2] = {a, b};
    size_t sets = b != NULL ? 2 : 1, n = sets * rows;
    double scale[2] = {longest(rows, a, ld), b != NULL ? longest(rows, b, ld) : 1.0};
    double *work = calloc(n * n + 1, sizeof *work);
    lapack_int *pivot = calloc(n + 1, sizeof *pivot), rank = 0;
    nnd_status status = work != NULL && pivot != NULL ? NND_OK : nnd_fail_memory(ctx, "the spikes");
    if (status == NND_OK) {
        joint_gram(rows, sets, gram, ld, cross, scale, work);
        /* Row-major lower is column-major upper, which LAPACK takes without a copy: A = U^T U. It
         * says 1 where the matrix has not full rank, which is the rule here. */
        if (LAPACKE_dpstrf(LAPACK_COL_MAJOR, 'U', (lapack_int)n, work, (lapack_int)n, pivot, &rank,
                           -1.0) < 0)
            status = nnd_fail(ctx, NND_E_UNSOLVED, "a Gram matrix has no factor");
    }
    if (status == NND_OK)
        status = take_rows(ctx, 0, rows, n, (size_t)rank, work, pivot, scale[0], factor_a);
    if (status == NND_OK && b != NULL && factor_b != NULL)
        status = take_rows(ctx, 1, rows, n, (size_t)rank, work, pivot, scale[1], factor_b);
    free(work);
    free(pivot);
    return status;
}

/* out (n x rank) = diag(weight) factor (n x r) vectors (r x rank) / sigma. */
static void coefficients(size_t n, size_t r, size_t rank, const double *weight,
                         const double *factor, const double *vectors, size_t stride_r,
                         size_t stride_k, const double *sigma, double *out) {
    for (size_t p = 0; p < n; p++)
        for (size_t k = 0; k < rank; k++) {
            double sum = 0.0;
            for (size_t i = 0; i < r; i++)
                sum += factor[p * r + i] * vectors[i * stride_r + k * stride_k];
            out[p * rank + k] = weight[p] * sum / sigma[k];
        }
}

/* core (rg x rh) = Lg^T diag(weight) Lh. */
static void core_matrix(size_t n, size_t rg, const double *lg, size_t rh, const double *lh,
                        const double *weight, double *core) {
    memset(core, 0, rg * rh * sizeof *core);
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < rg; i++)
            for (size_t j = 0; j < rh; j++)
                core[i * rh + j] += weight[p] * lg[p * rg + i] * lh[p * rh + j];
}

static nnd_status decompose(nnd_context *ctx, nnd_spikes *s, size_t rg, const double *lg, size_t rh,
                            const double *lh, const double *weight) {
    size_t least = rg < rh ? rg : rh, n = s->rows;
    double *core = calloc(rg * rh + 1, sizeof *core), *u = calloc(rg * least + 1, sizeof *u);
    double *vt = calloc(least * rh + 1, sizeof *vt), *super = calloc(least + 1, sizeof *super);
    s->sigma = calloc(least + 1, sizeof *s->sigma);
    s->left = calloc(n * least + 1, sizeof *s->left);
    s->right = calloc(n * least + 1, sizeof *s->right);
    nnd_status status = NND_OK;
    if (core == NULL || u == NULL || vt == NULL || super == NULL || s->sigma == NULL ||
        s->left == NULL || s->right == NULL)
        status = nnd_fail_memory(ctx, "the spikes");
    else if (least > 0) {
        core_matrix(n, rg, lg, rh, lh, weight, core);
        if (LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'S', 'S', (lapack_int)rg, (lapack_int)rh, core,
                           (lapack_int)rh, s->sigma, u, (lapack_int)least, vt, (lapack_int)rh,
                           super) != 0)
            status = nnd_fail(ctx, NND_E_UNSOLVED, "the spikes have no singular values");
    }
    if (status == NND_OK) {
        while (s->rank < least && s->sigma[s->rank] > SPIKE_THRESHOLD * s->sigma[0])
            s->rank++;
        coefficients(n, rh, s->rank, weight, lh, vt, 1, rh, s->sigma, s->left);
        coefficients(n, rg, s->rank, weight, lg, u, least, 1, s->sigma, s->right);
    }
    free(core);
    free(u);
    free(vt);
    free(super);
    return status;
}

nnd_status nnd_spikes_make(nnd_context *ctx, size_t rows, const nnd_factor *g, const nnd_factor *h,
                           const double *weight, nnd_spikes *spikes) {
    *spikes = (nnd_spikes){.rows = rows};
    if (rows == 0)
        return NND_OK;
    nnd_status status = decompose(ctx, spikes, g->rank, g->coords, h->rank, h->coords, weight);
    if (status != NND_OK)
        nnd_spikes_clear(spikes);
    return status;
}

void nnd_spikes_clear(nnd_spikes *spikes) {
    free(spikes->sigma);
    free(spikes->left);
    free(spikes->right);
    *spikes = (nnd_spikes){0};
}
