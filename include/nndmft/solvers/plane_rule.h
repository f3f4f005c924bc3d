/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Nodes and weights for averages <f(x, y)> over two independent standard normals
 * (wide-mlp.md#s4b). Weights sum to 1.
 */
#ifndef NNDMFT_SOLVERS_PLANE_RULE_H
#define NNDMFT_SOLVERS_PLANE_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

typedef struct {
    size_t count;
    double *x, *y, *weight; /**< `count` numbers each */
} nnd_plane_rule;

/**
 * Midpoint rule in the axes turned by 45 degrees, p = (x + y)/sqrt 2 and q = (x - y)/sqrt 2, each
 * up to 9 deviations: converges exponentially for smooth f, however steep along q = 0. `half`: only
 * p > 0, for f(-x, -y) = f(x, y), with p_nodes on that half, else twice as many. q_nodes in all.
 */
NND_MUST_USE nnd_status nnd_plane_rule_turned(nnd_context *ctx, size_t p_nodes, size_t q_nodes,
                                              bool half, nnd_plane_rule *rule);
/** Directions alone, for f homogeneous of degree 2: midpoint rule over `nodes` angles. */
NND_MUST_USE nnd_status nnd_plane_rule_angles(nnd_context *ctx, size_t nodes, nnd_plane_rule *rule);
/** Trapezoidal rule in x and y up to 9 deviations with at most this step. */
NND_MUST_USE nnd_status nnd_plane_rule_square(nnd_context *ctx, double step, nnd_plane_rule *rule);
/** Frees what the struct holds and zeroes it. */
void nnd_plane_rule_clear(nnd_plane_rule *rule);

NND_API_END

#endif
