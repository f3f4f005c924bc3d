/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every theory that can take long ends when its context is interrupted, and says where. */
#include <string.h>

#include "nndmft/theory.h"
#include "support.h"

#define POINT "data: {gram: [[1]], targets: [1]}}}"

static const char *const CASES[] = {
    "{model: deep-linear, params: {steps: 3}}",
    "{model: wide-mlp, params: {activation: tanh, steps: 3, samples: 64, depth: 2, " POINT,
    "{model: wide-mlp, params: {activation: linear, steps: 3, " POINT,
    "{model: wide-mlp, params: {activation: tanh, solver: quadrature, steps: 3, " POINT,
    "{model: wide-mlp, params: {activation: tanh, parameterization: ntk, steps: 3, " POINT,
    "{model: two-layer-fluctuations, params: {activation: linear, steps: 3, " POINT,
    "{model: two-layer-fluctuations, params: {activation: tanh, steps: 3, " POINT,
    "{model: two-layer-fluctuations, params: {activation: tanh, solver: sampled, samples: 64, "
    "steps: 3, " POINT,
    "{model: lazy-fluctuations, params: {steps: 3, " POINT,
    "{model: directional, params: {time: 10}}",
    "{model: directional, params: {integrator: gd, steps: 10}}",
    "{model: flat-minima, params: {init: aligned, steps: 10, data: {covariance: [[2, 0], [0, 1]], "
    "minimizer: [1, 1]}}}",
    "{model: flat-minima, params: {init: aligned, integrator: flow, time: 10, data: {covariance: "
    "[[2, 0], [0, 1]], minimizer: [1, 1]}}}",
};

START_TEST(theory_ends_when_it_is_interrupted) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, CASES[_i]);
    nnd_frame *frame = NULL;
    nnd_context_interrupt(ctx);
    nnd_status status = nnd_theory_find(c->model)->solve(ctx, c->params[0], &frame);
    ck_assert_msg(status == NND_E_INTERRUPTED, "%s: %s", CASES[_i], nnd_context_message(ctx));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "interrupted at"));
    ck_assert_ptr_null(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interrupt");
    TCase *tests = tcase_create("interrupt");
    tcase_add_loop_test(tests, theory_ends_when_it_is_interrupted, 0, sizeof CASES / sizeof *CASES);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
