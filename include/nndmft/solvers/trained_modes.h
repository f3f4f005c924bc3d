/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * One singular direction of a two-layer linear network whose layers A and W are both trained and
 * diagonal in the singular basis of the target (many-outputs.md#s3): the modes (alpha, m, omega) of
 * A A^T, A W, W^T W towards the target x of A W, with e = x - m,
 *
 *     m' = m + e (eta_A omega + eta_W alpha) + eta_A eta_W e^2 m,
 *     alpha' = alpha + 2 eta_A e m + eta_A^2 e^2 omega,
 *     omega' = omega + 2 eta_W e m + eta_W^2 e^2 alpha.
 *
 * Every function writes the modes and, unless `slope` is NULL, d omega/d x.
 */
#ifndef NNDMFT_SOLVERS_TRAINED_MODES_H
#define NNDMFT_SOLVERS_TRAINED_MODES_H

#include <stdint.h>

#include "nndmft/api.h"

NND_API_BEGIN

/** alpha, omega >= 0 and 0 <= product <= sqrt(alpha omega). */
typedef struct {
    double alpha, product, omega;
    double residual; /**< e, however small to relative precision; that of a start is not read */
} nnd_trained_mode;

/** After `steps` updates with rates eta_W and eta_A. Not finite, or huge, where they diverge. */
void nnd_trained_mode_descent(nnd_trained_mode start, double target, double rate_w, double rate_a,
                              int64_t steps, nnd_trained_mode *end, double *slope);
/** Gradient flow with rates 1 of W and `ratio` >= 0 of A, at a time that may be infinite; in closed
 *  form (many-outputs.md#eq4), to rounding. `target` >= 0. */
void nnd_trained_mode_flow(nnd_trained_mode start, double target, double ratio, double time,
                           nnd_trained_mode *end, double *slope);

NND_API_END

#endif
