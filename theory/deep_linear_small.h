/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Deep linear networks as a small network in coordinates that grow as they are needed
 * (deep-linear.md#s2): plain gradient descent of a network with few units, which in the limit has
 * all order parameters of the large one.
 */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_SMALL_H
#define NNDMFT_THEORY_DEEP_LINEAR_SMALL_H

#include "nndmft/deep_linear.h"
#include "nndmft/solvers/conditioned.h"

enum { NND_SMALL_STAGES = 4 };

/** Fields of one evaluation of the gradient. */
typedef struct {
    nnd_known_vector *g;              /**< g[0..L]; g[0] = gamma beta before centring */
    nnd_known_vector *h;              /**< h[0..L]; h[0] is delta when online */
    nnd_known_vector delta, residual; /**< beta* - beta; Delta/sqrt(P), of fixed data only */
} nnd_small_fields;

/** The network: its parts by their identifiers in the system. */
typedef struct {
    const nnd_deep_linear *params;
    size_t depth;     /**< L */
    double gamma;     /**< output multiplier */
    double inv_alpha; /**< 1/alpha, 0 online */
    double tolerance; /**< of what is dropped, relative to the longest field */
    double *c;        /**< L + 1 spike strengths c_l */
    double kappa;     /**< what decay has left of the initial weights */
    nnd_conditioned *system;
    nnd_known_space *space;  /**< L + 2: inputs, layers 1..L, samples */
    nnd_known_matrix *a, z;  /**< A_0..A_{L-1}; X/sqrt(P), of fixed data only */
    nnd_known_block *v;      /**< with momentum: velocities of A_l */
    nnd_known_vector target; /**< beta* */
    nnd_known_vector readout, readout_velocity;
    nnd_known_vector label_noise; /**< sigma_epsilon e, of fixed data only */
    nnd_known_vector start;       /**< g_0(0), if centred */
    bool started;                 /**< whether it is known */
    size_t stages;
    nnd_small_fields fields[NND_SMALL_STAGES];
} nnd_small;

/** A network before its first step, with the fields of `stages` evaluations. Free with
 * nnd_small_clear in any case. */
NND_MUST_USE nnd_status nnd_small_make(nnd_context *ctx, const nnd_deep_linear *p, double tolerance,
                                       size_t stages, nnd_small *n);
/** Frees what the struct holds and zeroes it. */
void nnd_small_clear(nnd_small *n);

/** Fields of the present weights, as stage number `stage` (deep-linear.md#s2-3). */
NND_MUST_USE nnd_status nnd_small_evaluate(nnd_small *n, size_t stage);
/** Moves the weights by `weight` times the gradient found at a stage. */
void nnd_small_move(nnd_small *n, size_t stage, double weight);
/** A step of descent with momentum and decay by stage 0, its rate multiplied by `rate`. */
void nnd_small_descend(nnd_small *n, double rate);

/** What changes of weights are measured in: 1, or where outputs are larger, what they come down to,
 * gamma over the product of sigma (centred: gamma). */
double nnd_small_output_unit(const nnd_small *n);
/** Weights k_l of the NTK at stage 0 (deep-linear.md#s4). */
double nnd_small_ntk_weight(const nnd_small *n, size_t l);

/** Of stage 0: |beta* - beta|^2 and |Delta|^2/P, the latter of a fresh batch where there is one. */
double nnd_small_test_risk(const nnd_small *n);
double nnd_small_train_mse(const nnd_small *n);
/** beta . beta* and |beta|^2 of stage 0. */
double nnd_small_overlap(const nnd_small *n);
double nnd_small_beta_norm2(const nnd_small *n);
/** |g_l|^2 and |h_l|^2 of stage 0, l = 0..L. */
double nnd_small_g_norm2(const nnd_small *n, size_t l);
double nnd_small_h_norm2(const nnd_small *n, size_t l);

#endif
