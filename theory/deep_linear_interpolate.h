/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Slow descent of deep linear networks from runs with larger steps (deep-linear.md#s1-3). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_INTERPOLATE_H
#define NNDMFT_THEORY_DEEP_LINEAR_INTERPOLATE_H

#include "nndmft/deep_linear.h"

/** What runs all steps of some parameters: nnd_deep_linear_theory of a method that does, but for
 * what is said of the errors of all. */
typedef nnd_status (*nnd_deep_linear_solver)(nnd_context *ctx, const void *params,
                                             nnd_frame **frame);

/**
 * The frame of parameters with method: interpolate, owned by the caller. NND_E_UNSOLVED where runs
 * with fewer steps do not tell, with the reason. Its attributes `interpolation_error` and
 * `interpolation_steps` are those of deep-linear.md#s1-3.
 */
NND_MUST_USE nnd_status nnd_deep_linear_interpolate(nnd_context *ctx, const nnd_deep_linear *p,
                                                    nnd_deep_linear_solver solve,
                                                    nnd_frame **frame);
/** The run with the most steps of those that are expected, and the steps of all relative to its. */
nnd_deep_linear nnd_deep_linear_longest_node(const nnd_deep_linear *p, double *all);

#endif
