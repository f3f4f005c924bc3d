/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Temporaries of output files, for a folder that holds many of them. */
#ifndef NNDMFT_IO_OUTPUT_IMPL_H
#define NNDMFT_IO_OUTPUT_IMPL_H

#include "nndmft/io.h"

/* nnd_output_open, but what killed writers left behind stays. */
NND_MUST_USE nnd_status nnd_output_create(nnd_context *ctx, const char *path, nnd_output **output);
/* Removes the temporaries in a folder whose writers are dead: those of the file `name`, or, if that
 * is NULL, of all files. */
void nnd_output_sweep(const char *folder, const char *name);

#endif
