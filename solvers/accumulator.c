/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/accumulator.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"

/* Terms of a kind that wait: with so many, a product is bound by arithmetic, not by memory. */
enum { WAITING = 12 };

double nnd_accumulator_bytes(size_t rows, size_t sides, size_t sites) {
    double r = (double)rows, m = (double)sides, s = (double)sites;
    return (r * m * s + WAITING * (r + m * s + r * m + s)) * sizeof(double);
}

nnd_status nnd_accumulator_make(nnd_context *ctx, size_t rows, size_t sides, size_t sites,
                                nnd_accumulator *a) {
    size_t sum = rows * sides * sites, matrix = WAITING * sides * sites;
    size_t vector = WAITING * sites, coef = WAITING * rows;
    size_t needed = sum + matrix + vector + coef * (sides + 1) + 1;
    if (needed > a->room) {
        nnd_accumulator_clear(a);
        a->sum = nnd_pages_new(needed);
        a->room = needed;
    }
    double *x = a->sum;
    if (x == NULL)
        return nnd_fail_memory(ctx, "derivatives of directions");
    memset(x, 0, sum * sizeof *x);
    *a = (nnd_accumulator){
        .rows = rows,
        .room = a->room,
        .sides = sides,
        .sites = sites,
        .sum = x,
        .matrix = x + sum,
        .vector = x + sum + matrix,
        .matrix_coef = x + sum + matrix + vector,
        .vector_coef = x + sum + matrix + vector + coef,
    };
    return NND_OK;
}

void nnd_accumulator_clear(nnd_accumulator *a) {
    free(a->sum);
    *a = (nnd_accumulator){0};
}

static void add_waiting_matrices(nnd_accumulator *a) {
    size_t long_row = a->sides * a->sites;
    if (a->matrices > 0)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)a->matrix_rows, (int)long_row,
                    (int)a->matrices, 1.0, a->matrix_coef, (int)a->rows, a->matrix, (int)long_row,
                    1.0, a->sum, (int)long_row);
    a->multiply_adds += (double)a->matrices * (double)a->matrix_rows * (double)long_row;
    a->matrices = a->matrix_rows = 0;
}

static void add_waiting_vectors(nnd_accumulator *a) {
    size_t rows = a->vector_rows * a->sides;
    if (a->vectors > 0)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)a->sites,
                    (int)a->vectors, 1.0, a->vector_coef, (int)(a->rows * a->sides), a->vector,
                    (int)a->sites, 1.0, a->sum, (int)a->sites);
    a->multiply_adds += (double)a->vectors * (double)rows * (double)a->sites;
    a->vectors = a->vector_rows = 0;
}

void nnd_accumulator_add_matrix(nnd_accumulator *a, size_t n, double factor, const double *coef,
                                const double *m) {
    if (n == 0)
        return;
    if (a->matrices == WAITING)
        add_waiting_matrices(a);
    size_t long_row = a->sides * a->sites, i = a->matrices++;
    double *to = a->matrix_coef + i * a->rows;
    for (size_t k = 0; k < a->rows; k++)
        to[k] = k < n ? factor * coef[k] : 0.0;
    memcpy(a->matrix + i * long_row, m, long_row * sizeof *m);
    a->matrix_rows = n > a->matrix_rows ? n : a->matrix_rows;
}

void nnd_accumulator_add_vector(nnd_accumulator *a, size_t n, double factor, const double *coef,
                                size_t ld, const double *v) {
    if (n == 0)
        return;
    if (a->vectors == WAITING)
        add_waiting_vectors(a);
    size_t i = a->vectors++;
    double *to = a->vector_coef + i * a->rows * a->sides;
    for (size_t k = 0; k < a->rows; k++)
        for (size_t r = 0; r < a->sides; r++)
            to[k * a->sides + r] = k < n ? factor * coef[r * ld + k] : 0.0;
    memcpy(a->vector + i * a->sites, v, a->sites * sizeof *v);
    a->vector_rows = n > a->vector_rows ? n : a->vector_rows;
}

/* What waits for this row is added to it alone. */
const double *nnd_accumulator_row(nnd_accumulator *a, size_t k) {
    size_t long_row = a->sides * a->sites;
    double *row = a->sum + k * long_row;
    for (size_t i = 0; i < a->matrices; i++) {
        double *coef = a->matrix_coef + i * a->rows + k;
        if (*coef != 0.0)
            cblas_daxpy((int)long_row, *coef, a->matrix + i * long_row, 1, row, 1);
        *coef = 0.0;
    }
    if (a->vectors == 0)
        return row;
    double *coef = a->vector_coef + k * a->sides;
    int ld = (int)(a->rows * a->sides);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)a->sides, (int)a->sites,
                (int)a->vectors, 1.0, coef, ld, a->vector, (int)a->sites, 1.0, row, (int)a->sites);
    for (size_t i = 0; i < a->vectors; i++)
        memset(coef + i * (size_t)ld, 0, a->sides * sizeof *coef);
    return row;
}
