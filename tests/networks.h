/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Simulated networks of a case given as text: one block, or an ensemble against known values. */
#ifndef NNDMFT_TESTS_NETWORKS_H
#define NNDMFT_TESTS_NETWORKS_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "support.h"
#include "validate/simulators.h"

/** The first block of a case, seeds and all. */
static nnd_frame *simulated(nnd_context *ctx, const char *yaml) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    const nnd_simulator *s = nnd_simulator_find(c->model);
    size_t size = nnd_case_size(c, 0);
    if (s->simulate(ctx, c->params[0], size, 1, 0, s->block(c->params[0], size), &frame) < NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    nnd_case_free(c);
    return frame;
}

/** A number of a frame, at coordinates in printf format. */
static double at(const nnd_frame *frame, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static double at(const nnd_frame *frame, const char *name, const char *format, ...) {
    char where[128];
    va_list args;
    va_start(args, format);
    vsnprintf(where, sizeof where, format, args);
    va_end(args);
    return test_value(frame, name, where);
}

/** A value that the mean over networks shall have. */
typedef struct {
    const char *name, *where;
    double want, allowance; /* what is finite about this width */
} reference;

/** The ensemble of a case at its first size against values, within 5 standard errors. */
static void compare(const char *yaml, size_t count, const reference *of) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, yaml);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e;
    ck_assert(store != NULL);
    ck_assert_msg(nnd_ensemble_run(ctx, c, store, &e) == NND_OK, "%s", nnd_context_message(ctx));
    for (size_t i = 0; i < count; i++) {
        char where[128];
        snprintf(where, sizeof where, "size=%zu,%s", nnd_case_size(c, 0), of[i].where);
        double got = test_value(e.mc, of[i].name, where), error = test_se(e.mc, of[i].name, where);
        ck_assert_msg(fabs(got - of[i].want) <= 5.0 * error + of[i].allowance,
                      "%s at %s: want %.6g, got %.6g +- %.2g", of[i].name, of[i].where, of[i].want,
                      got, error);
        /* The error must be small enough to tell anything. */
        ck_assert(error < 0.02 * fmax(1.0, fabs(of[i].want)));
    }
    nnd_ensemble_clear(&e);
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

#endif
