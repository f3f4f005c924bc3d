/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A block of real networks trained side by side, on which the simulators stand. Fully connected
 * layers,
 *     h_l = scale_l W_l phi_{l-1} + bias_l b_l (+ phi_{l-1} if residual, + h_{l-1} if skip),
 *     phi_l = activation_l(h_l),
 * phi_{-1} the inputs, f = phi of the last layer. Fields are networks x width x samples and weights
 * networks x rows x cols, row-major, so that every product is one of matrices; layer 0 on shared
 * inputs is one product for the whole block.
 *
 *     make, set_inputs, draw (or write layer[l].w)
 *     each step: forward; residuals by nnd_loss; backward; descend
 *
 * Samples that are not trained on (test points, absentees of a mini-batch) have coefficient 0.
 * A network's numbers depend on the other members of its block only through the shapes of the
 * products, hence not at all for one width of block.
 */
#ifndef NNDMFT_VALIDATE_NETWORK_H
#define NNDMFT_VALIDATE_NETWORK_H

#include "core/rng.h"
#include "nndmft/activation.h"
#include "nndmft/context.h"

/** What a layer shall be. */
typedef struct {
    size_t width;                     /**< rows of W */
    double scale;                     /**< of W in the network */
    double rate;                      /**< raw learning rate of W and of b */
    const nnd_activation *activation; /**< NULL: identity; must outlive the network */
    bool residual;                    /**< adds its input; both widths must agree */
    bool skip;   /**< adds h of the layer below, if not residual; widths must agree */
    double bias; /**< of b in the network; 0: there is none */
} nnd_layer_plan;

/** What a block shall be. */
typedef struct {
    size_t networks, samples, inputs; /**< B, P (test points included), D */
    bool own_inputs;                  /**< each network its own inputs; else all share one set */
    size_t layers;                    /**< weight matrices, readout included */
    const nnd_layer_plan *layer;
} nnd_network_plan;

typedef struct {
    size_t rows, cols;
    double scale, rate, bias;
    const nnd_activation *activation;
    bool residual, skip;
    double *w;     /**< networks x rows x cols */
    double *b;     /**< networks x rows; NULL without biases */
    double *h;     /**< before the activation: networks x rows x samples */
    double *phi;   /**< after it; the same array as h for the identity */
    double *slope; /**< activation'(h); NULL for the identity */
    double *g;     /**< gradient of seed . f with respect to h */
} nnd_layer;

typedef struct {
    size_t networks, samples, inputs, outputs, layers;
    bool own_inputs;
    nnd_layer *layer;
    size_t weight_count; /**< of all networks and layers, biases included */
    double *weights;     /**< w of layer after layer, then b; layer[l].w and b point into it */
    double *x;           /**< inputs as a field: (own_inputs ? networks : 1) x inputs x samples */
    double *start;       /**< what `output` subtracts: networks x outputs x samples, at first 0 */
    double *output;      /**< f - start, of the last forward pass */
    double *scratch;     /**< as large as the widest field */
} nnd_network;

/**
 * Memory of a block; and the time of one network's forward, backward and descent together, in
 * operations of a product of a large matrix with a vector.
 */
double nnd_network_bytes(const nnd_network_plan *plan);
double nnd_network_flops(const nnd_network_plan *plan);

/** Allocates a block with all weights 0; nnd_network_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_network_make(nnd_context *ctx, const nnd_network_plan *plan,
                                         nnd_network *net);
void nnd_network_clear(nnd_network *net);

/** Inputs x (samples x inputs) of network b; with shared inputs b is 0. */
void nnd_network_set_inputs(nnd_network *net, size_t b, const double *x);
/**
 * Weights of layer l: independent normals of standard deviation `std`, row i from the substream
 * (key, stream, i); network b has key.seed + b.
 */
void nnd_network_draw(nnd_network *net, size_t l, double std, nnd_rng_key key, uint32_t stream);

/** Biases of layer l, in units of `bias`: independent normals; network b has key.seed + b. */
void nnd_network_draw_biases(nnd_network *net, size_t l, nnd_rng_key key, uint32_t stream);
/** Trades the weights for as many others: what `*weights` pointed to is theirs from now on. */
void nnd_network_exchange(nnd_network *net, double **weights);

/** Weights of layer l of network b, rows x cols. */
static inline double *nnd_network_weights(const nnd_network *net, size_t l, size_t b) {
    return net->layer[l].w + b * net->layer[l].rows * net->layer[l].cols;
}
/** A network's part of a field over layer l (layer[l].h, phi, slope, g): rows x samples. */
static inline const double *nnd_network_field(const nnd_network *net, size_t l, size_t b,
                                              const double *field) {
    return field + b * net->layer[l].rows * net->samples;
}
/** Input field of layer l of network b (phi of the layer below, or the inputs): cols x samples. */
const double *nnd_network_input(const nnd_network *net, size_t l, size_t b);

/** All fields forward and the output at the present weights. */
void nnd_network_forward(nnd_network *net);
/** From now on the output of the last forward pass is subtracted; `output` becomes 0. */
void nnd_network_center(nnd_network *net);
/**
 * g of all layers after a forward pass: gradient, sample by sample, of sum_o seed_o f_o with
 * respect to h. `seed` is networks x outputs x samples; NULL: 1, so that for one output g is the
 * gradient of f itself.
 */
void nnd_network_backward(nnd_network *net, const double *seed);
/**
 * target += rate * sum_mu coefficient_mu (gradient of seed . f_mu), for all weights and biases,
 * where target
 * is laid out as net->weights (NULL: the weights themselves, which then take a step). One
 * coefficient per network and sample, NULL: 1. Descent of sum_mu weight_mu loss_mu is either
 * seed = NULL with coefficient = weight * residual (one output), or seed = weight * residual and
 * coefficient NULL.
 */
void nnd_network_descend(nnd_network *net, const double *coefficient, double *target);

/** gram (samples x samples) = field^T field / rows of network b, field one of layer l. */
void nnd_network_gram(const nnd_network *net, size_t l, size_t b, const double *field,
                      double *gram);
/**
 * kernel (samples x samples) = sum_l rate_l (gradient of seed . f_mu) . (gradient of seed . f_nu)
 * of network b, after a backward pass: with rates of 1 and one output the NTK.
 */
void nnd_network_ntk(const nnd_network *net, size_t b, double *kernel);

/** Loss per sample, as a function of label y and output f. */
typedef enum {
    NND_HALF_SQUARE, /**< (y - f)^2/2 */
    NND_SQUARE,      /**< (y - f)^2 */
    NND_LOGISTIC     /**< log(1 + exp(-y f)) */
} nnd_loss_kind;

/**
 * sum_i weight_i loss(y_i, f_i) over i < n; residual_i = -d loss/d f (not weighted), if wanted.
 * `weight` NULL: 1/n. f may be the same array as residual.
 */
double nnd_loss(nnd_loss_kind kind, size_t n, const double *weight, const double *y,
                const double *f, double *residual);

#endif
