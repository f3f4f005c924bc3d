/* SPDX-License-Identifier: GPL-3.0-or-later */
/** One step of the two methods behind ode.c. */
#ifndef NNDMFT_SOLVERS_ODE_STEP_H
#define NNDMFT_SOLVERS_ODE_STEP_H

#include "nndmft/solvers/ode.h"

typedef struct nnd_ode_stepper nnd_ode_stepper;

/** A stepper for the problem of the options, counting into `stats`. Owned by the caller. */
NND_MUST_USE nnd_status nnd_ode_stepper_new(nnd_context *ctx, const nnd_ode_options *options,
                                            nnd_ode_stats *stats, nnd_ode_stepper **stepper);
/** Frees a stepper; NULL is allowed. */
void nnd_ode_stepper_free(nnd_ode_stepper *s);

/** Order of the error estimate: it shrinks with this power of the step. */
double nnd_ode_stepper_order(const nnd_ode_stepper *s);
/** dy/dt, counted; false where it is not defined or not finite. */
bool nnd_ode_stepper_rhs(nnd_ode_stepper *s, double t, const double *y, double *dydt);
/** Turns to the start (t, y) of one or more steps, where dy/dt = f; false if it is no start. */
bool nnd_ode_stepper_begin(nnd_ode_stepper *s, double t, const double *y, const double *f);
/**
 * The solution a step h after the start, into `y`, and the estimate of its error, into `error`.
 * False where the right-hand side is not defined on the way.
 */
bool nnd_ode_stepper_step(nnd_ode_stepper *s, double h, double *y, double *error);

#endif
