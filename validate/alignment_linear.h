/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Linear networks on a regression: f(x) = a W_{L-1} .. W_1 x with C outputs, trained on
 *     |y - f|^2/(2P) + ridge |B|^2/2 + decay (|W_1|^2 + .. + |a|^2)/2,   B = a W_{L-1} .. W_1.
 * The data enter a linear network's gradient through S = X^T X/P and X^T y/P alone, so that a step
 * does not depend on the number of samples.
 */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_LINEAR_H
#define NNDMFT_VALIDATE_ALIGNMENT_LINEAR_H

#include "validate/alignment_pair.h"

/** What a network knows of its data. */
typedef struct {
    size_t dim, outputs, samples;
    double *s;           /**< D x D, symmetric */
    double *c;           /**< C x D: (X^T y/P)^T */
    double labels2;      /**< |y|^2/P */
    const double *x, *y; /**< the data themselves, borrowed */
} nnd_linear_data;

NND_MUST_USE nnd_status nnd_linear_data_make(nnd_context *ctx, size_t dim, size_t outputs,
                                             size_t samples, nnd_linear_data *data);
void nnd_linear_data_clear(nnd_linear_data *data);
/** Takes network b of a pair (same shapes); its data must stay as they are. */
void nnd_linear_data_set(nnd_linear_data *data, const nnd_alignment_pair *pair, size_t b);
/** |y - B x|^2/P of a predictor B, C x D; `work` has C D numbers. */
double nnd_linear_data_error(const nnd_linear_data *data, const double *b, double *work);

/** A network and its scratch. */
typedef struct {
    const nnd_linear_data *data;
    size_t depth, width; /**< L >= 1 matrices, K hidden units */
    double ridge, decay;
    size_t count;      /**< weights */
    double *w;         /**< W_1, .., W_{L-1}, a, one after the other, row-major */
    double *predictor; /**< B, C x D, of the last evaluation */
    double *back, *forth, *residual;
} nnd_linear_network;

NND_MUST_USE nnd_status nnd_linear_network_make(nnd_context *ctx, const nnd_linear_data *data,
                                                size_t depth, size_t width,
                                                nnd_linear_network *net);
void nnd_linear_network_clear(nnd_linear_network *net);
/** Matrix l = 0..L-1 of weights laid out as net->w; rows and columns. */
double *nnd_linear_network_matrix(const nnd_linear_network *net, size_t l, double *w, size_t *rows,
                                  size_t *cols);
/** Descent direction (minus the gradient) at weights w; sets the predictor. */
void nnd_linear_network_descent(nnd_linear_network *net, const double *w, double *direction);

/** Starts: rank one and balanced with |B| = scale along `direction` (D, of length 1). */
void nnd_linear_network_start_aligned(nnd_linear_network *net, double scale,
                                      const double *direction, nnd_rng_key key, uint32_t stream);
/** W^T W = scale, a = 0 (two layers, K >= D). */
NND_MUST_USE nnd_status nnd_linear_network_start_white(nnd_context *ctx, nnd_linear_network *net,
                                                       double scale, nnd_rng_key key,
                                                       uint32_t stream);
/** Entries of W normal with variance/D, a = 0 (two layers). */
void nnd_linear_network_start_gaussian(nnd_linear_network *net, double variance, nnd_rng_key key,
                                       uint32_t stream);

/** A gradient flow in progress; made with a network whose weights are set. */
typedef struct nnd_linear_flow nnd_linear_flow;
NND_MUST_USE nnd_status nnd_linear_flow_new(nnd_context *ctx, nnd_linear_network *net,
                                            nnd_linear_flow **flow);
void nnd_linear_flow_free(nnd_linear_flow *flow);
/** Goes on to a later time by an adaptive Runge-Kutta method of order 8. NND_E_INPUT if that will
 *  take too many steps until `last`, to which it is to go in the end. */
NND_MUST_USE nnd_status nnd_linear_flow_to(nnd_linear_flow *flow, double time, double last);
/** Goes on until the gradient is below `tolerance` |X^T y/P|; false if that takes too long. */
NND_MUST_USE nnd_status nnd_linear_flow_converge(nnd_linear_flow *flow, double tolerance,
                                                 bool *converged);

/** B of ridge regression (C x D), of least norm for ridge = 0: Cholesky or QR. */
NND_MUST_USE nnd_status nnd_linear_ridge(nnd_context *ctx, const nnd_linear_data *data,
                                         double ridge, double *b);
/** B (one output) at the minimum of |y - X B|^2/(2P) + mu |B|, by the spectrum of S. */
NND_MUST_USE nnd_status nnd_linear_decayed(nnd_context *ctx, const nnd_linear_data *data, double mu,
                                           double *b);
/** Hidden layer of a balanced two-layer network with predictor b: h = (B B^T)^(-1/4) B, C x D. */
NND_MUST_USE nnd_status nnd_linear_hidden(nnd_context *ctx, size_t outputs, size_t dim,
                                          const double *b, double *h);

#endif
