/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The law of Marchenko and Pastur in closed form (spectrum.md#eq1): eigenvalues of X^T X, where X
 * has independent entries of variance sigma2/N, N rows and ratio x N columns. For ratio > 1 a share
 * 1 - 1/ratio of them is 0; ratio and sigma2 are > 0 and finite.
 */
#ifndef NNDMFT_SOLVERS_MARCHENKO_PASTUR_H
#define NNDMFT_SOLVERS_MARCHENKO_PASTUR_H

#include <stddef.h>

#include "nndmft/api.h"

NND_API_BEGIN

/** Ends of the continuous part, sigma2 (1 -+ sqrt(ratio))^2. */
double nnd_mp_lower(double ratio, double sigma2);
double nnd_mp_upper(double ratio, double sigma2);
/** Density at z, without the atom at 0; 0 outside, infinite at z = 0 if ratio = 1. */
double nnd_mp_density(double ratio, double sigma2, double z);
/** Share of eigenvalues up to z, with the atom; its error is some DBL_EPSILON. */
double nnd_mp_cdf(double ratio, double sigma2, double z);
/** The eigenvalue up to which there is a share p in [0, 1], as precise as p is (at the ends to
 *  DBL_EPSILON^(2/3)); 0 within the atom. NaN for other p. */
double nnd_mp_quantile(double ratio, double sigma2, double p);

/**
 * Where finite matrices of independent Gaussian entries of variance 1 have their largest or
 * smallest eigenvalue of X^T X, not scaled by N: it is mean +- scale times a variable of the law of
 * Tracy and Widom (beta = 1), to relative order count^(-4/3) for the largest (spectrum.md#eq5).
 */
typedef struct {
    double centre, scale;
} nnd_mp_edge;
/** Of the largest: centre + scale x. rows, cols >= 1. */
nnd_mp_edge nnd_mp_largest(size_t rows, size_t cols);
/** Of the smallest: centre - scale x. NaN if rows = cols, where the edge at 0 is a hard one. */
nnd_mp_edge nnd_mp_smallest(size_t rows, size_t cols);

NND_API_END

#endif
