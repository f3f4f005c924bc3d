/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The weights that a simulation has kept, as matrices. */
#ifndef NNDMFT_IO_WEIGHTS_FRAME_H
#define NNDMFT_IO_WEIGHTS_FRAME_H

#include "io/matrices_impl.h"
#include "nndmft/frame.h"

/*
 * Lists every matrix of a frame, which becomes the file's: the last two dimensions of an array are
 * rows and columns, `t` is the step, and others (what was swept, the size) become a part of the
 * name, as "W1[gamma0=2, size=64]". Rows and columns that are NaN at their end are padding: other
 * matrices of the array are larger.
 */
NND_MUST_USE nnd_status nnd_weights_list(nnd_context *ctx, nnd_matrices *file, nnd_frame *frame);

#endif
