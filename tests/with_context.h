/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A context of its own for each test of a file. */
#ifndef NNDMFT_TESTS_WITH_CONTEXT_H
#define NNDMFT_TESTS_WITH_CONTEXT_H

#include "nndmft/context.h"

static nnd_context *ctx;

static void setup(void) {
    ctx = nnd_context_new(NULL);
}

static void teardown(void) {
    nnd_context_free(ctx);
}

#endif
