/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How far from the law of Marchenko and Pastur the singular values of Gaussian matrices of one
 * shape are, by sampling their exact law: the bidiagonal matrix with independent chi variables that
 * reflections make of a Gaussian one (Dumitriu and Edelman 2002; spectrum.md#s3). Singular values
 * below a number are counted in it (Sturm), none is computed.
 */
#ifndef NNDMFT_SOLVERS_SPECTRUM_NULL_H
#define NNDMFT_SOLVERS_SPECTRUM_NULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nndmft/context.h"

/** Distances as nnd_bulk_excess measures them. */
typedef struct {
    size_t draws;
    double *fitted; /**< draws: entries have the variance that the median says */
    double *known;  /**< draws: they have the variance 1; NULL: not asked for */
} nnd_spectrum_null;

/** Samples `draws` matrices with `tall` rows and count <= tall columns, each from a substream of
 *  its own; `known`: also against the known variance. Free with nnd_spectrum_null_clear. */
NND_MUST_USE nnd_status nnd_spectrum_null_make(nnd_context *ctx, size_t tall, size_t count,
                                               size_t draws, uint64_t seed, bool known,
                                               nnd_spectrum_null *null);
/** Frees what it owns and zeroes it. */
void nnd_spectrum_null_clear(nnd_spectrum_null *null);
/** (1 + how many of draws numbers are at least x)/(1 + draws); NaN without draws. */
double nnd_null_share(size_t draws, const double *value, double x);

#endif
