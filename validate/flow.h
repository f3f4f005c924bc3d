/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Gradient flow of simulated networks: dx/dt = f(x) over the flat array of their weights, by
 * Dormand and Prince's Runge-Kutta pair of order 5(4) with adaptive steps.
 */
#ifndef NNDMFT_VALIDATE_FLOW_H
#define NNDMFT_VALIDATE_FLOW_H

#include "nndmft/context.h"
#include "validate/dormand_prince.h"

/** Writes f(x), n numbers. */
typedef void (*nnd_flow_fn)(void *user, const double *x, double *rate);

typedef struct {
    size_t n;
    nnd_flow_fn rate;
    void *user;
    double rtol, atol; /**< allowed error of a step: atol + rtol |x_i| for each number */
    size_t max_steps;  /**< tried since the start; no limit as made */
    double last;       /**< the time that it is to reach in the end, if later than the next; 0 */
    nnd_dp_walk walk;
    double *x;    /**< n numbers at the time walk.t */
    double *work; /**< 8 n numbers: the stages, of which the first is the rate of x; a trial */
} nnd_flow;

/** Frees with nnd_flow_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_flow_make(nnd_context *ctx, size_t n, nnd_flow_fn rate, void *user,
                                      double rtol, double atol, nnd_flow *flow);
void nnd_flow_clear(nnd_flow *flow);
/** Bytes of a flow of n numbers. */
double nnd_flow_bytes(double n);
/** Puts a copy of `x` at t = 0. */
void nnd_flow_start(nnd_flow *flow, const double *x);
/** Goes on to a later time. NND_NOT_CONVERGED when max_steps are used up, would be 1e7
 * (nnd_dp_is_endless) or become too short, as where the flow leaves the finite numbers: x then
 * holds the last good values. */
NND_MUST_USE nnd_status nnd_flow_advance(nnd_context *ctx, nnd_flow *flow, double to);

#endif
