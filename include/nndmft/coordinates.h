/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The coordinate check: how what networks do scales with their width. */
#ifndef NNDMFT_COORDINATES_H
#define NNDMFT_COORDINATES_H

#include "nndmft/api.h"
#include "nndmft/case.h"
#include "nndmft/context.h"
#include "nndmft/simulate.h"

NND_API_BEGIN

/** Whether a power of the width was found that theory expects: the nearest multiple of 1/2. */
typedef enum {
    NND_COORDINATE_AS_EXPECTED, /**< two standard errors and all nearer to it than to any other */
    NND_COORDINATE_OPEN,        /**< the standard errors do not decide */
    NND_COORDINATE_OTHERWISE    /**< nearer to another one */
} nnd_coordinate_verdict;

/** "as expected", "open", "otherwise"; static. */
const char *nnd_coordinate_text(nnd_coordinate_verdict verdict);

/** Whether the check can be made: NND_E_INPUT if the model lists no magnitudes, the case simulates
 *  fewer than two sizes, or no powers are known with its parameters. */
NND_MUST_USE nnd_status nnd_coordinates_check(nnd_context *ctx, const nnd_case *c);

/**
 * Fits a power of the size to every magnitude that the model lists (nnd_model.magnitudes), for
 * every point of the sweep, from an ensemble of two or more sizes. `answers` has, over (sweep...,
 * coordinate), `slope`, `slope_se`, `expected` and `verdict` (an nnd_coordinate_verdict);
 * `ensemble->mc` gets, over (sweep..., coordinate, width), `magnitude` and `magnitude_se`, and
 * `theory` a line `magnitude` of the expected power through the last of them.
 *
 * A magnitude is the root of the mean square, over samples and its layers, of the mean over seeds
 * at the last time, or of its change since the first; of kernels between two times of the squared
 * distance. Standard errors are by groups of seeds; NaN, and no verdict, where these are not known.
 * NND_E_INPUT if nnd_coordinates_check fails, or the ensemble has fewer than two sizes.
 */
NND_MUST_USE nnd_status nnd_coordinates(nnd_context *ctx, const nnd_case *c, nnd_ensemble *ensemble,
                                        nnd_frame **theory, nnd_frame **answers);

NND_API_END

#endif
