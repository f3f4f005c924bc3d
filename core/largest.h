/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The maximum of numbers that decide about convergence, error or divergence. fmax passes over what
 * is not a number, so that a result full of NaN would have the error 0.
 */
#ifndef NNDMFT_CORE_LARGEST_H
#define NNDMFT_CORE_LARGEST_H

#include <math.h>

/** The larger of two numbers; NaN if one of them is NaN. */
static inline double nnd_largest(double a, double b) {
    return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

#endif
