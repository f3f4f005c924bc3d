/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `two-layer-fluctuations`: large ensembles of small networks. */
#ifndef NNDMFT_VALIDATE_TWO_LAYER_FLUCTUATIONS_H
#define NNDMFT_VALIDATE_TWO_LAYER_FLUCTUATIONS_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_two_layer_fluctuations_simulator;

#endif
