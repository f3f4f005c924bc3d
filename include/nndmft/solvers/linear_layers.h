/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Leading fluctuations, over large Gaussian matrices, of a chain of vectors and matrices that
 * descends a quadratic loss (deep-fluctuations.md#s2). With layers l = 1..depth of N_l = ratio_l N
 * sites and <a b>_l the mean over the sites of one,
 *     h^1_mu = sigma W0 x_mu,  h^{l+1} = M^l h^l,  g^depth = sigma w,  g^l = M^lT g^{l+1} (in <>),
 *     f_mu = <h^1_mu g^1>_1/gamma0,  Delta = targets - f (with `center` f less f(0)),
 *     M^l += c g^{l+1} <s^l .>_l,  g^depth += c s^depth,  h^1_mu += c sum_nu gram(mu,nu) Delta_nu
 * g^1 where s^l = sum_{mu <= train} Delta_mu h^l_mu and c = lr gamma0 sigma^2/train. At the start
 * all weights are independent and normal: <h^1_mu h^1_nu> = sigma^2 gram(mu,nu), entries of M^l
 * have the variance sigma^2/N_l.
 */
#ifndef NNDMFT_SOLVERS_LINEAR_LAYERS_H
#define NNDMFT_SOLVERS_LINEAR_LAYERS_H

#include "nndmft/api.h"
#include "nndmft/solvers/influence.h"

NND_API_BEGIN

/** The problem; all pointers are borrowed. */
typedef struct {
    size_t depth;          /**< >= 1 */
    const double *ratio;   /**< depth; each > 0 */
    size_t train, points;  /**< 1 <= train <= points */
    const double *gram;    /**< points x points, positive semi-definite */
    const double *targets; /**< train */
    double gamma0, sigma, lr;
    const nnd_rates *schedule; /**< multipliers of lr; NULL: 1 */
    bool center;
    const nnd_timegrid *grid; /**< recorded steps; the last one ends the run */
    bool kernels;             /**< whether kernels are observed */
    bool bias, two_time;      /**< whether these are wanted */
    /** Fields are followed up to residues shorter than this, relative to their derivatives (of
     * those themselves to 1/100 of it). Means, variances and biases are off by about ten times its
     * square. */
    double tolerance;
} nnd_linear_layers;

/**
 * Number of observables: outputs at all points, and with kernels, for the pairs mu >= nu of
 * training points (nnd_pair_index) and K = sigma^2 sum_{l=0..depth} <g^{l+1} g^{l+1}> <h^l h^l>, K
 * of the pairs; K of test and training points (tests x train); <h^l h^l> of the pairs, layer after
 * layer; <g^l g^l>, one for each layer.
 */
size_t nnd_linear_layers_observables(const nnd_linear_layers *p);

/** What a run took. */
typedef struct {
    size_t largest_rank; /**< of the layers: independent vectors that what is followed spans */
    size_t directions;   /**< of fluctuation */
} nnd_linear_layers_report;

/**
 * The fluctuations of f and the kernels, exact to rounding and `tolerance`. Fills all results but
 * `noise` and `response`. NND_DIVERGED if f ceases to be sound; NND_E_MEMORY if the fields span too
 * much. Same bits for any number of threads.
 */
NND_MUST_USE nnd_status nnd_linear_layers_run(nnd_context *ctx, const nnd_linear_layers *p,
                                              nnd_fluctuations *out,
                                              nnd_linear_layers_report *report);
/**
 * Bytes held by `threads` threads and floating-point operations done, about: how many directions
 * the fields of a run span is known when it is done only. Needs no gram and no targets.
 */
void nnd_linear_layers_cost(const nnd_linear_layers *p, int threads, double *bytes, double *flops);

NND_API_END

#endif
