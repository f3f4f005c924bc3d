/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A block of NND_LANES networks of flat-minima in training, in lanes; of linear ones passes need
 * no samples.
 */
#ifndef NNDMFT_VALIDATE_FLAT_MINIMA_BLOCK_H
#define NNDMFT_VALIDATE_FLAT_MINIMA_BLOCK_H

#include "validate/bent_lanes.h"
#include "validate/flat_minima_data.h"
#include "validate/flow.h"
#include "validate/lanes.h"
#include "validate/network.h"

typedef struct {
    const nnd_flat_minima *params;
    bool linear;
    nnd_flat_data data;
    nnd_lanes lanes;     /**< linear */
    nnd_bent_lanes bent; /**< not linear */
    nnd_flow flow;
    double *one;  /**< all weights, as scratch */
    double *pair; /**< two vectors of the widest layer */
    double loss[NND_LANES];
} nnd_flat_block;

/**
 * Networks of matrices on `samples` inputs x, all weights 0 and rates 1: layers as in
 * flat-minima.md#s1, and as last one the fixed readout of the residual network (rate 0). Free with
 * nnd_network_clear.
 */
NND_MUST_USE nnd_status nnd_flat_network_make(nnd_context *ctx, const nnd_flat_minima *p,
                                              size_t samples, const double *x, size_t networks,
                                              nnd_network *net);

/** Frees with nnd_flat_block_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_flat_block_make(nnd_context *ctx, const nnd_flat_minima *p,
                                            nnd_flat_block *block);
void nnd_flat_block_clear(nnd_flat_block *block);
/** Draws the weights of seeds key.seed, key.seed + 1, ... */
void nnd_flat_block_draw(nnd_flat_block *block, nnd_rng_key key);
/** Losses and what a step needs, at the present weights. */
void nnd_flat_block_evaluate(nnd_flat_block *block);
/** A step of gradient descent from an evaluated block; leaves it evaluated. */
void nnd_flat_block_descend(nnd_flat_block *block, double rate);
/** Gradient flow of drawn weights on to a later time; leaves the block evaluated. */
NND_MUST_USE nnd_status nnd_flat_block_flow(nnd_context *ctx, nnd_flat_block *block, double to);
/** Copies network b into `net`, made by nnd_flat_network_make. */
void nnd_flat_block_read(const nnd_flat_block *block, size_t b, nnd_network *net);
/**
 * Whether network b is a minimum to the tolerance of the parameters: the gradient in w against that
 * at w = 0; not linear: `gradient`, the norm of that in the weights, against the mean square
 * target, and the largest curvature `top` above that, since all is flat around a network of which
 * no unit answers any more, wherever it is.
 */
bool nnd_flat_block_converged(const nnd_flat_block *block, size_t b, double gradient, double top);
/**
 * Whether each network is lost (true in `lost`) or has so small a gradient that its weights would
 * not move in the `remaining` time (steps times rate) if it stayed so.
 */
bool nnd_flat_block_settled(const nnd_flat_block *block, const bool *lost, double remaining);

#endif
