/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Gradient flow of a simulated network: the explicit Runge-Kutta pair of order 5(4) of Dormand and
 * Prince with adaptive steps, over all weights.
 */
#ifndef NNDMFT_VALIDATE_RUNGE_KUTTA_H
#define NNDMFT_VALIDATE_RUNGE_KUTTA_H

#include <stddef.h>

#include "nndmft/context.h"

/** dy/dt of n numbers. */
typedef void (*nnd_flow_fn)(void *user, const double *y, double *dydt);

typedef struct {
    size_t n;
    nnd_flow_fn rate;
    void *user;
    double rtol, atol; /**< error of a step against atol + rtol |y_i| */
    double t, h;       /**< where it stands; next step, 0: to be chosen */
    size_t steps, max_steps;
    double *y;    /**< n numbers, owned by the caller */
    double *work; /**< 8 n numbers: the stages, and the end of a step */
} nnd_runge_kutta_flow;

/** Room for a flow of n numbers; `y` is the caller's. Free with nnd_runge_kutta_clear. */
NND_MUST_USE nnd_status nnd_runge_kutta_make(nnd_context *ctx, size_t n, nnd_runge_kutta_flow *f);
void nnd_runge_kutta_clear(nnd_runge_kutta_flow *f);
/** Back to t = 0 with new values in y. */
void nnd_runge_kutta_restart(nnd_runge_kutta_flow *f);
/**
 * Goes on to time t. NND_NOT_CONVERGED when max_steps are used up or the flow leaves the finite
 * numbers: y then holds the last good values, at time f->t.
 */
NND_MUST_USE nnd_status nnd_runge_kutta_advance(nnd_context *ctx, nnd_runge_kutta_flow *f,
                                                double t);

#endif
