/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the table of a model has of a variable at finite size. */
#ifndef NNDMFT_MODELS_MOMENTS_H
#define NNDMFT_MODELS_MOMENTS_H

#include "nndmft/model.h"

/** A variable, and those that hold size times its variance and its bias; NULL: there is none. */
typedef struct {
    const char *mean, *nvar, *bias;
} nnd_moments;

/** Those of a variable. */
nnd_moments nnd_moments_of(const nnd_model *model, const char *mean);

#endif
