/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far data are from normal ones with noise: their squares along the eigenvectors, their
 * lengths as a regression sees them, and directions that only few rows have (alignment.md#s10).
 */
#ifndef NNDMFT_THEORY_ALIGNMENT_ROWS_H
#define NNDMFT_THEORY_ALIGNMENT_ROWS_H

#include "core/feature_spectrum.h"
#include "nndmft/solvers/uneven_ridge.h"

/** How many of so many rows are measured: 4096, or more if together they have no more than 2^19
 *  coordinates. */
size_t nnd_alignment_rows_measured(size_t rows, size_t rank);

/** Coordinates of rows along the eigenvectors, in units of the standard deviations. */
typedef struct {
    size_t rows, rank;
    const double *eigenvalue; /**< borrowed: s_k, in the unit of the regression */
    double *coordinate;       /**< rows x rank: z_k/sqrt(s_k), of mean square 1; 0 if hardly seen */
    double *square;           /**< rows x rank: z_k^2/s_k, of mean 1 over the rows */
    double *kurtosis;         /**< rank: <z_k^4>/<z_k^2>^2; INFINITY where rows hardly have k */
    double *excess;           /**< rows: squared residual of the best linear map, less its mean */
} nnd_alignment_rows;

/** Measures data, or as many of its rows at equal distances as are measured. */
NND_MUST_USE nnd_status nnd_alignment_rows_make(nnd_context *ctx, const nnd_data *data,
                                                const nnd_feature_spectrum *spectrum,
                                                const double *eigenvalue, nnd_alignment_rows *rows);
void nnd_alignment_rows_clear(nnd_alignment_rows *rows);
/** <q^2>/<q>^2 of q = x (Sigma + kappa)^-1 x over what it is of normal inputs: alignment.md#eq19.
 */
double nnd_alignment_kurtosis(const nnd_alignment_rows *rows, double kappa);
/** The largest of all directions' probability to be missing in so many samples, times the part
 *  s/(s + kappa) of it that the regression would learn: alignment.md#eq20. */
double nnd_alignment_unseen(const nnd_alignment_rows *rows, double samples, double kappa);

#endif
