/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A benchmark ends at the first error. */
#ifndef NNDMFT_BENCH_REQUIRE_H
#define NNDMFT_BENCH_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#include "nndmft/context.h"

/** Says what went wrong and exits, if anything did. */
static inline void require(nnd_context *ctx, nnd_status status) {
    if (status >= NND_OK)
        return;
    fprintf(stderr, "bench: %s\n", nnd_context_message(ctx));
    exit(EXIT_FAILURE);
}

#endif
