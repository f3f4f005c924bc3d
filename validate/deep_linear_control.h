/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Observables of a deep linear network at t = 0 whose means are known exactly at finite size. */
#ifndef NNDMFT_VALIDATE_DEEP_LINEAR_CONTROL_H
#define NNDMFT_VALIDATE_DEEP_LINEAR_CONTROL_H

#include "validate/deep_linear_network.h"

/** How many there are; 0 if the parameters ask for none. */
size_t nnd_deep_linear_controls(const nnd_deep_linear *p);
/**
 * The observables less their means, in units of about one standard deviation, of a network that has
 * just been drawn and evaluated at step 0. `image` is scratch for N numbers.
 */
void nnd_deep_linear_control(nnd_deep_linear_network *net, double *image, double *control);

#endif
