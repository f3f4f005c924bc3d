/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/basis.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A tolerance above this is far from rounding: the length of a residue follows from lengths alone.
 */
static const double SAFE_TOLERANCE = 1e-6;

nnd_status nnd_rows_reserve(nnd_context *ctx, nnd_rows *rows, size_t length, size_t more) {
    rows->length = length;
    if (rows->count + more <= rows->capacity)
        return NND_OK;
    size_t capacity = rows->capacity + rows->capacity / 4 + more;
    double *row = realloc(rows->row, capacity * length * sizeof *row);
    if (row == NULL)
        return nnd_fail_memory(ctx, "vectors over sites");
    rows->row = row;
    rows->capacity = capacity;
    return NND_OK;
}

void nnd_rows_clear(nnd_rows *rows) {
    free(rows->row);
    *rows = (nnd_rows){0};
}

void nnd_basis_clear(nnd_basis *basis) {
    nnd_rows_clear(&basis->vector);
    nnd_rows_clear(&basis->residue);
    nnd_rows_clear(&basis->second);
}

void nnd_basis_inner(const nnd_basis *basis, size_t n, const double *a, size_t m, const double *b,
                     double *out, size_t ld) {
    if (n == 0 || m == 0)
        return;
    int sites = (int)basis->sites;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, sites, basis->weight, a,
                sites, b, sites, 0.0, out, (int)ld);
}

/* v (n rows) -= coef (n x k) times the first k vectors. */
static void subtract(const nnd_basis *basis, size_t n, size_t k, const double *coef, size_t ld,
                     double *v) {
    if (n == 0 || k == 0)
        return;
    int sites = (int)basis->sites;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, sites, (int)k, -1.0, coef,
                (int)ld, basis->vector.row, sites, 1.0, v, sites);
}

static double length(const nnd_basis *basis, const double *v) {
    return sqrt(basis->weight) * cblas_dnrm2((int)basis->sites, v, 1);
}

nnd_status nnd_basis_project_out(nnd_context *ctx, nnd_basis *basis, size_t n, double *v) {
    size_t k = basis->vector.count;
    nnd_status status = nnd_rows_reserve(ctx, &basis->second, 1, n * k + 1);
    for (int pass = 0; status == NND_OK && pass < 2; pass++) {
        nnd_basis_inner(basis, n, v, k, basis->vector.row, basis->second.row, k);
        subtract(basis, n, k, basis->second.row, k, v);
    }
    return status;
}

/* Takes from one residue its components along the vectors from number k on, and appends what is
 * left if it is long enough. */
static void append_residue(nnd_basis *basis, size_t k, double *residue, double shortest,
                           double *coef) {
    int sites = (int)basis->sites;
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = k; j < basis->vector.count; j++) {
            const double *q = basis->vector.row + j * basis->sites;
            double along = basis->weight * cblas_ddot(sites, residue, 1, q, 1);
            cblas_daxpy(sites, -along, q, 1, residue, 1);
            coef[j] += along;
        }
    double rest = length(basis, residue);
    if (!(rest > shortest))
        return;
    size_t last = basis->vector.count++;
    double *q = basis->vector.row + last * basis->sites;
    memcpy(q, residue, basis->sites * sizeof *q);
    cblas_dscal(sites, 1.0 / rest, q, 1);
    coef[last] = rest;
}

/* The second pass over the rows that were picked, and what is new in them. */
static nnd_status extend_by(nnd_context *ctx, nnd_basis *basis, size_t picked, const size_t *pick,
                            const double *norm, double tol, double *coef, size_t ld) {
    size_t k = basis->vector.count;
    nnd_status status = nnd_rows_reserve(ctx, &basis->vector, basis->sites, picked);
    if (status == NND_OK)
        status = nnd_rows_reserve(ctx, &basis->second, 1, picked * k + 1);
    if (status != NND_OK)
        return status;
    double *residue = basis->residue.row, *second = basis->second.row;
    for (size_t i = 0; i < picked; i++)
        cblas_dcopy((int)k, coef + pick[i] * ld, 1, second + i * k, 1);
    subtract(basis, picked, k, second, k, residue);
    nnd_basis_inner(basis, picked, residue, k, basis->vector.row, second, k);
    subtract(basis, picked, k, second, k, residue);
    for (size_t i = 0; i < picked; i++) {
        double *row = coef + pick[i] * ld;
        cblas_daxpy((int)k, 1.0, second + i * k, 1, row, 1);
        append_residue(basis, k, residue + i * basis->sites, tol * norm[pick[i]], row);
    }
    return NND_OK;
}

nnd_status nnd_basis_extend(nnd_context *ctx, nnd_basis *basis, size_t n, const double *v,
                            double tol, double *coef, size_t ld) {
    size_t k = basis->vector.count, picked = 0, *pick = calloc(n + 1, sizeof *pick);
    double *norm = calloc(n + 1, sizeof *norm);
    nnd_status status = nnd_rows_reserve(ctx, &basis->residue, basis->sites, n);
    if (pick == NULL || norm == NULL)
        status = nnd_fail_memory(ctx, "a projection");
    for (size_t i = 0; i < n; i++)
        memset(coef + i * ld, 0, ld * sizeof *coef);
    nnd_basis_inner(basis, n, v, k, basis->vector.row, coef, ld);
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        norm[i] = length(basis, v + i * basis->sites);
        double along = cblas_dnrm2((int)k, coef + i * ld, 1);
        double rest2 = norm[i] * norm[i] - along * along;
        if (tol > SAFE_TOLERANCE && rest2 <= tol * tol * norm[i] * norm[i])
            continue;
        memcpy(basis->residue.row + picked * basis->sites, v + i * basis->sites,
               basis->sites * sizeof *v);
        pick[picked++] = i;
    }
    if (status == NND_OK && picked > 0)
        status = extend_by(ctx, basis, picked, pick, norm, tol, coef, ld);
    free(pick);
    free(norm);
    return status;
}
