/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `flat-minima` (flat-minima.md#s1). */
#ifndef NNDMFT_FLAT_MINIMA_H
#define NNDMFT_FLAT_MINIMA_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** W_L ... W_1 with a last matrix of one row; or p' W_L ... W_1 with square W_k near the identity.
 */
typedef enum { NND_FLAT_MLP, NND_FLAT_RESIDUAL } nnd_flat_architecture;
/** Independent normal weights; or rank-one aligned layers. */
typedef enum { NND_FLAT_GAUSSIAN, NND_FLAT_ALIGNED } nnd_flat_init;

/** Ranges, defaults and meaning: the table in models/flat_minima.c. */
typedef struct {
    int64_t depth;
    nnd_data data;
    int architecture; /**< nnd_flat_architecture */
    nnd_activation activation;
    nnd_reals readout; /**< direction of p; empty: drawn with each network */
    int init;          /**< nnd_flat_init */
    double init_scale; /**< NaN only where `w0` is the initial end-to-end vector */
    nnd_reals w0;
    int64_t width;
    nnd_dense weights; /**< W_1, ..., W_L of a file, one after the other in one column; or none */
    double lr;         /**< NaN for flow */
    int64_t steps;
    int integrator; /**< nnd_integrator */
    double time;    /**< NaN for gd */
    nnd_reals record;
    int64_t record_every;
    int64_t eigenvalues; /**< recorded at the top of the Hessian */
    double tolerance;
    double divergence_bound;
} nnd_flat_minima;

/** The model with its tables. */
extern const nnd_model nnd_flat_minima_model;

/** Dimension d of the inputs. */
size_t nnd_flat_minima_dim(const nnd_flat_minima *p);
/** Rows of hidden layer k = 1..L - 1, or of the last layer k = L; k = 0: d. */
size_t nnd_flat_minima_width(const nnd_flat_minima *p, size_t k);
/** Singular value of each aligned layer at the start: init_scale, or |w0|^(1/L) where there is
 * none. */
double nnd_flat_minima_start(const nnd_flat_minima *p);
/** Number of trained weights. */
size_t nnd_flat_minima_weights(const nnd_flat_minima *p);
/** True if the network is linear in its inputs, so that the theory applies. */
bool nnd_flat_minima_is_linear(const nnd_flat_minima *p);
/** Whether anything is trained: gd with steps, or flow. */
bool nnd_flat_minima_trains(const nnd_flat_minima *p);

/** Times to record, ascending: steps of gd, times of flow. The caller frees times->value. */
NND_MUST_USE nnd_status nnd_flat_minima_times(nnd_context *ctx, const nnd_flat_minima *p,
                                              nnd_reals *times);

NND_API_END

#endif
