/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Observables of a network with one hidden layer at t = 0 whose means at width N are exact. */
#ifndef NNDMFT_VALIDATE_TWO_LAYER_CONTROL_H
#define NNDMFT_VALIDATE_TWO_LAYER_CONTROL_H

#include "nndmft/two_layer_fluctuations.h"

/** Directions u, v over samples, and moments of one neuron along them. */
typedef struct {
    const nnd_two_layer *params;
    size_t samples;    /**< that take part: the first ones, learned */
    size_t directions; /**< 1 or 2; 0: the output vanishes */
    double *direction; /**< 2 x samples */
    bool known;        /**< whether there are means; else only the output along u */
    double phi[3];     /**< u'Phi u, u'Phi v, v'Phi v; Phi = <phi phi> */
    double kernel[2];  /**< u'K u, u'K v */
    double spread;     /**< variance of a neuron's share of u'K u; NaN if not known */
} nnd_two_layer_control;

/** Finds directions and means; nnd_two_layer_control_clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_two_layer_control_make(nnd_context *ctx, const nnd_two_layer *p,
                                                   const nnd_dataset *set,
                                                   nnd_two_layer_control *c);
void nnd_two_layer_control_clear(nnd_two_layer_control *c);
/** How many observables there are. */
size_t nnd_two_layer_controls(const nnd_two_layer_control *c);
/**
 * The observables less their means, in units of about one standard deviation: f is the output at
 * the samples (before centring), kernel their K, row by row `stride` apart.
 */
void nnd_two_layer_control_take(const nnd_two_layer_control *c, size_t width, const double *f,
                                const double *kernel, size_t stride, double *control);

#endif
