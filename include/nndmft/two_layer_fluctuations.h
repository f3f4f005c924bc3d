/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `two-layer-fluctuations` (fluctuations.md#s0). */
#ifndef NNDMFT_TWO_LAYER_FLUCTUATIONS_H
#define NNDMFT_TWO_LAYER_FLUCTUATIONS_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/model.h"
#include "nndmft/rates.h"

NND_API_BEGIN

/** How theory averages over neurons. */
typedef enum {
    NND_FLUCTUATIONS_AUTO,       /**< the most accurate that applies and gets there */
    NND_FLUCTUATIONS_EXACT,      /**< linear activation: a closed map (fluctuations.md#s2-2) */
    NND_FLUCTUATIONS_QUADRATURE, /**< trapezoidal nodes (fluctuations.md#s1-5) */
    NND_FLUCTUATIONS_SAMPLED     /**< quasi-random nodes */
} nnd_fluctuations_solver;

/** Ranges, defaults and meaning: the table in models/two_layer_fluctuations.c. */
typedef struct {
    nnd_activation activation;
    double gamma0, lr;
    int64_t steps;
    nnd_rates schedule;
    nnd_data data;
    bool center;
    int solver;       /**< nnd_fluctuations_solver; settled by the check: AUTO tries a grid */
    int64_t nodes;    /**< intervals per axis; 0: as many as needed */
    double tolerance; /**< of the quadrature */
    int64_t samples, replicates;
    int64_t seed;
    bool bias, kernels, two_time;
    double loss_within, loss_sd_within; /**< of width_mean, width_sd */
    nnd_reals at_width;                 /**< widths at which the expected loss is given */
    nnd_integers record;
    int64_t record_every;
    bool control; /**< of the simulation alone: control variates */
} nnd_two_layer;

/** The model with its tables. */
extern const nnd_model nnd_two_layer_fluctuations_model;

NND_API_END

#endif
