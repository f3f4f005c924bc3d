/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NNDMFT_MODELS_FLAT_MINIMA_IMPL_H
#define NNDMFT_MODELS_FLAT_MINIMA_IMPL_H

#include "nndmft/flat_minima.h"

/** The file of given weights, NULL if they are none or have been read. */
const char *nnd_flat_minima_file(const void *params);
/** Takes W_1, ..., W_L from the arrays of a file, in the natural order of their names. */
NND_MUST_USE nnd_status nnd_flat_minima_load(nnd_context *ctx, void *params, const char *path,
                                             const nnd_frame *arrays);

#endif
