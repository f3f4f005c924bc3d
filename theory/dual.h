/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Moments of an activation over Gaussian preactivations (wide-mlp.md#s4d): the closed recursions
 * of infinite-width networks at initialisation. */
#ifndef NNDMFT_THEORY_DUAL_H
#define NNDMFT_THEORY_DUAL_H

#include "nndmft/activation.h"
#include "nndmft/context.h"

/** The moments of a pair. */
typedef struct {
    double phi;   /**< <phi(u) phi(v)> */
    double slope; /**< <phi'(u) phi'(v)> */
} nnd_dual_pair;

/**
 * Moments of (u, v) with covariance h (n x n) of all pairs of n preactivations, into `phi` and
 * `slope` (n x n each). In closed form for linear, erf and relu, else by quadrature (trapezoids, or
 * panels where the activation is steep), to 1e-11 relative; smoothed or not.
 */
NND_MUST_USE nnd_status nnd_dual_moments(nnd_context *ctx, const nnd_activation *activation,
                                         size_t n, const double *h, double *phi, double *slope);

#endif
