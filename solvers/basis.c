/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/basis.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "solvers/block_products.h"

/* A tolerance above this is far from rounding: the length of a residue follows from lengths alone.
 */
static const double SAFE_TOLERANCE = 1e-6;
/* By how much rows grow at least: the lesser of so many, and so many numbers (32 MB). */
enum { GROWTH_ROWS = 32, GROWTH_NUMBERS = 1 << 22 };

nnd_status nnd_rows_reserve(nnd_context *ctx, nnd_rows *rows, size_t length, size_t more) {
    rows->length = length;
    if (rows->count + more <= rows->capacity)
        return NND_OK;
    /* Untouched room costs address space only, moving what is there costs time. */
    size_t least = GROWTH_NUMBERS / length, half = rows->capacity / 2;
    least = least < GROWTH_ROWS ? least : GROWTH_ROWS;
    size_t capacity = rows->capacity + more + (least > half ? least : half);
    double *row = nnd_pages_new(capacity * length);
    if (row == NULL)
        return nnd_fail_memory(ctx, "vectors over sites");
    if (rows->count > 0)
        memcpy(row, rows->row, rows->count * length * sizeof *row);
    free(rows->row);
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
    nnd_block_inner(n, a, m, b, basis->sites, basis->weight, out, ld);
}

static double length(const nnd_basis *basis, const double *v) {
    return sqrt(basis->weight) * cblas_dnrm2((int)basis->sites, v, 1);
}

/* Takes from one residue its components along the vectors from number k on, and appends what is
 * left if it is long enough. Returns the length of what is dropped. */
static double append_residue(nnd_basis *basis, size_t k, double *residue, double shortest,
                             double *coef) {
    int sites = (int)basis->sites;
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = k; j < basis->vector.count; j++) {
            const double *q = basis->vector.row + j * basis->sites;
            double along = basis->weight * cblas_ddot(sites, residue, 1, q, 1);
            basis->multiply_adds += 2.0 * (double)sites;
            cblas_daxpy(sites, -along, q, 1, residue, 1);
            coef[j] += along;
        }
    double rest = length(basis, residue);
    if (!(rest > shortest))
        return rest;
    size_t last = basis->vector.count++;
    double *q = basis->vector.row + last * basis->sites;
    memcpy(q, residue, basis->sites * sizeof *q);
    cblas_dscal(sites, 1.0 / rest, q, 1);
    coef[last] = rest;
    return 0.0;
}

/* Takes the projections on the first k vectors from the residues: the coefficients known already,
 * and once more where the first pass cancelled much, which magnifies rounding. */
static nnd_status project(nnd_context *ctx, nnd_basis *basis, size_t picked, const size_t *pick,
                          const double *norm, double *coef, size_t ld) {
    const double much = 0.7;
    size_t k = basis->vector.count;
    nnd_status status = nnd_rows_reserve(ctx, &basis->second, 1, 2 * picked * k + 1);
    if (status != NND_OK)
        return status;
    double *residue = basis->residue.row, *known = basis->second.row, *left = known + picked * k;
    bool again = false;
    for (size_t i = 0; i < picked; i++)
        cblas_dcopy((int)k, coef + pick[i] * ld, 1, known + i * k, 1);
    nnd_block_project(picked, known, k, basis->vector.row, basis->sites, basis->weight, residue,
                      left);
    basis->multiply_adds += 2.0 * (double)picked * (double)k * (double)basis->sites;
    for (size_t i = 0; i < picked; i++)
        again |= length(basis, residue + i * basis->sites) < much * norm[pick[i]];
    if (!again)
        return NND_OK;
    nnd_block_combine(picked, left, k, k, basis->vector.row, basis->sites, -1.0, residue);
    basis->multiply_adds += (double)picked * (double)k * (double)basis->sites;
    for (size_t i = 0; i < picked; i++)
        cblas_daxpy((int)k, 1.0, left + i * k, 1, coef + pick[i] * ld, 1);
    return NND_OK;
}

nnd_status nnd_basis_extend(nnd_context *ctx, nnd_basis *basis, size_t n, const double *v,
                            double tol, const double *least, double *coef, size_t ld,
                            nnd_split *split) {
    size_t k = basis->vector.count, picked = 0, *pick = calloc(n + 1, sizeof *pick);
    double *norm = calloc(n + 1, sizeof *norm), *shortest = calloc(n + 1, sizeof *shortest);
    nnd_status status = nnd_rows_reserve(ctx, &basis->residue, basis->sites, n);
    if (pick == NULL || norm == NULL || shortest == NULL)
        status = nnd_fail_memory(ctx, "a projection");
    for (size_t i = 0; i < n; i++)
        memset(coef + i * ld, 0, ld * sizeof *coef);
    nnd_basis_inner(basis, n, v, k, basis->vector.row, coef, ld);
    basis->multiply_adds += (double)n * (double)k * (double)basis->sites;
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        norm[i] = length(basis, v + i * basis->sites);
        shortest[i] = tol * (least != NULL ? fmax(norm[i], least[i]) : norm[i]);
        double along = cblas_dnrm2((int)k, coef + i * ld, 1);
        double rest2 = norm[i] * norm[i] - along * along;
        if (split != NULL)
            split[i] = (nnd_split){norm[i], sqrt(fmax(rest2, 0.0)), k};
        if (tol > SAFE_TOLERANCE && rest2 <= shortest[i] * shortest[i])
            continue;
        memcpy(basis->residue.row + picked * basis->sites, v + i * basis->sites,
               basis->sites * sizeof *v);
        pick[picked++] = i;
    }
    if (status == NND_OK)
        status = nnd_rows_reserve(ctx, &basis->vector, basis->sites, picked);
    if (status == NND_OK && picked > 0)
        status = project(ctx, basis, picked, pick, norm, coef, ld);
    for (size_t i = 0; status == NND_OK && i < picked; i++) {
        double dropped = append_residue(basis, k, basis->residue.row + i * basis->sites,
                                        shortest[pick[i]], coef + pick[i] * ld);
        if (split != NULL)
            split[pick[i]] = (nnd_split){norm[pick[i]], dropped, basis->vector.count};
    }
    free(pick);
    free(norm);
    free(shortest);
    return status;
}
