/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Products with the Hessian of a network's loss R = weight * sum_mu (f_mu - y_mu)^2 in its trained
 * weights, by differentiating the forward and the backward pass in a direction (Pearlmutter, Neural
 * Comput. 6 (1994) 147). One network of one output with any activations.
 */
#ifndef NNDMFT_VALIDATE_HESSIAN_H
#define NNDMFT_VALIDATE_HESSIAN_H

#include "validate/network.h"

/** Weights of layers whose rate is 0 are not trained; the others count in the order of layers. */
typedef struct {
    nnd_network *net; /**< borrowed, of one network without `start` */
    const double *y;  /**< targets, borrowed; samples */
    double weight;
    size_t count;        /**< trained weights */
    double *seed;        /**< dR/df; samples */
    double **h_change;   /**< per layer, along the direction: of h, phi, dR/dh */
    double **phi_change; /**< the same array as h_change for the identity */
    double **g_change;
    double **bend; /**< phi''(h) dR/dphi; NULL for the identity */
} nnd_hessian;

/** Frees with nnd_hessian_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_hessian_make(nnd_context *ctx, nnd_network *net, const double *y,
                                         double weight, nnd_hessian *hessian);
void nnd_hessian_clear(nnd_hessian *hessian);
/** Turns to the present weights of the network: runs its passes. Returns the loss. */
double nnd_hessian_set(nnd_hessian *hessian);
/** Gradient of R, `count` numbers. */
void nnd_hessian_gradient(const nnd_hessian *hessian, double *gradient);
/** y = H x, `count` numbers each; `hessian` is an nnd_hessian *. */
void nnd_hessian_times(void *hessian, const double *x, double *y);

#endif
