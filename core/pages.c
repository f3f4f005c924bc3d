/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pages.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { CACHE_LINE = 64, LARGE_PAGE = 1 << 21 };

double nnd_pages_bytes(size_t n) {
    double bytes = (double)n * sizeof(double);
    double page = bytes < LARGE_PAGE ? CACHE_LINE : LARGE_PAGE;
    return ceil(bytes / page) * page;
}

double *nnd_pages_new(size_t n) {
    if (n > (SIZE_MAX - LARGE_PAGE) / sizeof(double))
        return NULL;
    size_t bytes = n * sizeof(double), align = bytes < LARGE_PAGE ? CACHE_LINE : LARGE_PAGE;
    size_t whole = (bytes / align + 1) * align;
    double *x = aligned_alloc(align, whole);
#ifdef MADV_HUGEPAGE
    if (x != NULL && align == LARGE_PAGE)
        (void)madvise(x, whole, MADV_HUGEPAGE); /* a wish: some kernels refuse it */
#endif
    return x;
}
