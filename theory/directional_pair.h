/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Two layers from any start (directional.md#s3-d): p = W_1 v, a = W_2^T, and for
 * M = W_1 W_1^T its part that is perpendicular to the teacher,
 *     M - p p^T = exp(2 log_scale) F F^T.
 * With W_perp = W_1 (1 - v v^T) the step directional.md#eq7 is F <- (1 - eta hbar a a^T) F: the
 * perpendicular part of the predictor, F^T a, is never the difference of larger numbers.
 */
#ifndef NNDMFT_THEORY_DIRECTIONAL_PAIR_H
#define NNDMFT_THEORY_DIRECTIONAL_PAIR_H

#include "theory/directional_path.h"

typedef struct {
    const nnd_logistic *averages;
    double c0;
    size_t units;      /**< K */
    double *f, *p, *a; /**< K x K, K, K: one block of K (K + 2) numbers beginning at f */
    double log_scale;
    double *r, *fr, *first;    /**< F^T a, F F^T a and F^T a at the start: K each */
    double omega, zeta, along; /**< of the present weights; along = p . a */
    nnd_logistic_averages at;
} nnd_directional_pair;

/** The pair at its start. Free with nnd_directional_pair_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_directional_pair_make(nnd_context *ctx,
                                                  const nnd_directional_path *path,
                                                  nnd_directional_pair *pair);
void nnd_directional_pair_clear(nnd_directional_pair *pair);
/** Derives everything else from f, p and a. */
void nnd_directional_pair_settle(nnd_directional_pair *pair);
/**
 * Time derivatives of f, p and a under gradient flow into `rate` (laid out as f, p, a); for a
 * step of gd they are to be added with the weight eta. Needs a settled pair.
 */
void nnd_directional_pair_rate(const nnd_directional_pair *pair, double *rate);
/** Sign of the perpendicular part along its start. */
double nnd_directional_pair_sign(const nnd_directional_pair *pair);

#endif
