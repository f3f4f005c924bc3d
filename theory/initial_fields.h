/* SPDX-License-Identifier: GPL-3.0-or-later */
/** First-layer fields of an infinitely wide network at initialisation (wide-mlp.md#s3). */
#ifndef NNDMFT_THEORY_INITIAL_FIELDS_H
#define NNDMFT_THEORY_INITIAL_FIELDS_H

#include "nndmft/solvers/population.h"

/**
 * h = sigma (K^x)^(1/2) eps on the sites of `population`: n x sites, n x n the Gram matrix, with as
 * many fresh vectors as it has rank. `h` must be 0; `scratch` is n x sites.
 */
NND_MUST_USE nnd_status nnd_initial_fields(nnd_context *ctx, nnd_population *population, size_t n,
                                           const double *gram, double sigma, double *scratch,
                                           double *h);

#endif
