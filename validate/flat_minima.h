/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `flat-minima`. */
#ifndef NNDMFT_VALIDATE_FLAT_MINIMA_H
#define NNDMFT_VALIDATE_FLAT_MINIMA_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_flat_minima_simulator;

#endif
