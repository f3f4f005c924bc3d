/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Case files, which are read as a whole. */
#ifndef NNDMFT_SMALL_FILE_H
#define NNDMFT_SMALL_FILE_H

#include "nndmft/context.h"

/*
 * Reads a file of at most `limit` bytes, none of them NUL, as a text owned by the caller; "-" is
 * the standard input. Reads no further than the limit, and an interrupt ends it, so that endless
 * and silent pipes do no harm. NND_E_INPUT for what cannot be a case; the message ends with
 * `advice` if the file is too large.
 */
NND_MUST_USE nnd_status nnd_small_file_read(nnd_context *ctx, const char *path, size_t limit,
                                            const char *advice, char **text);
/* What a path is called in messages. */
const char *nnd_small_file_name(const char *path);

#endif
