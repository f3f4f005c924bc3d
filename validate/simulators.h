/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The simulator of every model: nnd_NAME_simulator. */
#ifndef NNDMFT_VALIDATE_SIMULATORS_H
#define NNDMFT_VALIDATE_SIMULATORS_H

#include "models/list.h"
#include "nndmft/simulate.h"

#define NND_DECLARE_SIMULATOR(name) extern const nnd_simulator nnd_##name##_simulator;
NND_MODELS(NND_DECLARE_SIMULATOR)
#undef NND_DECLARE_SIMULATOR

#endif
