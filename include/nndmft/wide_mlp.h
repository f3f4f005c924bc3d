/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `wide-mlp` (note wide_nonlinear_spectral, section 1). */
#ifndef NNDMFT_WIDE_MLP_H
#define NNDMFT_WIDE_MLP_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/batch.h"
#include "nndmft/deep_linear.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** How theory averages over sites (note, sections 3 and 4). */
typedef enum {
    NND_WIDE_AUTO,       /**< the most accurate that applies */
    NND_WIDE_MARCH,      /**< sampled sites */
    NND_WIDE_QUADRATURE, /**< one hidden layer, one training sample, no test samples */
    NND_WIDE_EXACT       /**< linear activation: abstract coordinates */
} nnd_wide_solver;

/** Ranges, defaults and meaning: the tables in models/wide_mlp.c. */
typedef struct {
    int64_t depth; /**< L, hidden layers */
    nnd_activation activation;
    double sigma_w, gamma0, lr;
    int64_t steps;
    int parameterization; /**< nnd_parameterization */
    nnd_data data;
    nnd_batch batch;
    int solver; /**< nnd_wide_solver */
    int64_t samples, replicates;
    double rank_tol;
    int64_t seed;
    nnd_integers record;
    int64_t record_every;
    bool two_time;
    bool kernels;     /**< Gram matrices and the NTK, besides what `stability` needs */
    bool spectrum;    /**< outliers of the hidden matrices */
    int64_t outliers; /**< how many per matrix */
    double divergence_bound;
    /* Of the simulation alone. */
    bool center, orthonormal_init, control;
} nnd_wide_mlp;

/** The model with its tables. */
extern const nnd_model nnd_wide_mlp_model;

NND_API_END

#endif
