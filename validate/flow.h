/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Gradient flow of simulated networks: dx/dt = f(x) over the flat array of their weights, by
 * Dormand and Prince's Runge-Kutta pair of order 5(4) with adaptive steps.
 */
#ifndef NNDMFT_VALIDATE_FLOW_H
#define NNDMFT_VALIDATE_FLOW_H

#include <stddef.h>

#include "nndmft/context.h"

/** Writes f(x), n numbers. */
typedef void (*nnd_flow_fn)(void *user, const double *x, double *rate);

typedef struct {
    size_t n;
    nnd_flow_fn rate;
    void *user;
    double rtol, atol; /**< allowed error of a step: atol + rtol |x_i| for each number */
    double step;       /**< proposed length of the next step; 0: chosen */
    size_t taken, rejected;
    double *stage; /**< 7 x n */
    double *trial;
} nnd_flow;

/** Frees with nnd_flow_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_flow_make(nnd_context *ctx, size_t n, nnd_flow_fn rate, void *user,
                                      double rtol, double atol, nnd_flow *flow);
void nnd_flow_clear(nnd_flow *flow);
/** Takes x from one time to a later one. NND_NOT_CONVERGED, with x somewhere in between, if steps
 *  become too short or more than `max_steps` are needed. */
NND_MUST_USE nnd_status nnd_flow_advance(nnd_flow *flow, double from, double to, size_t max_steps,
                                         double *x);

#endif
