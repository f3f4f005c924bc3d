/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Canonical correlations: singular values of U_A^T U_B, U orthonormal bases of the columns. */
#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "validate/similarity_impl.h"

/* ---- bases ---- */

/* How many columns count, and how many of them hold the share of the variance. */
static void count_columns(size_t n, size_t width, double share, const double *singular,
                          nnd_column_basis *basis) {
    double all = 0.0, sum = 0.0;
    double least = singular[0] * DBL_EPSILON * (double)(n > width ? n : width);
    basis->rank = basis->kept = 0;
    while (basis->rank < basis->stride && singular[basis->rank] > least) {
        all += singular[basis->rank] * singular[basis->rank];
        basis->rank++;
    }
    while (basis->kept < basis->rank && !(sum >= share * all)) {
        sum += singular[basis->kept] * singular[basis->kept];
        basis->kept++;
    }
}

/* Row by row in memory, X is X^T column by column: LAPACK's V^T of X^T is U of X, row by row. */
static nnd_status make_basis(nnd_context *ctx, const nnd_similarity_work *work,
                             const nnd_point_set *points, int side, nnd_column_basis *basis) {
    size_t n = points->n, width = work->width[side];
    basis->stride = n < width ? n : width;
    basis->u = malloc(n * basis->stride * sizeof *basis->u);
    double *x = malloc((n + 1) * width * sizeof *x);
    double *v = malloc(width * basis->stride * sizeof *v);
    double *singular = malloc(basis->stride * sizeof *singular);
    nnd_status status = basis->u != NULL && x != NULL && v != NULL && singular != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "canonical correlations");
    if (status == NND_OK) {
        nnd_similarity_gather(work, points, side, x);
        if (LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', (int)width, (int)n, x, (int)width, singular, v,
                           (int)width, basis->u, (int)basis->stride) != 0)
            status = nnd_fail(ctx, NND_E_LIMIT, "CCA: singular values were not found");
    }
    if (status == NND_OK)
        count_columns(n, width, work->options->variance, singular, basis);
    free(x);
    free(v);
    free(singular);
    return status;
}

static nnd_status make(nnd_context *ctx, nnd_similarity_work *work) {
    size_t n = work->given->n;
    size_t *all = malloc(n * sizeof *all);
    nnd_status status = all != NULL ? nnd_similarity_columns(ctx, work)
                                    : nnd_fail_memory(ctx, "canonical correlations");
    for (size_t i = 0; status == NND_OK && i < n; i++)
        all[i] = i;
    const nnd_point_set points = {n, {all, all}, true};
    for (int side = 0; status == NND_OK && side < 2; side++)
        status = make_basis(ctx, work, &points, side, &work->basis[side]);
    free(all);
    return status;
}

/* ---- correlations ---- */

/* Rows of the basis of all points in another order. */
static nnd_status reorder(nnd_context *ctx, const nnd_column_basis *whole, size_t n,
                          const size_t *row, nnd_column_basis *basis) {
    *basis = *whole;
    basis->u = malloc(n * basis->stride * sizeof *basis->u);
    if (basis->u == NULL)
        return nnd_fail_memory(ctx, "canonical correlations");
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < basis->stride; c++)
            basis->u[i * basis->stride + c] = whole->u[row[i] * basis->stride + c];
    return NND_OK;
}

/* Mean of the singular values, which are cosines, of U_A^T U_B of the first p and q columns. */
static nnd_status mean_cosine(nnd_context *ctx, size_t n, const nnd_column_basis basis[2], size_t p,
                              size_t q, double *mean) {
    size_t least = p < q ? p : q;
    double *product = malloc(p * q * sizeof *product), none, sum = 0.0;
    double *singular = malloc(least * sizeof *singular);
    nnd_status status = product != NULL && singular != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "canonical correlations");
    if (status == NND_OK)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)p, (int)q, (int)n, 1.0,
                    basis[0].u, (int)basis[0].stride, basis[1].u, (int)basis[1].stride, 0.0,
                    product, (int)q);
    if (status == NND_OK && LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (int)q, (int)p, product, (int)q,
                                           singular, &none, 1, &none, 1) != 0)
        status = nnd_fail(ctx, NND_E_LIMIT, "CCA: singular values were not found");
    for (size_t k = 0; status == NND_OK && k < least; k++)
        sum += fmin(singular[k], 1.0);
    if (status == NND_OK)
        *mean = sum / (double)least;
    free(product);
    free(singular);
    return status;
}

/* A side that does not vary over these points has no column that counts, hence no correlation. */
static nnd_status correlate(nnd_context *ctx, const nnd_similarity_work *work, size_t n,
                            const nnd_column_basis basis[2], nnd_similarity_values *values) {
    nnd_status status = NND_OK;
    if (basis[0].rank == 0 || basis[1].rank == 0)
        return NND_OK;
    if (work->options->wanted[NND_SIMILARITY_CCA])
        status = mean_cosine(ctx, n, basis, basis[0].rank, basis[1].rank,
                             &values->value[NND_SIMILARITY_CCA]);
    if (status == NND_OK && work->options->wanted[NND_SIMILARITY_SVCCA])
        status = mean_cosine(ctx, n, basis, basis[0].kept, basis[1].kept,
                             &values->value[NND_SIMILARITY_SVCCA]);
    return status;
}

static nnd_status compare(nnd_context *ctx, const nnd_similarity_work *work,
                          const nnd_point_set *points, nnd_similarity_values *values) {
    nnd_column_basis basis[2] = {{0}, {0}};
    nnd_status status = NND_OK;
    for (int side = 0; status == NND_OK && side < 2; side++)
        status = points->whole
                     ? reorder(ctx, &work->basis[side], points->n, points->row[side], &basis[side])
                     : make_basis(ctx, work, points, side, &basis[side]);
    if (status == NND_OK)
        status = correlate(ctx, work, points->n, basis, values);
    free(basis[0].u);
    free(basis[1].u);
    return status;
}

/* Of dgesdd: X, U, V and room for 4 w^2 + 7 w numbers. */
static double bytes(const nnd_similarity_work *work) {
    double n = (double)work->given->n, w0 = (double)work->width[0], w1 = (double)work->width[1];
    double most = fmax(w0, w1);
    return sizeof(double) * (n * (w0 + w1) + (n + 1.0) * most + 8.0 * most * most + 64.0 * most);
}

const nnd_similarity_family nnd_similarity_canonical = {make, compare, bytes};
