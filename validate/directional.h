/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `directional`. */
#ifndef NNDMFT_VALIDATE_DIRECTIONAL_H
#define NNDMFT_VALIDATE_DIRECTIONAL_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_directional_simulator;

#endif
