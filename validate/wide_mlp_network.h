/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A block of real multilayer perceptrons with their data (wide-mlp.md#s1):
 *     f = (scale_L W_L) phi(scale_{L-1} W_{L-1} ... phi(scale_0 W_0 x)),
 * all initial weights standard normal, trained on the mean of (y - f)^2/2 over the batch.
 */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_NETWORK_H
#define NNDMFT_VALIDATE_WIDE_MLP_NETWORK_H

#include "nndmft/wide_mlp.h"
#include "validate/network.h"

enum { NND_WIDE_MAX_LAYERS = 101 };

typedef struct {
    const nnd_wide_mlp *params;
    nnd_context *ctx;
    size_t width, depth, training, tests; /**< N, L, P, test samples */
    nnd_dataset set;
    nnd_schedule schedule;
    nnd_network net;     /**< samples: training ones, then test ones */
    double *weight;      /**< P, of the samples in the present gradient */
    double *delta;       /**< networks x P, y - f */
    double *coefficient; /**< networks x samples */
    double *loss;        /**< networks; mean of delta^2/2 over all training samples */
    double *columns;     /**< scratch of orthonormal_init, else NULL */
} nnd_wide_block;

/** gamma0, over sqrt(N) in NTK parameterization. */
double nnd_wide_gamma(const nnd_wide_mlp *p, size_t width);
/** Plan of a block; `layer` has room for NND_WIDE_MAX_LAYERS. */
nnd_network_plan nnd_wide_plan(const nnd_wide_mlp *p, size_t width, size_t networks,
                               nnd_layer_plan *layer);

/** Allocates a block and makes its data; nnd_wide_block_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_wide_block_make(nnd_context *ctx, const nnd_wide_mlp *p, size_t width,
                                            size_t networks, nnd_wide_block *block);
void nnd_wide_block_clear(nnd_wide_block *block);
/** Initial weights; network b has the seed key.seed + b. */
NND_MUST_USE nnd_status nnd_wide_block_draw(nnd_wide_block *block, nnd_rng_key key);
/** All fields, residuals and losses at the present weights. */
void nnd_wide_block_evaluate(nnd_wide_block *block);
/** Step `step` of descent from an evaluated block, which it leaves unevaluated. */
void nnd_wide_block_step(nnd_wide_block *block, size_t step);

#endif
