/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of IDX files, in which MNIST and its like are published. */
#ifndef NNDMFT_IO_IDX_H
#define NNDMFT_IO_IDX_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a path ends in NAME-idxN.. or NAME.idxN.., N a digit. */
bool nnd_idx_is_named(const char *path);
/* NAME of such a path, which is that of its array; cut to `size`. */
void nnd_idx_array_name(const char *path, size_t size, char *name);

#endif
