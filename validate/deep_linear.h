/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `deep-linear`; see simulate.h for what the functions do. */
#ifndef NNDMFT_VALIDATE_DEEP_LINEAR_H
#define NNDMFT_VALIDATE_DEEP_LINEAR_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_deep_linear_simulator;

#endif
