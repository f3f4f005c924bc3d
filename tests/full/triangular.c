/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/triangular.h"

#include <cblas.h>
#include <string.h>

/* Rows per panel: large enough for full matrix-vector speed, small enough that a panel of a few
 * thousand columns stays in the second-level cache between its two uses in a symmetric product. */
enum { PANEL = 32 };

static size_t panel_rows(size_t n, size_t first) {
    return n - first < PANEL ? n - first : PANEL;
}

void nnd_lower_times(size_t n, const double *a, size_t lda, const double *x, double *y) {
    for (size_t i = 0; i < n; i += PANEL) {
        size_t rows = panel_rows(n, i);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)(i + rows), 1.0, a + i * lda,
                    (int)lda, x, 1, 0.0, y + i, 1);
    }
}

void nnd_add_lower_transposed_times(size_t n, const double *a, size_t lda, const double *x,
                                    double *y) {
    for (size_t i = 0; i < n; i += PANEL) {
        size_t rows = panel_rows(n, i);
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, (int)(i + rows), 1.0, a + i * lda,
                    (int)lda, x + i, 1, 1.0, y, 1);
    }
}

void nnd_symmetric_times(size_t n, const double *a, size_t lda, const double *x, double *y) {
    memset(y, 0, n * sizeof *y);
    for (size_t i = 0; i < n; i += PANEL) {
        size_t rows = panel_rows(n, i);
        const double *panel = a + i * lda;
        if (i > 0) {
            cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)i, 1.0, panel, (int)lda, x, 1,
                        1.0, y + i, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, (int)i, 1.0, panel, (int)lda, x + i,
                        1, 1.0, y, 1);
        }
        cblas_dsymv(CblasRowMajor, CblasLower, (int)rows, 1.0, panel + i, (int)lda, x + i, 1, 1.0,
                    y + i, 1);
    }
}
