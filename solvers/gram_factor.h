/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The factor of a Gram matrix, without its null directions. */
#ifndef NNDMFT_SOLVERS_GRAM_FACTOR_H
#define NNDMFT_SOLVERS_GRAM_FACTOR_H

#include <stddef.h>

#include "nndmft/context.h"

/**
 * Finds A (n x n, row-major, its first *rank columns) with A A^T = gram. Directions below 1e-12 of
 * the largest eigenvalue are dropped. `factor` may be NULL if the rank alone is wanted.
 */
NND_MUST_USE nnd_status nnd_gram_factor(nnd_context *ctx, size_t n, const double *gram,
                                        double *factor, size_t *rank);

#endif
