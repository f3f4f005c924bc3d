/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The width of least loss at given compute C = N t, and what the loss is there. */
#ifndef NNDMFT_THEORY_SCALING_LAWS_FRONTIER_H
#define NNDMFT_THEORY_SCALING_LAWS_FRONTIER_H

#include "theory/scaling_laws_task.h"

/**
 * Adds the dimension `compute` and optimal_width, optimal_risk, optimal_time and the two exponents
 * over it, NaN at budgets whose optimum is not between the widths, and risk_at_compute of the width
 * that the parameters have. Attribute `error` of the
 * exponents: the largest change when every other width is left out.
 */
NND_MUST_USE nnd_status nnd_scaling_frontier_add(nnd_context *ctx,
                                                 const nnd_scaling_problem *problem,
                                                 nnd_frame *frame);

/** How many budgets, and times at which each width is solved. */
size_t nnd_scaling_frontier_budgets(const nnd_scaling_laws *params);

#endif
