/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A block of real multilayer perceptrons with their data (wide-mlp.md#s13): all initial weights and
 * biases of hidden layers standard normal, trained on the mean loss of the batch by descent with
 * momentum and decay, or by gradient flow.
 */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_NETWORK_H
#define NNDMFT_VALIDATE_WIDE_MLP_NETWORK_H

#include "nndmft/wide_mlp.h"
#include "validate/network.h"
#include "validate/wide_mlp_loss.h"

enum { NND_WIDE_MAX_LAYERS = 101 };

typedef struct {
    const nnd_wide_mlp *params;
    nnd_context *ctx;
    size_t width, depth, outputs, training, tests; /**< N, L, C, P, test samples */
    nnd_dataset set;
    nnd_schedule schedule;
    nnd_network net;     /**< samples: training ones, then test ones */
    double *weight;      /**< P, of the samples in the present gradient */
    double *delta;       /**< networks x P x C, -d loss/d f */
    double *coefficient; /**< networks x C x samples, delta times weights and rates */
    double *loss;        /**< networks; mean over all training samples */
    double *columns;     /**< scratch of orthonormal_init, else NULL */
    double *velocity;    /**< with momentum, else NULL */
    double *first;       /**< weights at t = 0, with decay of centred networks, else NULL */
    double *decayed;     /**< those times kappa, scratch */
    double kappa;        /**< what decay has left of the initial weights */
} nnd_wide_block;

/** gamma0, over sqrt(N) in NTK and in standard parameterization. */
double nnd_wide_gamma(const nnd_wide_mlp *p, size_t width);
/** eta0, 1 for flow. */
double nnd_wide_rate(const nnd_wide_mlp *p);
/** Plan of a block; `layer` has room for NND_WIDE_MAX_LAYERS. */
nnd_network_plan nnd_wide_plan(const nnd_wide_mlp *p, size_t width, size_t networks,
                               nnd_layer_plan *layer);
/** Memory of a block of that plan. */
double nnd_wide_block_bytes(const nnd_wide_mlp *p, const nnd_network_plan *plan);

/** Allocates a block and makes its data; nnd_wide_block_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_wide_block_make(nnd_context *ctx, const nnd_wide_mlp *p, size_t width,
                                            size_t networks, nnd_wide_block *block);
void nnd_wide_block_clear(nnd_wide_block *block);
/** Initial weights; network b has the seed key.seed + b. */
NND_MUST_USE nnd_status nnd_wide_block_draw(nnd_wide_block *block, nnd_rng_key key);
/** All fields forward, residuals and losses at the present weights; with one output also backward,
 *  of f itself. */
void nnd_wide_block_evaluate(nnd_wide_block *block);
/** Step `step` of descent from an evaluated block, which it leaves unevaluated. */
void nnd_wide_block_step(nnd_wide_block *block, size_t step);

/** Numbers of the state of a flow: the weights, and kappa. */
size_t nnd_wide_block_state(const nnd_wide_block *block);
/** Puts the block at a state, evaluated; and its rate of change in the time eta0 t. */
void nnd_wide_block_set(nnd_wide_block *block, const double *state);
void nnd_wide_block_flow(nnd_wide_block *block, const double *state, double *rate);

/** Outputs of network b on training samples, or on test samples. */
nnd_wide_outputs nnd_wide_block_outputs(const nnd_wide_block *block, size_t b);
nnd_wide_outputs nnd_wide_block_tests(const nnd_wide_block *block, size_t b);

#endif
