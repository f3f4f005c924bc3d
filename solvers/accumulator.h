/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Rows, each a matrix of sides x sites, to which many terms of two kinds are added: a coefficient
 * of the row times a matrix, and coefficients of row and side times a vector over sites. Terms wait
 * until there are enough of them for one product that reads and writes the rows once.
 */
#ifndef NNDMFT_SOLVERS_ACCUMULATOR_H
#define NNDMFT_SOLVERS_ACCUMULATOR_H

#include "nndmft/context.h"

/** Zero-initialise. */
typedef struct {
    size_t rows, sides, sites;
    size_t room;                     /**< numbers */
    double *sum;                     /**< rows x sides x sites */
    size_t matrices, vectors;        /**< that wait */
    size_t matrix_rows, vector_rows; /**< that what waits is for, at most */
    double *matrix_coef, *matrix;    /**< waiting x rows; waiting x sides x sites */
    double *vector_coef, *vector;    /**< waiting x rows x sides; waiting x sites */
    double multiply_adds;
} nnd_accumulator;

/** All rows 0. Room that the accumulator had before is used again. */
NND_MUST_USE nnd_status nnd_accumulator_make(nnd_context *ctx, size_t rows, size_t sides,
                                             size_t sites, nnd_accumulator *a);
void nnd_accumulator_clear(nnd_accumulator *a);
/** Bytes of an accumulator of this size. */
double nnd_accumulator_bytes(size_t rows, size_t sides, size_t sites);

/** The first n rows += factor coef_k m; m is sides x sites. */
void nnd_accumulator_add_matrix(nnd_accumulator *a, size_t n, double factor, const double *coef,
                                const double *m);
/** The first n rows += factor coef_rk v; coef is sides x n (leading dimension ld), v over sites. */
void nnd_accumulator_add_vector(nnd_accumulator *a, size_t n, double factor, const double *coef,
                                size_t ld, const double *v);
/** One row, with all that was added to it (sides x sites); a view. */
const double *nnd_accumulator_row(nnd_accumulator *a, size_t k);

#endif
