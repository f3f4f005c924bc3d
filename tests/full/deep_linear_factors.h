/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Coordinates of all fields of a march, from which spectra at any query are computed: the first n
 * rows are those of the first n queries. Gram matrices of training histories have low rank, so
 * these are few numbers, and they are made once per run.
 */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_FACTORS_H
#define NNDMFT_THEORY_DEEP_LINEAR_FACTORS_H

#include "full/deep_linear_dynamics.h"
#include "full/spikes.h"

typedef struct {
    size_t depth;
    nnd_factor *g; /**< g[1..L] */
    nnd_factor *h; /**< h[0..L-1]; of one layer g and h share their space, so do delta and h[0] */
    nnd_factor delta; /**< fixed data only */
    nnd_factor residual;
} nnd_field_factors;

/** Factors of the first `rows` queries. Free with nnd_field_factors_clear in any case. */
NND_MUST_USE nnd_status nnd_field_factors_make(nnd_context *ctx, const nnd_dynamics *d, size_t rows,
                                               nnd_field_factors *factors);
void nnd_field_factors_clear(nnd_field_factors *factors);

#endif
