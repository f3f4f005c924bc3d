/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Control variates of the simulator of `wide-mlp`. */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_CONTROL_H
#define NNDMFT_VALIDATE_WIDE_MLP_CONTROL_H

#include "validate/innovation.h"
#include "validate/wide_mlp_network.h"

/** Prepares those of a block, unless its parameters ask for none; clear `x` in any case. */
NND_MUST_USE nnd_status nnd_wide_control_make(const nnd_wide_block *block, nnd_innovations *x);
/** How many there are; 0 if the parameters ask for none. */
size_t nnd_wide_controls(const nnd_wide_mlp *p, const nnd_innovations *x);
/** Those of network b of a block that has just been drawn and evaluated. */
void nnd_wide_control_take(const nnd_wide_block *block, nnd_innovations *x, size_t b,
                           double *control);

#endif
