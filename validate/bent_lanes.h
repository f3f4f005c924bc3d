/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Many small nonlinear networks trained abreast: f(x) = W_L phi(W_{L-1} ... phi(W_1 x)) with one
 * output on shared data, loss weight |f - y|^2. As in lanes.h every number is a row of lanes, one
 * per network; here passes run over samples.
 */
#ifndef NNDMFT_VALIDATE_BENT_LANES_H
#define NNDMFT_VALIDATE_BENT_LANES_H

#include "nndmft/activation.h"
#include "validate/lanes.h"

/** Arrays end with a dimension of lanes. */
typedef struct {
    size_t depth, samples;
    size_t *width;                    /**< depth + 1: inputs, then the rows of W_1..W_L */
    const nnd_activation *activation; /**< borrowed; of the layers below the last */
    const double *y;                  /**< samples, without lanes; borrowed */
    double *x;                        /**< inputs x samples, without lanes */
    double weight;
    size_t count;      /**< weights of one network */
    double *weights;   /**< W_1, ..., W_L */
    double **matrix;   /**< depth, into `weights`: rows x cols x lanes */
    double **h, **phi; /**< depth: before and after the activation, rows x samples x lanes */
    double **slope;    /**< depth: phi'(h); NULL for the last */
    double **g;        /**< depth: gradient of the loss with respect to h */
    double *loss;      /**< of each network */
} nnd_bent_lanes;

/** A block with all weights 0, on inputs x (samples x inputs), which are copied. Free with
 *  nnd_bent_lanes_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_bent_lanes_make(nnd_context *ctx, size_t depth, const size_t *width,
                                            const nnd_activation *activation, size_t samples,
                                            const double *x, const double *y, double weight,
                                            nnd_bent_lanes *lanes);
void nnd_bent_lanes_clear(nnd_bent_lanes *lanes);
/** Writes the weights of one network, all matrices row-major one after the other; and takes them.
 */
void nnd_bent_lanes_read(const nnd_bent_lanes *lanes, size_t lane, double *weights);
void nnd_bent_lanes_write(nnd_bent_lanes *lanes, size_t lane, const double *weights);
/** Both passes: fields, losses, gradients with respect to fields. */
void nnd_bent_lanes_evaluate(nnd_bent_lanes *lanes);
/** target += factor times the gradient in the weights, from an evaluated block; laid out as
 *  `weights`, which `target` may be. */
void nnd_bent_lanes_add_gradient(const nnd_bent_lanes *lanes, double factor, double *target);

#endif
