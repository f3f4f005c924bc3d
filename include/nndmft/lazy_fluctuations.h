/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `lazy-fluctuations` (note fluctuations, section 3). */
#ifndef NNDMFT_LAZY_FLUCTUATIONS_H
#define NNDMFT_LAZY_FLUCTUATIONS_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** Ranges, defaults and meaning: the tables in models/lazy_fluctuations.c. */
typedef struct {
    int64_t depth; /**< L, hidden layers */
    nnd_activation activation;
    double sigma_w, lr;
    int64_t steps;
    nnd_data data;
    int64_t samples, replicates, seed;
    nnd_integers record;
    int64_t record_every;
    /* Of the simulation alone. */
    double gamma0;
    bool control; /**< control variates */
} nnd_lazy_fluctuations;

/** The model with its tables. */
extern const nnd_model nnd_lazy_fluctuations_model;

NND_API_END

#endif
