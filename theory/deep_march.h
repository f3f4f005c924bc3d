/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The query march of a deep network of any activation with weights of the sites, and its influence
 * functions (deep-fluctuations.md#s6, deep-fluctuations.md#s7): a network of width N is, in law,
 * this march with N independent sites, so that an observable is a function F of the empirical
 * measures of the layers, and N Cov(O, O') = sum_l N/N_l <I_l I'_l>, I_l(i) = S dO/dw_l(i) less its
 * mean over sites.
 */
#ifndef NNDMFT_THEORY_DEEP_MARCH_H
#define NNDMFT_THEORY_DEEP_MARCH_H

#include "nndmft/activation.h"
#include "nndmft/batch.h"
#include "nndmft/rates.h"
#include "nndmft/solvers/sobol.h"

/** What is trained; all arrays borrowed. */
typedef struct {
    size_t depth, samples, points, steps; /**< L; P; with test points, which come last; T */
    const double *gram;                   /**< K^x, points x points */
    const double *targets;                /**< P */
    const nnd_activation *activation;
    double gamma0, lr, sigma_w;
    const nnd_rates *schedule; /**< multipliers of lr; NULL: 1 */
    const double *widths;      /**< N_l/N, L */
    bool center;               /**< f(t) - f(0) is what is trained */
    bool kernels;              /**< backward fields of test points are wanted */
    nnd_batch batch;
} nnd_deep_problem;

/** How one march samples its sites. */
typedef struct {
    size_t sites;
    double rank_tol;
    double lost;          /**< largest move of a dropped residue that may be left, NND_DEEP_LOST */
    size_t together;      /**< observables of one nnd_deep_influence, at most */
    double held;          /**< bytes beside the march, which count when memory is checked */
    const nnd_sobol *net; /**< of as many points */
    nnd_rng_key key;
} nnd_deep_sampling;

/** Observables at one step. */
typedef enum {
    NND_DEEP_OUTPUT, /**< f_mu */
    NND_DEEP_NTK,    /**< K_mu,nu = sigma_w^2 sum_l G^{l+1} Phi^l */
    NND_DEEP_H,      /**< Gram matrices of layer `layer` = 0 .. L-1 */
    NND_DEEP_PHI,
    NND_DEEP_G
} nnd_deep_kind;

typedef struct {
    nnd_deep_kind kind;
    size_t layer, mu, nu; /**< points; of NND_DEEP_OUTPUT mu alone */
} nnd_deep_observable;

typedef struct nnd_deep_march nnd_deep_march;

/** A march that would leave too much is made anew with so much of rank_tol: moves of short residues
 * fall with it, those of residues that vanish in the mean do not (deep-fluctuations.md#s9). */
#define NND_DEEP_FINER 0.25

/** Moves of dropped residues below this are of the size that rank_tol leaves on generic data. */
#define NND_DEEP_LOST 0.03

/** Looks at a march at a step, before its update. */
typedef nnd_status (*nnd_deep_look)(void *data, nnd_deep_march *march, size_t step);

/** A march that has not begun; borrows problem and sampling. Owned by the caller. */
NND_MUST_USE nnd_status nnd_deep_march_new(nnd_context *ctx, const nnd_deep_problem *problem,
                                           const nnd_deep_sampling *sampling,
                                           nnd_deep_march **march);
/** Frees a march; NULL is allowed. */
void nnd_deep_march_free(nnd_deep_march *march);

/** Marches through all steps, with a look at each. NND_DIVERGED: at step *diverged, not looked at.
 * NND_E_LIMIT: too many directions, for the memory or for the sites. */
NND_MUST_USE nnd_status nnd_deep_march_run(nnd_deep_march *march, nnd_deep_look look, void *data,
                                           size_t *diverged);
/** The same again under weights of the sites (L x sites; mean 1), with the same noise and the same
 * directions. Afterwards there are no influence functions to be had. */
NND_MUST_USE nnd_status nnd_deep_march_replay(nnd_deep_march *march, const double *weight,
                                              nnd_deep_look look, void *data);

/**
 * The largest move of a dropped residue that no direction follows, after a run: in units of a
 * fluctuation, relative to the vector that moves (deep-fluctuations.md#s9). A run that would leave
 * more than it may drops less, and if that is no help asks for moves, too.
 */
double nnd_deep_march_lost(const nnd_deep_march *march);

/** Values of observables at the step that is looked at. */
void nnd_deep_observe(const nnd_deep_march *march, size_t n, const nnd_deep_observable *o,
                      double *value);

/**
 * Influence functions of n observables at `step`, after a run: L x n x sites, each with mean 0.
 */
NND_MUST_USE nnd_status nnd_deep_influence(nnd_deep_march *march, size_t step, size_t n,
                                           const nnd_deep_observable *o, double *influence);
/** Number of sites of a layer. */
size_t nnd_deep_sites(const nnd_deep_march *march);
/** Memory at its highest of a march that finds the directions which this one found, and of
 * nnd_deep_influence of n observables, with so many sites. */
double nnd_deep_march_bytes(const nnd_deep_march *march, size_t n, size_t sites);
/** Directions of matrix l (from layer l to l + 1 of 0 .. L-1): forward and backward. */
void nnd_deep_ranks(const nnd_deep_march *march, size_t l, size_t rank[2]);
/** Multiply-adds in products with vectors over sites so far. */
double nnd_deep_work(const nnd_deep_march *march);

#endif
