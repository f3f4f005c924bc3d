/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Leading fluctuations of a population of N units that act on each other through their mean only
 * (fluctuations.md#s1). A unit has the state (h_1..h_points, w) and obeys, for t = 0, 1, ...,
 *     h_nu(t+1) = h_nu(t) + c sum_mu gram(nu,mu) Delta_mu(t) phi'(h_mu(t)) w(t),
 *     w(t+1)    = w(t) + c sum_mu Delta_mu(t) phi(h_mu(t)),       c = lr gamma0/train
 * times the multiplier of the rate at t, mu over the first `train` points, with Delta = targets - f
 * and f_mu = <w phi(h_mu)>/gamma0 the mean over units (with `center` minus its value at t = 0);
 * h(0) ~ N(0, gram), w(0) ~ N(0, 1). Everything is given at infinite N; what is said of order 1/N
 * is multiplied by N.
 */
#ifndef NNDMFT_SOLVERS_INFLUENCE_H
#define NNDMFT_SOLVERS_INFLUENCE_H

#include <stdint.h>

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/rates.h"
#include "nndmft/solvers/nodes.h"
#include "nndmft/timegrid.h"

NND_API_BEGIN

/** What is averaged over units. */
typedef enum {
    NND_OBSERVE_OUTPUT,   /**< w phi(h_mu)/gamma0 */
    NND_OBSERVE_NTK,      /**< phi_mu phi_nu + gram(mu,nu) w^2 phi'_mu phi'_nu */
    NND_OBSERVE_FEATURES, /**< phi_mu phi_nu */
    NND_OBSERVE_READOUT   /**< w^2 */
} nnd_observable_kind;

typedef struct {
    nnd_observable_kind kind;
    size_t mu, nu; /**< points */
} nnd_observable;

/** The problem; all pointers are borrowed. */
typedef struct {
    const nnd_activation *activation;
    size_t train, points;  /**< 1 <= train <= points */
    const double *gram;    /**< points x points, positive semi-definite */
    const double *targets; /**< train */
    double gamma0, lr;
    bool center;
    const nnd_timegrid *grid; /**< recorded steps; the last one ends the run */
    size_t observables;       /**< besides the outputs of the training points */
    const nnd_observable *observable;
    bool bias, two_time; /**< whether these are wanted; bias: not if activation has a kink */
    bool one_sided;      /**< kink: differences to one side of Delta only (nnd_influence_run) */
    const nnd_rates *schedule; /**< multipliers of lr; NULL: 1 */
} nnd_units;

/**
 * Results at the recorded times i, for the observables k = 0..observables-1 of which the first
 * `train` are the outputs f_mu of the training points, followed by those asked for. Views into one
 * array `data` of `count` numbers; what is not wanted is NULL.
 */
typedef struct {
    size_t times, train, observables;
    double *mean;     /**< times x observables */
    double *nvar;     /**< likewise: N variance */
    double *bias;     /**< likewise: N (expectation - mean) */
    double *ncov;     /**< times x train x observables: N Cov(f_mu, O_k) at equal times */
    double *two_time; /**< times x times x train x train: N Cov(f_mu(t), f_nu(s)) */
    double *noise;    /**< likewise: covariance of single units at fixed Delta */
    double *response; /**< likewise: d<f_mu(t)>/d Delta_nu(s), 0 unless s < t */
    size_t count;
    double *data;
    size_t diverged_at; /**< first step at which f is not sound, SIZE_MAX: none; then NaN */
} nnd_fluctuations;

/** Results of a given shape, all NaN. `diverged_at` is none. */
NND_MUST_USE nnd_status nnd_fluctuations_make(nnd_context *ctx, size_t times, size_t train,
                                              size_t observables, bool bias, bool two_time,
                                              nnd_fluctuations *out);
/** Frees results; a zeroed struct is allowed. */
void nnd_fluctuations_clear(nnd_fluctuations *out);
/** Bytes of such results. */
double nnd_fluctuations_bytes(size_t times, size_t train, size_t observables, bool bias,
                              bool two_time);

/** Bytes held by `threads` threads, and floating-point operations done, with `nodes` nodes. */
void nnd_influence_cost(const nnd_units *p, double nodes, int threads, double *bytes,
                        double *flops);

/**
 * The fluctuations by influence functions, with the nodes (dims = rank of gram + 1) as the
 * distribution of (h, w)(0). Exact for a population of such units; no iteration, no regularisation.
 * Responses are means of derivatives, or, if the activation has a kink, central differences of
 * means. Those of one side differ from them where a unit's velocity passes through zero, as when
 * sum_mu gram(nu,mu) Delta_mu = 0: <O> has no derivative there, and its fluctuations are not
 * linear. Returns NND_DIVERGED if f ceases to be sound; NND_E_INPUT for the bias of an activation
 * with a kink. Same bits for any number of threads.
 */
NND_MUST_USE nnd_status nnd_influence_run(nnd_context *ctx, const nnd_units *p,
                                          const nnd_nodes *nodes, nnd_fluctuations *out);

/** Number of dimensions of the nodes: those of the span of gram, and w. */
NND_MUST_USE nnd_status nnd_influence_dims(nnd_context *ctx, const nnd_units *p, size_t *dims);

/** What a run with several sets of nodes achieved. */
typedef struct {
    size_t nodes;     /**< number of units followed */
    size_t intervals; /**< per axis, of trapezoidal nodes */
    double error;     /**< largest difference between the two finest grids, relative to the largest
                           value of each curve */
} nnd_influence_report;

/**
 * With trapezoidal nodes: `intervals` per axis (even), compared with 3/4 as many; 0: refined until
 * two grids agree to `tolerance` or the grid is as fine as is sensible in so many dimensions, then
 * NND_NOT_CONVERGED. `se` gets the largest difference of each curve between the two finest grids,
 * at all its times: what the error of the coarser one is.
 */
NND_MUST_USE nnd_status nnd_influence_quadrature(nnd_context *ctx, const nnd_units *p,
                                                 size_t intervals, double tolerance,
                                                 nnd_fluctuations *out, nnd_fluctuations *se,
                                                 nnd_influence_report *report);
/**
 * Number of nodes of the finest grid, about, for which the rank of the Gram matrix need not be
 * known; all grids together cost *runs times as much.
 */
double nnd_influence_quadrature_nodes(const nnd_units *p, size_t intervals, double *runs);
/**
 * With scrambled Sobol nodes: `samples` (a power of two) in each of `replicates` >= 2 independent
 * sets; mean over the sets and its standard error. With a kink, what differences to
 * one side change is part of the standard error.
 */
NND_MUST_USE nnd_status nnd_influence_sampled(nnd_context *ctx, const nnd_units *p, size_t samples,
                                              size_t replicates, uint64_t seed,
                                              nnd_fluctuations *out, nnd_fluctuations *se,
                                              nnd_influence_report *report);

NND_API_END

#endif
