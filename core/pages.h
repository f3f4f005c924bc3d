/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Memory for many numbers that are read in order, again and again. */
#ifndef NNDMFT_CORE_PAGES_H
#define NNDMFT_CORE_PAGES_H

#include <stddef.h>

/**
 * Room for n numbers, not set; they begin where a line of the cache does, and many of them lie in
 * large pages: every few rows of a matrix would else be looked up in a table of their own, which
 * costs a tenth of the time of products with it. NULL when out of memory; owned by the caller, who
 * frees it by free().
 */
double *nnd_pages_new(size_t n);
/** Memory that n numbers take once they are set: whole pages. */
double nnd_pages_bytes(size_t n);

#endif
