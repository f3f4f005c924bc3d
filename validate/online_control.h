/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Observables of two linear layers at t = 0 whose means at width N are exact. */
#ifndef NNDMFT_VALIDATE_ONLINE_CONTROL_H
#define NNDMFT_VALIDATE_ONLINE_CONTROL_H

#include "nndmft/online_fluctuations.h"
#include "validate/network.h"

/** How many there are; 0 if the parameters ask for none. */
size_t nnd_online_controls(const nnd_online_fluctuations *p);
/**
 * The observables less their means, in units of about one standard deviation, of network b, whose
 * samples are the axes, after its first forward pass. `scratch` has room for D numbers.
 */
void nnd_online_control(const nnd_online_fluctuations *p, const nnd_network *net, size_t b,
                        double *scratch, double *control);

#endif
