/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of variance_profile.h share. */
#ifndef NNDMFT_SOLVERS_VARIANCE_PROFILE_IMPL_H
#define NNDMFT_SOLVERS_VARIANCE_PROFILE_IMPL_H

#include <complex.h>
#include <stdbool.h>

#include "nndmft/solvers/variance_profile.h"

/**
 * Without rows and columns that are 0, and with no more columns than rows, so that there are no
 * eigenvalues 0: those are put back at the end. Weights sum to 1, and `ratio` <= 1. Variances are
 * F_ij = sum_a left_ai right_aj, of as few terms as rounding allows: smooth functions of two
 * variables have some tens, however many classes they are sampled at.
 */
struct nnd_variance_profile {
    size_t rows, cols, rank;
    double *left, *right; /* rank x rows, rank x cols */
    double *row_weight, *col_weight;
    double ratio, largest;          /* largest: F */
    double share;                   /* of the D eigenvalues that are those of this */
    double *scaled, *square;        /* room: rank x rows; 2 rank^2 */
    double complex *row, *term;     /* room: 2 rows; rank + 1 */
    double complex *inner, *turned; /* L (w r^2) L^T; R (x g^2) R^T, rank x rank */
    double complex *g2, *shift;     /* g_j^2, and what it adds to R x v */
    double complex *matrix, *trial; /* room: (rank + 1)^2; 4 (cols + 1) */
    int *pivot;
};

/** m = sum_j x_j v_j. */
double complex nnd_variance_mean(const nnd_variance_profile *p, const double complex *v);
/** The fraction of the profile's eigenvalues up to z, given v there. */
double nnd_variance_below(nnd_variance_profile *p, double z, const double complex *v);
/** 1 + d sum_j x_j F_ij v_j, which is 1/r_i, of all rows. */
void nnd_variance_rows(nnd_variance_profile *p, const double complex *v, double complex *row);

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
