/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products with a dense matrix and its transpose. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/kpm.h"

void nnd_gram_multiply(const nnd_gram *g, bool transposed, size_t count, const double *x,
                       double *y) {
    int rows = (int)g->rows, cols = (int)g->cols;
    if (count == 1)
        cblas_dgemv(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, rows, cols, 1.0,
                    g->matrix, cols, x, 1, 0.0, y, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasNoTrans : CblasTrans, (int)count,
                    transposed ? cols : rows, transposed ? rows : cols, 1.0, x,
                    transposed ? rows : cols, g->matrix, cols, 0.0, y, transposed ? cols : rows);
}

void nnd_gram_apply(void *gram, size_t count, const double *x, double *y) {
    const nnd_gram *g = gram;
    bool wide = g->cols > g->rows;
    size_t least = wide ? g->rows : g->cols, most = wide ? g->cols : g->rows;
    double *other = malloc(count * most * sizeof *other);
    if (other != NULL) {
        nnd_gram_multiply(g, wide, count, x, other);
        nnd_gram_multiply(g, !wide, count, other, y);
    }
    for (size_t i = 0; other == NULL && i < count * least; i++)
        y[i] = NAN;
    free(other);
}

void nnd_gram_apply_one(void *gram, const double *x, double *y) {
    nnd_gram_apply(gram, 1, x, y);
}
