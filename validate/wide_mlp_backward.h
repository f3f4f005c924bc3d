/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Backward fields of every output of a block of networks with several outputs, and the kernels
 * that are made of them. Index (c, mu) of a kernel stands at c * samples + mu, or c * P + mu of the
 * training samples alone.
 */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_BACKWARD_H
#define NNDMFT_VALIDATE_WIDE_MLP_BACKWARD_H

#include "validate/wide_mlp_network.h"

typedef struct {
    const nnd_wide_block *block;
    double *g;    /**< hidden layers x networks x N x (C samples), gradients of f_c */
    double *seed; /**< networks x C x samples, scratch */
    double *x;    /**< samples x P, scratch; NULL without tangent kernels */
    double *gram; /**< C samples x C P, scratch; NULL without them */
} nnd_wide_backward;

/** Whether tangent kernels are taken: for themselves, or for `stability` of few samples. */
bool nnd_wide_takes_ntk(const nnd_wide_mlp *p);
/** Numbers that one holds. */
double nnd_wide_backward_numbers(const nnd_wide_mlp *p, size_t width, size_t networks);
/** Allocates; nnd_wide_backward_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_wide_backward_make(nnd_context *ctx, const nnd_wide_block *block,
                                               nnd_wide_backward *back);
void nnd_wide_backward_clear(nnd_wide_backward *back);
/** One pass backward for each output, after a forward pass: the g of `net`, the network of the
 *  block, are then those of the last one. */
void nnd_wide_backward_take(nnd_wide_backward *back, nnd_network *net);
/** Gradients of outputs with respect to h of hidden layer l of network b; next sites are
 *  C samples apart. */
const double *nnd_wide_backward_field(const nnd_wide_backward *back, size_t l, size_t b);
/** g^T g / N of hidden layer l: (C samples) x (C P). */
void nnd_wide_backward_gram(const nnd_wide_backward *back, size_t l, size_t b, double *gram);
/** The tangent kernel (C samples) x (C P), with its factor gamma^2 N (wide-mlp.md#eq15). */
void nnd_wide_backward_ntk(nnd_wide_backward *back, size_t b, double *kernel);

#endif
