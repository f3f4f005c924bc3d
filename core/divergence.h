/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * When a run counts as diverged: one rule for every theory and every simulator, so that both leave
 * out the same steps. What is watched is a loss, or a squared error, that is >= 0.
 */
#ifndef NNDMFT_CORE_DIVERGENCE_H
#define NNDMFT_CORE_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>

/** `bound` of the models that have no parameter for it. */
#define NND_DIVERGENCE_BOUND 1e9

/**
 * The largest loss of a run that has not diverged: bound times the larger of its value at the start
 * and its value where the outputs are 0 (a start at the optimum has no scale of its own), and at
 * least 1e-12. What lies below that, outputs of 1e-6, may be rounding, which an output scale of
 * 1e-8 magnifies to about 1e-8; what truly diverges passes it soon.
 */
double nnd_divergence_limit(double bound, double at_start, double of_zero);

/**
 * True if a value is above the limit or not finite. With the limit INFINITY only what is not finite
 * has diverged: the rule of quantities that may grow for ever.
 */
bool nnd_has_diverged(double limit, double value);

/** Sum of x^2/(2n): the loss of residuals x; of the targets, that of outputs 0. */
double nnd_half_mean_square(size_t n, const double *x);

#endif
