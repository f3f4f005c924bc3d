/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Initial value problems dy/dt = f(t, y) with adaptive steps, output at given times and events.
 *
 * Two one-step methods: Prince and Dormand's explicit Runge-Kutta pair of order 8 (GSL's odeiv2),
 * and for stiff problems the extrapolated linearly implicit midpoint rule (Bader and Deuflhard,
 * Numer. Math. 41 (1983) 373), whose order follows from the tolerance. The output is dense: the
 * value at a time inside a step is one shorter step from its beginning, hence as accurate as the
 * steps themselves, and the times asked for do not change the steps taken (but for the last one).
 * A range of many decades is best integrated over log t.
 *
 * The tolerance is that of a step. Over smooth solutions the error at the end is of its order;
 * stiff transitions magnify it (a thousand times in van der Pol's jumps).
 *
 * A solver is made once (all its memory) and run any number of times; it has no state outside.
 */
#ifndef NNDMFT_SOLVERS_ODE_H
#define NNDMFT_SOLVERS_ODE_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Writes dy/dt. False: not defined there, and a shorter step is tried. */
typedef bool (*nnd_ode_fn)(double t, const double *y, double *dydt, void *user);

/** Writes df_i/dy_j to dfdy[i dim + j] and df_i/dt to dfdt[i]. False: not defined there. */
typedef bool (*nnd_ode_jacobian_fn)(double t, const double *y, double *dfdy, double *dfdt,
                                    void *user);

/** A function whose change of sign along the solution is an event: the run ends there. */
typedef double (*nnd_ode_event_fn)(double t, const double *y, void *user);

typedef struct {
    nnd_ode_event_fn value;
    int direction; /**< 1: from negative to positive only; -1: the other way; 0: both */
} nnd_ode_event;

/** Zero-initialise, then set what differs from the default. */
typedef struct {
    size_t dim; /**< unknowns, at least 1 */
    nnd_ode_fn rhs;
    nnd_ode_jacobian_fn jacobian; /**< stiff: NULL for finite differences */
    void *user;                   /**< handed to the callbacks */
    bool stiff;
    double rtol;             /**< allowed error of a step relative to |y_i|; 0: 1e-10 */
    double atol;             /**< and absolute; an error is measured against atol_i + rtol |y_i| */
    const double *atol_each; /**< dim absolute tolerances instead of `atol`; copied */
    double first_step, max_step; /**< lengths; 0: chosen, no limit */
    size_t max_steps;            /**< of a run, accepted and rejected; 0: 1000000 */
    size_t event_count;
    const nnd_ode_event *events; /**< copied */
} nnd_ode_options;

/** What a run took. */
typedef struct {
    size_t steps, rejected;   /**< steps taken, and steps tried in vain */
    size_t evaluations;       /**< of the right-hand side, those of finite differences included */
    size_t jacobians;         /**< evaluations of the Jacobian */
    size_t factorizations;    /**< of the matrix of the implicit method */
    double reached;           /**< the time up to which the solution is known */
    double shortest, longest; /**< step */
    bool stopped;             /**< by an event */
} nnd_ode_stats;

typedef struct nnd_ode nnd_ode;

/** A solver. NND_E_INPUT if an option makes no sense. Owned by the caller. */
NND_MUST_USE nnd_status nnd_ode_new(nnd_context *ctx, const nnd_ode_options *options,
                                    nnd_ode **ode);
/** Frees a solver; NULL is allowed. */
void nnd_ode_free(nnd_ode *ode);

/**
 * Integrates from (t0, y0) to the last of `count` times and writes the solution at all of them to
 * `y` (count x dim). The times ascend or descend away from t0, which may be the first of them.
 * Rows that were not reached (an event, or NND_NOT_CONVERGED: the steps became too short
 * or too many) are NaN. Two sign changes of one event within one step are not seen; `max_step`
 * bounds that. NND_E_UNSOLVED if f is not defined at the start, NND_E_INTERRUPTED if the context
 * is.
 */
NND_MUST_USE nnd_status nnd_ode_run(nnd_ode *ode, double t0, const double *y0, size_t count,
                                    const double *t, double *y);

/** What the last run took. */
nnd_ode_stats nnd_ode_statistics(const nnd_ode *ode);

NND_API_END

#endif
