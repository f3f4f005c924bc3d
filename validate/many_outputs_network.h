/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A two-layer linear network with its target and data, in canonical variables (many-outputs.md#s1):
 * f = A W x/gamma learns y = W_* x + noise from all x ~ N(0, 1), or from P samples. All matrices
 * are row-major.
 */
#ifndef NNDMFT_VALIDATE_MANY_OUTPUTS_NETWORK_H
#define NNDMFT_VALIDATE_MANY_OUTPUTS_NETWORK_H

#include "core/rng.h"
#include "nndmft/many_outputs.h"

/** Counts of a size. */
typedef struct {
    size_t width, outputs, inputs; /**< N, C, D */
    size_t samples;                /**< P; 0: the population */
} nnd_outputs_shape;

typedef struct {
    const nnd_many_outputs *params;
    nnd_outputs_shape shape;
    double gamma, rate_w, rate_a; /**< rates of a step of descent, or of the flow */
    double *a, *w;                /**< C x N, N x D */
    double *old_a;                /**< A before a step; NULL where it is fixed */
    double *target;               /**< W_*, C x D */
    double *gradient;             /**< C x D: A^T times this is minus the gradient by W */
    double *second;               /**< X X^T/P, D x D; NULL: the identity */
    double *noise;                /**< noise X^T/P, C x D; NULL with `second` */
    double noise2;                /**< |noise|^2/P */
    double *error;                /**< gamma W_* - A W, C x D */
    double *chunk, *labels;       /**< scratch for samples */
} nnd_outputs_network;

/** Counts at a size; 0: those of the parameters. */
nnd_outputs_shape nnd_outputs_shape_at(const nnd_many_outputs *params, size_t size);
/** How many singular values of the target are the k-th listed one. */
size_t nnd_outputs_copies(const nnd_many_outputs *params, const nnd_outputs_shape *shape, size_t k);

/** Room for a network; free with nnd_outputs_network_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_outputs_network_make(nnd_context *ctx, const nnd_many_outputs *params,
                                                 size_t size, nnd_outputs_network *net);
void nnd_outputs_network_clear(nnd_outputs_network *net);
/** Bytes of that. */
double nnd_outputs_network_bytes(const nnd_many_outputs *params, size_t size);

/** Draws target, data and the weights that training starts from. */
NND_MUST_USE nnd_status nnd_outputs_network_draw(nnd_context *ctx, nnd_outputs_network *net,
                                                 nnd_rng_key key);
/** Error and gradient of the weights as they are. */
void nnd_outputs_network_evaluate(nnd_outputs_network *net);
/** One step of descent of both layers at once, from evaluated weights; evaluates the new ones. */
void nnd_outputs_network_step(nnd_outputs_network *net);
/** |W_* x - f|^2 of the population per output, without noise; the loss that is descended. */
double nnd_outputs_network_risk(const nnd_outputs_network *net);
double nnd_outputs_network_loss(const nnd_outputs_network *net);

#endif
