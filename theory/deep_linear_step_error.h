/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How far the time step of a gradient flow of deep linear networks is from none. */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_STEP_ERROR_H
#define NNDMFT_THEORY_DEEP_LINEAR_STEP_ERROR_H

#include "theory/deep_linear_curves.h"

/**
 * The largest error of a curve (test_risk, train_mse, overlap, beta_norm2, g_norm2 and h_norm2 of a
 * layer) of a finished run of flow, relative to the largest value of that curve, by Richardson: the
 * run with twice the step is 2^p times as far off, p the order of the method, so that the error is
 * their difference over 2^p - 1. `run` holds a row for each step of the run of `p`. INFINITY if the
 * other run diverges.
 */
NND_MUST_USE nnd_status nnd_deep_linear_step_error(nnd_context *ctx, const nnd_deep_linear *p,
                                                   const nnd_curves *run, double *error);
/** The curves of a run at every step. The status is that of the run. Free with nnd_curves_clear in
 * any case. */
NND_MUST_USE nnd_status nnd_deep_linear_every_step(nnd_context *ctx, const nnd_deep_linear *p,
                                                   nnd_curves *run);
/**
 * The number of steps at which an error, INFINITY where the run diverged, would be `wanted`: by the
 * order of the method with a margin of a tenth. An error above 0.1 follows no order yet; steps then
 * are doubled until it is less, up to 2048 queries. `*enough` is false if that was not reached.
 */
NND_MUST_USE nnd_status nnd_deep_linear_steps_for(nnd_context *ctx, const nnd_deep_linear *p,
                                                  double error, double wanted, double *steps,
                                                  bool *enough);

#endif
