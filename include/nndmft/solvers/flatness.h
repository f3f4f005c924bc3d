/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How flat a minimum can be: the least sharpness over all factorisations of the minimiser w* of a
 * quadratic loss into a product of `depth` matrices (note flat_minima, section 3), with a
 * certificate, and what flow from a small start finds (section 4).
 *
 * In the eigenbasis of S the dual (4) is the top eigenvalue of a diagonal matrix plus a rank-one
 * matrix, the root of a secular equation: O(rank) per evaluation, after one decomposition of S.
 */
#ifndef NNDMFT_SOLVERS_FLATNESS_H
#define NNDMFT_SOLVERS_FLATNESS_H

#include "nndmft/api.h"
#include "nndmft/solvers/quadratic.h"

NND_API_BEGIN

/** Bounds, in the order simple <= least <= flow <= flow_bound <= ceiling. */
typedef struct {
    double simple;     /**< (3), right: 2 L |w*|^(2-2/L) a */
    double least;      /**< S_min, the dual (4) at its minimum */
    double primal;     /**< the objective of (3) at `direction`; least - primal certifies both */
    double c;          /**< c*, where (4) is least; NaN at depth 1 */
    double flow;       /**< (6), flow from a small balanced start */
    double flow_bound; /**< (7): 2 L Lambda |w*|^(2-2/L) */
    double ceiling;    /**< 8 L Lambda |w*|^(2-2/L), which allows for a start of finite size */
} nnd_flatness;

/**
 * All bounds at a depth >= 1. `direction` (dim numbers, or NULL) receives the unit vector z that
 * attains the maximum of (3).
 */
NND_MUST_USE nnd_status nnd_flatness_find(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                                          nnd_flatness *flatness, double *direction);
/** The dual phi(c) of (4), at c > 0 (any c at depth 1). An upper bound on S_min. */
NND_MUST_USE nnd_status nnd_flatness_dual(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                                          double c, double *value);
/** The objective of (3) at z (dim numbers, not 0; its length does not matter). A lower bound. */
double nnd_flatness_primal(const nnd_quadratic *q, size_t depth, const double *z);

NND_API_END

#endif
