/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Deterministic equivalents of ridge regression on inputs that are not normal: some are longer than
 * others, and have more of some directions of the covariance (alignment.md#s10-1). Each then has a
 * weight of its own in the resolvent of the samples.
 */
#ifndef NNDMFT_SOLVERS_UNEVEN_RIDGE_H
#define NNDMFT_SOLVERS_UNEVEN_RIDGE_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** Inputs, all as likely: q_k = z_k^2/s_k, squared coordinates along the eigenvectors over their
 *  mean; `rows` x modes, each column with the mean 1. Borrowed. */
typedef struct {
    size_t rows;
    const double *square;
    const double *excess; /**< rows, of mean 0: what a row's label noise, that of both networks, has
                               beyond the mean; NULL: nothing */
} nnd_input_squares;

/**
 * nnd_pair_ridge for such inputs, without input noise, all multiplicities 1: alignment.md#eq16 to
 * alignment.md#eq18. All q = 1 give what nnd_pair_ridge does. Correlations between coordinates of
 * an input are left out. At the threshold without ridge the result is that of nnd_pair_ridge, and
 * near it NND_NOT_CONVERGED may come with the last iterate. O(rows modes^2).
 */
NND_MUST_USE nnd_status nnd_pair_ridge_uneven(nnd_context *ctx, const nnd_eigenmodes *modes,
                                              const nnd_pair_task *task,
                                              const nnd_input_squares *inputs, double lambda,
                                              nnd_pair_overlaps *overlaps);

NND_API_END

#endif
