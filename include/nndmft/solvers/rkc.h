/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Stabilised explicit Runge-Kutta methods of order 2 (Sommeijer, Shampine and Verwer, RKC) for
 * dissipative equations y' = F(y), whose Jacobian has real eigenvalues in [-lambda, 0]: s stages
 * reach a step h with h lambda up to 0.65 s^2 (deep-linear.md#s1-1).
 *     Y_1 = y + mu_t_1 h F(y),
 *     Y_j = (1 - mu_j - nu_j) y + mu_j Y_{j-1} + nu_j Y_{j-2} + mu_t_j h F(Y_{j-1}) + g_j h F(y),
 * and the step ends at Y_s. Its error is about 0.8 (y - Y_s) + 0.4 h (F(y) + F(Y_s)).
 */
#ifndef NNDMFT_SOLVERS_RKC_H
#define NNDMFT_SOLVERS_RKC_H

#include <stddef.h>

#include "nndmft/api.h"

NND_API_BEGIN

/** Coefficients of a stage; of the first mu_t alone. */
typedef struct {
    double mu, nu, mu_t, gamma_t;
} nnd_rkc_stage;

/** A method of `stages` stages, of which number `stage` comes next. */
typedef struct {
    size_t stages, stage;
    double w0, w1;
    double t[2], d[2], e[2], a, b[2]; /**< of the last two stages */
} nnd_rkc;

/** Stages that a step needs, at least 2; `reach` is h lambda. */
size_t nnd_rkc_stages(double reach);
/** A method at its first stage. */
nnd_rkc nnd_rkc_begin(size_t stages);
/** Coefficients of the next stage. */
nnd_rkc_stage nnd_rkc_next(nnd_rkc *method);

NND_API_END

#endif
