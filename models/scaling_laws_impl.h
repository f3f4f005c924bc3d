/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of the model `scaling-laws` share. */
#ifndef NNDMFT_MODELS_SCALING_LAWS_IMPL_H
#define NNDMFT_MODELS_SCALING_LAWS_IMPL_H

#include "nndmft/scaling_laws.h"

enum { NND_SCALING_VARIABLES = 26 };
extern const nnd_variable nnd_scaling_laws_variables[NND_SCALING_VARIABLES];

bool nnd_scaling_laws_check(void *params, nnd_objection *objection);

/* Squares of its inverse, a frequency, and products with losses are doubles. */
#define NND_SCALING_LEAST_TIME 1e-100

#endif
