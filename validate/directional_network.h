/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A deep linear network of real weight matrices that is trained on the logistic loss. The loss
 * depends on the weights through the predictor w = (W_L ... W_1)^T alone, so every gradient is
 * that of the network's output on the one input `force` = -grad loss at w.
 */
#ifndef NNDMFT_VALIDATE_DIRECTIONAL_NETWORK_H
#define NNDMFT_VALIDATE_DIRECTIONAL_NETWORK_H

#include "validate/directional_data.h"
#include "validate/network.h"

typedef struct {
    const nnd_directional *params;
    nnd_directional_data data;
    nnd_network net;   /**< one network, one input */
    size_t dim, units; /**< inputs; width of the hidden layers */
    double *w, *force; /**< the predictor and the force on it, at the present weights */
    double *scratch;
} nnd_directional_network;

double nnd_directional_network_bytes(const nnd_directional *p);
/** Free with nnd_directional_network_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_directional_network_make(nnd_context *ctx, const nnd_directional *p,
                                                     nnd_directional_network *n);
void nnd_directional_network_clear(nnd_directional_network *n);

/** Draws data and initial weights: those of the case in a random orientation. */
void nnd_directional_network_draw(nnd_directional_network *n, nnd_rng_key key);
/** w and force at the present weights, ready for this step (whose batch it draws); with `measure`
 *  also the loss. */
void nnd_directional_network_evaluate(nnd_directional_network *n, size_t step, bool measure);
/** The step of gradient descent after an evaluation for it. */
void nnd_directional_network_step(nnd_directional_network *n, size_t step);
/** Time derivatives of all weights under gradient flow, laid out as net.weights, after an
 *  evaluation. */
void nnd_directional_network_rate(nnd_directional_network *n, double *rate);
/** Time derivative of w under gradient flow (dim numbers), after an evaluation. */
void nnd_directional_network_velocity(nnd_directional_network *n, double *velocity);

#endif
