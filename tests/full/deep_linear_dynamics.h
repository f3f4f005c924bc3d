/* SPDX-License-Identifier: GPL-3.0-or-later */
/** State evolution of deep linear networks: the march of deep-linear.md#s2. */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_DYNAMICS_H
#define NNDMFT_THEORY_DEEP_LINEAR_DYNAMICS_H

#include "full/march.h"
#include "full/scheme.h"
#include "nndmft/deep_linear.h"

/** A march with the identifiers of everything in it. */
typedef struct {
    const nnd_deep_linear *params;
    size_t depth;     /**< L */
    double gamma;     /**< output multiplier */
    double inv_alpha; /**< 1/alpha, 0 online */
    double *c;        /**< L + 1 spike strengths c_l */
    size_t stages;    /**< queries per step */
    size_t done;      /**< queries finished */
    nnd_march *march;
    nnd_scheme *scheme;
    nnd_field *g;              /**< g[0..L]; g[0] = gamma beta before centring */
    nnd_field *h;              /**< h[0..L]; h[0] is delta when online */
    nnd_field delta, residual; /**< beta* - beta; Delta/sqrt(P), of fixed data only */
    nnd_matrix *a, z;          /**< A_0..A_{L-1}; X/sqrt(P) */
    nnd_primitive target, readout, label_noise, batch_noise;
    double *weight; /**< scratch: weights of a sum over queries */
} nnd_dynamics;

/** Sets the march up without allocating its history. Free with nnd_dynamics_clear in any case. */
NND_MUST_USE nnd_status nnd_dynamics_make(nnd_context *ctx, const nnd_deep_linear *p,
                                          nnd_dynamics *d);
/** Marches through all queries. NND_DIVERGED: stopped after d->done queries that are sound. */
NND_MUST_USE nnd_status nnd_dynamics_run(nnd_context *ctx, nnd_dynamics *d);
/** A scheme of its own, standing at query 0, for a second pass. Owned by the caller. */
NND_MUST_USE nnd_status nnd_dynamics_new_scheme(nnd_context *ctx, const nnd_dynamics *d,
                                                nnd_scheme **scheme);
/** Frees what the struct holds and zeroes it. */
void nnd_dynamics_clear(nnd_dynamics *d);

/** |beta* - beta|^2 and |Delta|^2/P at query q; the latter of a fresh batch, where there is one. */
double nnd_dynamics_test_risk(const nnd_dynamics *d, size_t q);
double nnd_dynamics_train_mse(const nnd_dynamics *d, size_t q);
/** beta . beta* at query q. */
double nnd_dynamics_overlap(const nnd_dynamics *d, size_t q);
/** beta(q) . beta(p). */
double nnd_dynamics_beta_gram(const nnd_dynamics *d, size_t q, size_t p);
/** g_l(q) . g_l(p) for l = 0..L, with g_0 = A_0^T g_1 = gamma beta (before centring). */
double nnd_dynamics_g_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p);
/** h_l(q) . h_l(p) for l = 0..L. */
double nnd_dynamics_h_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p);
/** Delta(q) . Delta(p)/P for fixed data. */
double nnd_dynamics_residual_gram(const nnd_dynamics *d, size_t q, size_t p);

#endif
