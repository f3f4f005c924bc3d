/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Names of models and of variables that a misspelt one may have meant. */
#ifndef NNDMFT_MODELS_SUGGEST_H
#define NNDMFT_MODELS_SUGGEST_H

#include "core/suggest.h"
#include "nndmft/model.h"

/** Offers the names of all models, and those of the variables of one. */
void nnd_model_suggest(nnd_suggestion *suggestion);
void nnd_model_suggest_variables(const nnd_model *model, nnd_suggestion *suggestion);

#endif
