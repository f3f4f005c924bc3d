/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far from the law of Marchenko and Pastur the singular values of Gaussian matrices of one
 * shape are, by sampling their exact law: the bidiagonal matrix with independent chi variables that
 * reflections make of a Gaussian one (Dumitriu and Edelman 2002; spectrum.md#s3). Singular values
 * below a number are counted in it (Sturm), none is computed.
 */
#ifndef NNDMFT_SOLVERS_SPECTRUM_NULL_H
#define NNDMFT_SOLVERS_SPECTRUM_NULL_H

#include <stddef.h>

#include "nndmft/solvers/spectrum.h"

/** (1 + how many of draws numbers are at least x)/(1 + draws); NaN without draws. */
double nnd_null_share(size_t draws, const double *value, double x);

#endif
