/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulator of the model `alignment`: pairs of real networks. */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_H
#define NNDMFT_VALIDATE_ALIGNMENT_H

#include "nndmft/simulate.h"

extern const nnd_simulator nnd_alignment_simulator;

#endif
