/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Kernels of a wide network at initialisation, layer by layer, and their fluctuations at order 1/N
 * (fluctuations.md#s3-2): Phi^l = <phi phi>, G^l = <g g>, l = 1..depth, and the tangent kernel
 * K = sum_l sigma_w^2 G^(l+1) Phi^l. Pairs of points (mu, nu), mu >= nu, are numbered by
 * nnd_pair_index.
 */
#ifndef NNDMFT_SOLVERS_LAYER_KERNELS_H
#define NNDMFT_SOLVERS_LAYER_KERNELS_H

#include <stdint.h>

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** The network and its inputs; pointers are borrowed. */
typedef struct {
    const nnd_activation *activation;
    size_t depth, points;
    double sigma_w;
    const double *gram; /**< points x points, positive semi-definite, diagonal > 0 */
} nnd_layers;

/** Kernels and N times their covariances. Free with nnd_layer_kernels_clear. */
typedef struct {
    size_t depth, points, pairs;
    double *phi, *g;  /**< depth x pairs */
    double *ntk;      /**< pairs */
    double *ncov;     /**< square of 2 depth pairs: Phi^1..Phi^depth, G^1..G^depth */
    double *ntk_ncov; /**< pairs x pairs */
    double *data;     /**< all of these, `count` numbers */
    size_t count;
    bool sampled; /**< the covariances rest on samples; kernels themselves never do */
} nnd_layer_kernels;

/** Number of a pair. */
static inline size_t nnd_pair_index(size_t mu, size_t nu) {
    return mu >= nu ? mu * (mu + 1) / 2 + nu : nu * (nu + 1) / 2 + mu;
}

/** Bytes held and floating-point operations done. */
void nnd_layer_kernels_cost(const nnd_layers *layers, size_t samples, double *bytes, double *flops);

/**
 * Kernels and their derivatives by quadrature in one or two dimensions, kinks included. Averages of
 * four fields, from which covariances are made, likewise where the fields of all points span at
 * most two dimensions; beyond, with `samples` (a power of two) scrambled Sobol nodes keyed by
 * (seed, replicate). NND_E_INPUT if a point has no length.
 */
NND_MUST_USE nnd_status nnd_layer_kernels_run(nnd_context *ctx, const nnd_layers *layers,
                                              size_t samples, uint64_t seed, uint64_t replicate,
                                              nnd_layer_kernels *out);
/** Frees what the struct holds and zeroes it. */
void nnd_layer_kernels_clear(nnd_layer_kernels *kernels);

NND_API_END

#endif
