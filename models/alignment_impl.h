/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of the model `alignment` share. */
#ifndef NNDMFT_MODELS_ALIGNMENT_IMPL_H
#define NNDMFT_MODELS_ALIGNMENT_IMPL_H

#include "nndmft/alignment.h"

enum { NND_ALIGNMENT_VARIABLES = 36 };
extern const nnd_variable nnd_alignment_variables[NND_ALIGNMENT_VARIABLES];

bool nnd_alignment_check(void *params, nnd_objection *objection);

#endif
