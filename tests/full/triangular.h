/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Products with lower triangular and symmetric matrices that grow row by row: row-major, leading
 * dimension `lda`, only the lower triangle of the first n rows is read as such, the rest of each
 * panel of rows must be zero. Each matrix element is read from memory once.
 */
#ifndef NNDMFT_SOLVERS_TRIANGULAR_H
#define NNDMFT_SOLVERS_TRIANGULAR_H

#include <stddef.h>

/** y = A x, A lower triangular n x n. */
void nnd_lower_times(size_t n, const double *a, size_t lda, const double *x, double *y);
/** y += A^T x, A lower triangular n x n. */
void nnd_add_lower_transposed_times(size_t n, const double *a, size_t lda, const double *x,
                                    double *y);
/** y = A x, A symmetric n x n, given by its lower triangle. */
void nnd_symmetric_times(size_t n, const double *a, size_t lda, const double *x, double *y);

#endif
