/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `wide-mlp`; see simulate.h for what the functions do. */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_H
#define NNDMFT_VALIDATE_WIDE_MLP_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_wide_mlp_simulator;

#endif
