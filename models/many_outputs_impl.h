/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of the model `many-outputs` share. */
#ifndef NNDMFT_MODELS_MANY_OUTPUTS_IMPL_H
#define NNDMFT_MODELS_MANY_OUTPUTS_IMPL_H

#include "nndmft/many_outputs.h"

enum { NND_OUTPUTS_VARIABLES = 28 };
extern const nnd_variable nnd_many_outputs_variables[NND_OUTPUTS_VARIABLES];
/** Ends with a name NULL. */
extern const nnd_view nnd_many_outputs_views[];

bool nnd_many_outputs_check(void *params, nnd_objection *objection);

#endif
