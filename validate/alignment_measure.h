/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How alike two representations are: CKA by its definition, from features or from a metric. */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_MEASURE_H
#define NNDMFT_VALIDATE_ALIGNMENT_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/context.h"

/** tr(G_a G_b), tr(G_a^2), tr(G_b^2) of two Gram matrices: what CKA is made of. */
typedef struct {
    double cross, self[2];
} nnd_cka_traces;

/** CKA = cross/sqrt(self_a self_b); NaN if a representation is 0. */
double nnd_cka_of(const nnd_cka_traces *traces);

/**
 * All probes of N(0, Sigma), Sigma diagonal, of linear representations H x: h[b] is rows[b] x dim.
 * G then is the operator Sigma^(1/2) H^T H Sigma^(1/2).
 */
NND_MUST_USE nnd_status nnd_cka_population(nnd_context *ctx, size_t dim, const double *eigenvalue,
                                           const size_t rows[2], const double *const h[2],
                                           nnd_cka_traces *traces);

/**
 * A finite set of n probes with features f[b], n x width[b]; G = F F^T, centred if asked for.
 * `debiased`: the traces are over pairs of different probes, unbiased estimates of those of the
 * distribution (centred: n >= 4, Song et al. 2012; else n >= 2).
 */
NND_MUST_USE nnd_status nnd_cka_finite(nnd_context *ctx, size_t n, const size_t width[2],
                                       const double *const f[2], bool centred, bool debiased,
                                       nnd_cka_traces *traces);

#endif
