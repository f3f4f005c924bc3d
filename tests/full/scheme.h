/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Linear integration schemes as queries (deep-linear.md#s1-1). At query q a
 * weight is
 *     A(q) = kappa_q A(0) + sum_{p<q} omega_qp u_p,
 * where u_p is the update direction found at query p. Gradient descent (with a schedule, heavy-ball
 * momentum and decoupled decay) has one query per step, explicit Runge-Kutta methods one per stage;
 * a last query evaluates the end.
 */
#ifndef NNDMFT_SOLVERS_SCHEME_H
#define NNDMFT_SOLVERS_SCHEME_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/context.h"
#include "nndmft/solvers/runge_kutta.h"

/** What defines a scheme. */
typedef struct {
    size_t steps;
    bool flow;              /**< Runge-Kutta; else gradient descent */
    double momentum, decay; /**< gd: heavy ball m, decoupled decay lambda per step */
    const double *schedule; /**< gd: multipliers of the learning rate; the last one holds on */
    size_t schedule_count;  /**< 0: no schedule */
    nnd_runge_kutta method; /**< flow */
    double dt;              /**< flow: length of a step */
} nnd_scheme_options;

typedef struct nnd_scheme nnd_scheme;

/** Queries per step: 1 for gd, the number of stages for flow. Step k is query k * stages. */
size_t nnd_scheme_stages(const nnd_scheme_options *options);
/** Queries of the whole run, steps * stages + 1. */
size_t nnd_scheme_queries(const nnd_scheme_options *options);

/** A scheme standing at query 0. `options` is copied, the schedule is not. Owned by the caller. */
NND_MUST_USE nnd_status nnd_scheme_new(nnd_context *ctx, const nnd_scheme_options *options,
                                       nnd_scheme **scheme);
/** Frees a scheme; NULL is allowed. */
void nnd_scheme_free(nnd_scheme *scheme);
/** kappa of the query it stands at. */
double nnd_scheme_kappa(const nnd_scheme *scheme);
/** omega of the query it stands at, a view of as many numbers as there are earlier queries. */
const double *nnd_scheme_omega(const nnd_scheme *scheme);
/** Goes on to the next query. */
void nnd_scheme_advance(nnd_scheme *scheme);

#endif
