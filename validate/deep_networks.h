/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Ensembles of deep networks on fixed samples, thousands of seeds abreast, that record what models
 * of fluctuations compare: residuals, losses, tangent kernels and kernels of all layers. A model's
 * own simulator says what network it means, and hands on.
 */
#ifndef NNDMFT_VALIDATE_DEEP_NETWORKS_H
#define NNDMFT_VALIDATE_DEEP_NETWORKS_H

#include "nndmft/activation.h"
#include "nndmft/batch.h"
#include "nndmft/dataset.h"
#include "nndmft/rates.h"
#include "nndmft/simulate.h"

/** What networks are meant, at a size N; pointers are borrowed. */
typedef struct {
    const nnd_model *model;
    int64_t depth;                    /**< hidden layers, at most 100 */
    const nnd_reals *widths;          /**< N_l/N, or none: all 1 */
    const nnd_activation *activation; /**< of hidden layers; NULL: linear */
    double sigma_w, gamma0, lr;
    int64_t steps;
    const nnd_rates *schedule;
    const nnd_data *data;
    nnd_batch batch; /**< size 0: all samples at every step */
    bool center, kernels, two_time, control;
    bool layers; /**< kernels of all layers; with `kernels` */
    const nnd_integers *record;
    int64_t record_every;
} nnd_deep_networks;

/** The functions of a simulator (simulate.h), with what is meant instead of parameters. */
size_t nnd_deep_networks_block(const nnd_deep_networks *d, size_t size);
bool nnd_deep_networks_check(const nnd_deep_networks *d, size_t size, nnd_objection *o);
nnd_simulation_cost nnd_deep_networks_cost(const nnd_deep_networks *d, size_t size);
NND_MUST_USE nnd_status nnd_deep_networks_simulate(nnd_context *ctx, const nnd_deep_networks *d,
                                                   size_t size, uint64_t base_seed,
                                                   size_t first_seed, size_t count,
                                                   nnd_frame **frame);
NND_MUST_USE nnd_status nnd_deep_networks_keep(nnd_context *ctx, const nnd_deep_networks *d,
                                               size_t size, uint64_t base_seed,
                                               nnd_frame **weights);
NND_MUST_USE nnd_status nnd_deep_networks_recipe(nnd_context *ctx, const nnd_deep_networks *d,
                                                 size_t size, nnd_frame **recipe);

#endif
