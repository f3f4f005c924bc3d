/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `online-fluctuations` (fluctuations.md#s2-3). */
#ifndef NNDMFT_ONLINE_FLUCTUATIONS_H
#define NNDMFT_ONLINE_FLUCTUATIONS_H

#include "nndmft/api.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** Ranges, defaults and meaning: the table in models/online_fluctuations.c. */
typedef struct {
    int64_t dim; /**< D */
    double gamma0, lr;
    int64_t steps;
    double batch;       /**< samples per step; infinite: the population */
    nnd_reals at_width; /**< widths at which the expected error is given */
    nnd_integers record;
    int64_t record_every;
    bool control; /**< of the simulation alone: control variates */
} nnd_online_fluctuations;

/** The model with its tables. */
extern const nnd_model nnd_online_fluctuations_model;

NND_API_END

#endif
