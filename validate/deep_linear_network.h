/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A real deep linear network with its data and optimizer: f(x) = a . A_{L-1} ... A_0 x / gamma
 * (deep-linear.md#s1), trained on loss |y - f|^2/(2P).
 */
#ifndef NNDMFT_VALIDATE_DEEP_LINEAR_NETWORK_H
#define NNDMFT_VALIDATE_DEEP_LINEAR_NETWORK_H

#include <stdint.h>

#include "core/rng.h"
#include "nndmft/deep_linear.h"
#include "validate/weights.h"

typedef struct {
    const nnd_deep_linear *params;
    size_t depth, inputs, width, samples; /**< L, D, N, P (0 online) */
    nnd_rng_key key;
    double gamma;
    nnd_window window;
    nnd_weights *layer;   /**< L + 1: A_0..A_{L-1} and the readout (one row) */
    double *target;       /**< beta*, D */
    double *start;        /**< predictor at initialisation, to be subtracted if centred; D */
    double *x, *y;        /**< P x D, P; of fixed data */
    double *residual;     /**< Delta, P (or a tile of it for fresh data) */
    double **backward;    /**< g_0..g_{L+1}; g_{L+1} = 1 */
    double **forward;     /**< h_0..h_L */
    double *beta, *error; /**< predictor (centred); beta* - beta */
    double *tile;         /**< rows of fresh data */
    double *scratch;
    double mse; /**< |Delta|^2/P at the last evaluation */
} nnd_deep_linear_network;

/** Memory and operations of training one network. */
double nnd_deep_linear_network_bytes(const nnd_deep_linear *p, size_t inputs);
double nnd_deep_linear_network_flops(const nnd_deep_linear *p, size_t inputs);
/** Operations of one pass: every weight and the data used twice. */
double nnd_deep_linear_pass_flops(const nnd_deep_linear *p, size_t inputs);
/** N and P at a given D. */
size_t nnd_deep_linear_width(const nnd_deep_linear *p, size_t inputs);
size_t nnd_deep_linear_samples(const nnd_deep_linear *p, size_t inputs);

/** Divisor of the output, gamma. */
double nnd_deep_linear_gamma(const nnd_deep_linear *p);
/** Learning rate of the weights W_l, eta0 gamma^2 D; of flow: per unit of time. */
double nnd_deep_linear_raw_rate(const nnd_deep_linear *p, size_t inputs);
/** A_l = scale W_l. */
double nnd_deep_linear_scale(const nnd_deep_linear *p, size_t inputs, size_t l);

/** Allocates a network; nnd_deep_linear_network_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_deep_linear_network_make(nnd_context *ctx, const nnd_deep_linear *p,
                                                     size_t inputs, nnd_deep_linear_network *net);
void nnd_deep_linear_network_clear(nnd_deep_linear_network *net);
/** Draws target, data and weights of one seed. */
void nnd_deep_linear_network_draw(nnd_deep_linear_network *net, nnd_rng_key key);
/** Forward and backward pass at the present weights: all fields, predictor, residual. */
void nnd_deep_linear_network_evaluate(nnd_deep_linear_network *net, size_t step);
/** Room for so many more pending updates; the weights stay what they are. */
void nnd_deep_linear_network_make_room(nnd_deep_linear_network *net, size_t updates);
/** The gradient step found by the last evaluation becomes a pending update, of weight 0. Returns
 * its number. */
size_t nnd_deep_linear_network_push(nnd_deep_linear_network *net);
/** One step of gradient descent from an evaluated network, which is left at unevaluated weights. */
void nnd_deep_linear_network_step(nnd_deep_linear_network *net, size_t step);

#endif
