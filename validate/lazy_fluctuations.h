/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `lazy-fluctuations`: deep networks at initialisation, lazily trained. */
#ifndef NNDMFT_VALIDATE_LAZY_FLUCTUATIONS_H
#define NNDMFT_VALIDATE_LAZY_FLUCTUATIONS_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_lazy_fluctuations_simulator;

#endif
