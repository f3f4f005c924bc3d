/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Averages over one component s of a spherically symmetric input, from its density alone: panels
 * of Gauss-Legendre nodes that halve towards s = 0. It knows no closed form of any average.
 */
#ifndef NNDMFT_VALIDATE_RADIAL_LAW_H
#define NNDMFT_VALIDATE_RADIAL_LAW_H

#include "nndmft/directional.h"

typedef struct {
    size_t nodes;
    double *s, *weight; /**< s > 0; weights of the law of |s| */
} nnd_radial_law;

/** Nodes for the law of a case. Free with nnd_radial_law_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_radial_law_make(nnd_context *ctx, const nnd_directional *p,
                                            nnd_radial_law *law);
void nnd_radial_law_clear(nnd_radial_law *law);

/** E|s|/2. */
double nnd_radial_half_mean(const nnd_radial_law *law);
/** E[s tanh(omega s/2)]/(2 omega), and at omega = 0 its limit. */
double nnd_radial_slope(const nnd_radial_law *law, double omega);
/** E[|s|/(1 + exp(omega |s|))]: E|s|/2 less omega slope, as a sum of positive terms. */
double nnd_radial_rest(const nnd_radial_law *law, double omega);
/** E log(1 + exp(-y w.x)) of a predictor of norm omega with w . v = along. */
double nnd_radial_loss(const nnd_radial_law *law, double omega, double along);

#endif
