/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Explicit Runge-Kutta methods by their Butcher arrays (deep-linear.md#s1-1). */
#ifndef NNDMFT_SOLVERS_RUNGE_KUTTA_H
#define NNDMFT_SOLVERS_RUNGE_KUTTA_H

#include <stddef.h>

#include "nndmft/api.h"

NND_API_BEGIN

/** Explicit Runge-Kutta methods of order 1, 2, 4 and 5; the last one is Dormand and Prince's pair,
 * whose last stage is the first one of the next step. */
typedef enum { NND_RK_EULER, NND_RK_HEUN, NND_RK_RK4, NND_RK_DORMAND_PRINCE } nnd_runge_kutta;

/** Stages of a method. */
size_t nnd_runge_kutta_stages(nnd_runge_kutta method);
/** Weights of the first `stage` stages in what stage number `stage` is evaluated at; for stage =
 * the number of stages, those of the whole step. */
const double *nnd_runge_kutta_weights(nnd_runge_kutta method, size_t stage);
/** Weights of the stages in the difference of the step and its companion of one order less; NULL if
 * the method has none. */
const double *nnd_runge_kutta_error_weights(nnd_runge_kutta method);

NND_API_END

#endif
