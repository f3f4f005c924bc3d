/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Norm of the linear map that a network would be without its activations (wide-mlp.md#s13-3). */
#ifndef NNDMFT_VALIDATE_INDUCED_NORM_H
#define NNDMFT_VALIDATE_INDUCED_NORM_H

#include "validate/network.h"

/** Numbers of scratch for networks of `outputs` outputs whose widest layer below, inputs included,
 *  has `widest`. */
size_t nnd_induced_norm_scratch(size_t outputs, size_t widest);
/** Largest singular value of the product of all matrices of network b as they act: with their
 *  scales, and the identity added where a layer adds the one below; NaN if it is not found. */
double nnd_induced_norm(const nnd_network *net, size_t b, double *scratch);

#endif
