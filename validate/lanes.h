/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Many small linear networks trained abreast: f(x) = p' W_L ... W_1 x on shared data, with loss
 * |X w - y|^2/n, w' = p' W_L ... W_1. Every number is a row of lanes, one per network, so that all
 * arithmetic is vector arithmetic however small the matrices are; products of matrices of five rows
 * by a library would cost ten times as much. As the networks are linear, their passes run over the
 * one vector w' X' needs, not over samples.
 */
#ifndef NNDMFT_VALIDATE_LANES_H
#define NNDMFT_VALIDATE_LANES_H

#include <stddef.h>

#include "nndmft/context.h"

/** Networks per block. */
enum { NND_LANES = 8 };

/** Arrays end with a dimension of lanes. */
typedef struct {
    size_t depth, samples;
    size_t *width;        /**< depth + 1: inputs, then the rows of W_1..W_L */
    const double *x, *y;  /**< samples x inputs, samples; without lanes; borrowed */
    double weight, floor; /**< loss = weight |X w - y|^2 + floor */
    size_t count;         /**< weights of one network */
    double *weights;      /**< W_1, ..., W_L */
    double **matrix;      /**< depth, into `weights`: rows x cols x lanes */
    double **back;        /**< depth + 1: p' W_L ... W_{k+1}, width[k]; back[L] = p is set by the
                               caller, back[0] = w */
    double **image;       /**< depth + 1: W_k ... W_1 g with g = 2 weight X'(X w - y) */
    double *spare[2];     /**< for a step: while it is taken old and new vectors are needed */
    double *error;        /**< X w - y, samples */
    double *loss;         /**< of each network */
    double *slope2;       /**< |g|^2 */
    double *gradient2;    /**< squared norm of the gradient in all weights */
} nnd_lanes;

/** Allocates a block with all weights 0 and p = 1; nnd_lanes_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_lanes_make(nnd_context *ctx, size_t depth, const size_t *width,
                                       size_t samples, const double *x, const double *y,
                                       double weight, double floor, nnd_lanes *lanes);
void nnd_lanes_clear(nnd_lanes *lanes);
/** Writes the weights of one network, all matrices row-major one after the other. */
void nnd_lanes_read(const nnd_lanes *lanes, size_t lane, double *weights);
void nnd_lanes_write(nnd_lanes *lanes, size_t lane, const double *weights);
/** All that depends on the weights. */
void nnd_lanes_evaluate(nnd_lanes *lanes);
/** weights -= rate times the gradient, from an evaluated block, which is evaluated anew: one pass
 *  over the weights less than both. */
void nnd_lanes_descend(nnd_lanes *lanes, double rate);
/** target += factor times the gradient, from an evaluated block; laid out as `weights`, other than
 *  these. */
void nnd_lanes_add_gradient(const nnd_lanes *lanes, double factor, double *target);

#endif
