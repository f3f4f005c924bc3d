/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of `wide-mlp`, and tables of what it shall find. */
#ifndef NNDMFT_TESTS_WIDE_MLP_H
#define NNDMFT_TESTS_WIDE_MLP_H

#include <math.h>

#include "support.h"

static inline nnd_frame *solve(nnd_context *ctx, const char *params) {
    return test_solve(ctx, "wide-mlp", params);
}

/** A value of a table of wide-mlp.md and its standard error. */
typedef struct {
    const char *name, *at;
    double value, se;
} entry;

/** Within 5 standard errors of both, and an allowance for what is no noise. */
static inline void check_entry(const nnd_frame *frame, const entry *e, double allowance) {
    double got = test_value(frame, e->name, e->at);
    double se = hypot(test_se(frame, e->name, e->at), e->se);
    ck_assert_msg(fabs(got - e->value) <= 5.0 * se + allowance,
                  "%s at %s: want %.9g, got %.9g, s.e. %g", e->name, e->at, e->value, got, se);
}

#endif
