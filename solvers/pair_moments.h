/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Averages over two Gaussian fields and their derivatives with respect to the covariance. */
#ifndef NNDMFT_SOLVERS_PAIR_MOMENTS_H
#define NNDMFT_SOLVERS_PAIR_MOMENTS_H

#include "nndmft/activation.h"
#include "nndmft/context.h"

/** The length over which an activation bends, in units of the standard deviation sqrt(q) of its
 * field; infinite if it bends nowhere, or in a point. */
double nnd_finest_scale(const nnd_activation *phi, double q);

/** An average and its derivatives with respect to Q_11, Q_22 and Q_12 = Q_21. */
typedef struct {
    double value, d11, d22, d12;
} nnd_pair_moment;

/**
 * E phi(h_1) phi(h_2) and E phi'(h_1) phi'(h_2) for h ~ N(0, Q), Q_11, Q_22 > 0. No derivative of
 * phi beyond the first is used (fluctuations.md#s3-2), so that kinks at 0 are exact, and steep
 * activations as exact as others. Where the fields are multiples of each other, to rounding, they
 * are taken to stay so: all change is in d11.
 */
NND_MUST_USE nnd_status nnd_pair_moments(nnd_context *ctx, const nnd_activation *phi, double q11,
                                         double q12, double q22, nnd_pair_moment *features,
                                         nnd_pair_moment *slopes);

#endif
