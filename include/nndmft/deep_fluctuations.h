/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `deep-fluctuations` (deep-fluctuations.md#s0). */
#ifndef NNDMFT_DEEP_FLUCTUATIONS_H
#define NNDMFT_DEEP_FLUCTUATIONS_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/batch.h"
#include "nndmft/model.h"
#include "nndmft/rates.h"

NND_API_BEGIN

/** Ranges, defaults and meaning: the tables in models/deep_fluctuations.c. */
typedef struct {
    int64_t depth; /**< L, hidden layers */
    nnd_activation activation;
    double sigma_w, gamma0, lr;
    int64_t steps;
    nnd_rates schedule;
    nnd_data data;
    bool center;
    nnd_reals widths; /**< N_l/N of the hidden layers; none: all 1 */
    nnd_batch batch;
    int64_t samples, replicates; /**< sites of a march, a power of two; marches */
    double rank_tol;
    int64_t seed;
    bool bias, kernels, two_time;
    bool layers;                        /**< kernels of all layers, if there are kernels */
    double loss_within, loss_sd_within; /**< of width_mean, width_sd */
    nnd_reals at_width;                 /**< widths at which the expected loss is given */
    nnd_integers record;
    int64_t record_every;
    bool control; /**< of the simulation alone: control variates */
} nnd_deep_fluctuations;

/** The model with its tables. */
extern const nnd_model nnd_deep_fluctuations_model;

NND_API_END

#endif
