/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `online-fluctuations`. */
#ifndef NNDMFT_VALIDATE_ONLINE_FLUCTUATIONS_H
#define NNDMFT_VALIDATE_ONLINE_FLUCTUATIONS_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_online_fluctuations_simulator;

#endif
