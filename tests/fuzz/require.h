/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What must hold for every input, in words that tests/fuzz/run.sh looks for. */
#ifndef NNDMFT_TESTS_FUZZ_REQUIRE_H
#define NNDMFT_TESTS_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void require(bool truth, const char *what) {
    if (truth)
        return;
    fprintf(stderr, "not true: %s\n", what);
    abort();
}

#endif
