/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The small network of deep linear networks against the full march over all pairs of steps. */
#ifndef NNDMFT_TESTS_FULL_AGAINST_SMALL_H
#define NNDMFT_TESTS_FULL_AGAINST_SMALL_H

#include "nndmft/context.h"

/** Of all curves at all steps, relative to the largest value of each. */
typedef struct {
    double error;   /**< the largest difference */
    double certain; /**< what of it is above the rounding of the full march */
    double unequal; /**< the largest difference of g_l . h_l between layers */
} full_difference;

/** Runs both for `params`, inside a test; false where the full march diverges. */
bool full_compare(nnd_context *ctx, const char *params, double tolerance, full_difference *found);

#endif
