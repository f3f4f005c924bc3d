/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Nodes and weights for averages over independent standard normal variables. */
#ifndef NNDMFT_SOLVERS_NODES_H
#define NNDMFT_SOLVERS_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** E f(x) is approximated by sum_i weight_i f(x_i); the weights are positive and sum to 1. */
typedef struct {
    size_t dims, count;
    double *x;      /**< dims x count: one axis after the other */
    double *weight; /**< count */
} nnd_nodes;

/**
 * Tensor trapezoidal rule with `intervals` (even) steps of 2 radius/intervals per axis around 0, in
 * the ball |x| <= radius, where the density is exp(-radius^2/2) of its maximum. Converges
 * exponentially for integrands that are analytic in a strip (fluctuations 1.5). `even`: the
 * integrand does not change under x -> -x, half of the nodes do.
 */
NND_MUST_USE nnd_status nnd_nodes_trapezoid(nnd_context *ctx, size_t dims, size_t intervals,
                                            double radius, bool even, nnd_nodes *nodes);
/** Number of nodes that nnd_nodes_trapezoid makes, about. */
double nnd_nodes_trapezoid_count(size_t dims, size_t intervals, double radius, bool even);

/**
 * Gauss-Legendre panels on both sides of 0: exact for what is smooth but for a kink at 0, or varies
 * over lengths down to `finest` around it. `panels` of 16 points each on a half-line, and more
 * towards 0 for a small `finest`.
 */
NND_MUST_USE nnd_status nnd_nodes_line(nnd_context *ctx, size_t panels, double finest,
                                       nnd_nodes *nodes);
/**
 * Gauss-Legendre panels in polar coordinates: exact for what is smooth but for kinks across lines
 * through the origin, or steps of the width `finest` across them. The lines are those orthogonal to
 * (normal[2i], normal[2i+1]), i < lines. `panels` of 12 points along the radius, as many as needed
 * around, and more of both for a small `finest`.
 */
NND_MUST_USE nnd_status nnd_nodes_plane(nnd_context *ctx, size_t panels, size_t lines,
                                        const double *normal, double finest, nnd_nodes *nodes);

/**
 * `count` (a power of two) equally weighted nodes of a Sobol net with Owen's scrambling (sobol.h),
 * keyed by (seed, replicate): different replicates are independent, each is unbiased.
 */
NND_MUST_USE nnd_status nnd_nodes_sobol(nnd_context *ctx, size_t dims, size_t count, uint64_t seed,
                                        uint64_t replicate, nnd_nodes *nodes);

/** Frees the nodes; a zeroed struct is allowed. */
void nnd_nodes_clear(nnd_nodes *nodes);

NND_API_END

#endif
