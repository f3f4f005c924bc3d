/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the writers of tables share, and pictures in part. */
#ifndef NNDMFT_IO_EXPORT_IMPL_H
#define NNDMFT_IO_EXPORT_IMPL_H

#include "nndmft/io.h"

/** True if two arrays of a frame have the same dimensions in the same order. */
bool nnd_export_same_dims(const nnd_array *a, const nnd_array *b);
/** The standard error x_se that stands beside an array x, or NULL. */
const nnd_array *nnd_export_error_of(const nnd_frame *frame, const nnd_array *array);
/** True for x_se when x is there too: it is a column of x, not a variable of its own. */
bool nnd_export_is_error(const nnd_frame *frame, const nnd_array *array);
enum { NND_EXPORT_PARTS = 5 };
/** Finds what the user named: one variable, or, of a comparison, x_theory, x_mc, x_diff, x_se and
 *  x_z for the name x; `*count` of them. An unknown name is an error that lists what there is. */
NND_MUST_USE nnd_status nnd_export_find_all(nnd_context *ctx, const nnd_frame *frame,
                                            const char *name, size_t *count,
                                            const nnd_array *array[NND_EXPORT_PARTS]);
/** Flushes `out` and reports whether all of it was written. */
NND_MUST_USE nnd_status nnd_export_finish(nnd_context *ctx, FILE *out);

#endif
