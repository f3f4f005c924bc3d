/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Students of `scaling-laws`, one by one. */
#ifndef NNDMFT_TESTS_STUDENTS_H
#define NNDMFT_TESTS_STUDENTS_H

#include "support.h"
#include "validate/simulators.h"

/** Trains `networks` students of a case, without summary over them. */
static inline nnd_frame *simulate_students(nnd_context *ctx, const char *yaml, size_t size,
                                           size_t networks) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    nnd_status status =
        nnd_scaling_laws_simulator.simulate(ctx, c->params[0], size, 1, 0, networks, &frame);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
    nnd_case_free(c);
    return frame;
}

#endif
