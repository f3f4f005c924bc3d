/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The gradient that a linear predictor w feels under the logistic loss, labels being the sign of
 * x . v with v the first axis: over the whole law of x, or over n samples drawn from it. Samples
 * are drawn in tiles of fixed size; tiles that do not fit into memory are drawn anew in every pass,
 * with the same numbers. A batch is drawn for one step, and the loss is then that of the law.
 */
#ifndef NNDMFT_VALIDATE_DIRECTIONAL_DATA_H
#define NNDMFT_VALIDATE_DIRECTIONAL_DATA_H

#include "core/rng.h"
#include "nndmft/directional.h"
#include "validate/radial_law.h"

typedef struct {
    const nnd_directional *params;
    size_t dim; /**< of w: D, less where the population gradient needs no more */
    nnd_radial_law law;
    double half_mean;            /**< E|x . v|/2, of the law or of the samples */
    size_t samples, tiles, kept; /**< 0 samples: the population */
    size_t step;                 /**< whose batch is drawn */
    nnd_rng_key key;
    double *tile; /**< y x of the tiles that are kept, then of one more: rows x dim each */
    double *normals, *field;
    double loss, train_error; /**< of the last pass; train_error NaN but for finite samples */
} nnd_directional_data;

/** Memory that nnd_directional_data_make takes. */
double nnd_directional_data_bytes(const nnd_directional *p);
/** Free with nnd_directional_data_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_directional_data_make(nnd_context *ctx, const nnd_directional *p,
                                                  nnd_directional_data *data);
void nnd_directional_data_clear(nnd_directional_data *data);
/** Draws the samples of a network. */
void nnd_directional_data_draw(nnd_directional_data *data, nnd_rng_key key);
/** force = -grad loss at w (dim numbers each); with `measure` also loss and train_error. */
void nnd_directional_data_force(nnd_directional_data *data, const double *w, bool measure,
                                double *force);

#endif
