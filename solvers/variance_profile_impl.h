/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of variance_profile.h share. */
#ifndef NNDMFT_SOLVERS_VARIANCE_PROFILE_IMPL_H
#define NNDMFT_SOLVERS_VARIANCE_PROFILE_IMPL_H

#include <complex.h>
#include <stdbool.h>

#include "nndmft/solvers/variance_profile.h"

/**
 * Without rows and columns that are 0, and with no more columns than rows, so that there are no
 * eigenvalues 0: those are put back at the end. Weights sum to 1, and `ratio` <= 1.
 */
struct nnd_variance_profile {
    size_t rows, cols;
    double *f, *row_weight, *col_weight; /* f: rows x cols */
    double ratio, largest;               /* largest: F */
    double share;                        /* of the D eigenvalues that are those of this */
    double *sum, *scaled, *square;       /* room: 2 rows; rows x cols; 2 cols^2 */
    double complex *matrix, *trial;      /* room: (cols + 1)^2; 4 (cols + 1) */
    int *pivot;
};

/** m = sum_j x_j v_j. */
double complex nnd_variance_mean(const nnd_variance_profile *p, const double complex *v);
/** The fraction of the profile's eigenvalues up to z, given v there. */
double nnd_variance_below(const nnd_variance_profile *p, double z, const double complex *v);
/** 1 + d sum_j x_j F_ij v_j, which is 1/r_i. */
double complex nnd_variance_row(const nnd_variance_profile *p, size_t i, const double complex *v);

/** Newton's method for real v and z at which m has a value. Writes d z/d m and d^2 z/d m^2. */
bool nnd_variance_where(nnd_variance_profile *p, double m, double *z, double complex *v,
                        double *slope, double *bend);
/** Follows v on a straight line from where it is known to z; false if that fails. */
bool nnd_variance_follow(nnd_variance_profile *p, double complex from, double complex z,
                         double complex *v);
/** v at z, followed along the negative axis, or from far above. */
bool nnd_variance_reach(nnd_variance_profile *p, double complex z, double complex *v);
/** A modulus of z far above all eigenvalues. */
double nnd_variance_far(const nnd_variance_profile *p);
/** Sets v at a z far away, where it is -1/z. */
void nnd_variance_begin(const nnd_variance_profile *p, double complex z, double complex *v);

#endif
