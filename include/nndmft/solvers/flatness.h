/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How flat a minimum can be: the least sharpness over all factorisations of the minimiser w* of a
 * quadratic loss into a product of `depth` matrices (flat-minima.md#s3), with a
 * certificate, and what flow from a small start finds (flat-minima.md#s4).
 *
 * In the eigenbasis of S the dual (flat-minima.md#eq4) is the top eigenvalue of a diagonal
 * matrix plus a rank-one matrix, the root of a secular equation: O(rank) per evaluation, after one
 * decomposition of S.
 */
#ifndef NNDMFT_SOLVERS_FLATNESS_H
#define NNDMFT_SOLVERS_FLATNESS_H

#include "nndmft/api.h"
#include "nndmft/solvers/quadratic.h"

NND_API_BEGIN

/** Bounds, in the order simple <= least <= flow <= flow_bound <= ceiling. */
typedef struct {
    double simple;     /**< flat-minima.md#eq3, right: 2 L |w*|^(2-2/L) a */
    double least;      /**< S_min, the dual at its minimum: flat-minima.md#eq4 */
    double primal;     /**< the objective at `direction`; least - primal certifies both */
    double c;          /**< c*, where the dual is least; NaN at depth 1 */
    double flow;       /**< flat-minima.md#eq6: flow from a small balanced start */
    double flow_bound; /**< flat-minima.md#eq7: 2 L Lambda |w*|^(2-2/L) */
    double ceiling;    /**< 8 L Lambda |w*|^(2-2/L), which allows for a start of finite size */
} nnd_flatness;

/**
 * All bounds at a depth >= 1. `direction` (dim numbers, or NULL) receives the unit vector z that
 * attains the maximum of flat-minima.md#eq3.
 */
NND_MUST_USE nnd_status nnd_flatness_find(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                                          nnd_flatness *flatness, double *direction);

NND_API_END

#endif
