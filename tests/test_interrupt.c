/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every theory that can take long ends when its context is interrupted, and says where. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "nndmft/solvers/outliers.h"
#include "nndmft/theory.h"
#include "support.h"
#include "theory/deep_linear_spectrum.h"
#include "theory/dual.h"

#define POINT "data: {gram: [[1]], targets: [1]}}}"

static const char *const CASES[] = {
    "{model: deep-linear, params: {steps: 3}}",
    "{model: deep-linear, params: {integrator: flow, time: 1}}",
    "{model: deep-linear-fluctuations, params: {steps: 3, " POINT,
    "{model: deep-fluctuations, params: {steps: 3, samples: 64, " POINT,
    "{model: many-outputs, params: {c: 0.5, d: 0.8, integrator: flow, time: 1}}",
    "{model: many-outputs, params: {c: 0.5, d: 0.8, p: 1.5, integrator: flow, time: 1}}",
    "{model: many-outputs, params: {variant: steps, c: 0.5, d: 0.8, lr: 0.3, steps: 1}}",
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
    "{model: online-fluctuations, params: {steps: 3}}",
    "{model: lazy-fluctuations, params: {steps: 3, depth: 2, activation: tanh, " POINT,
    "{model: wide-mlp, params: {activation: tanh, parameterization: ntk, depth: 2, steps: 3, "
    "data: {gram: [[1, 0], [0, 1]], targets: [1, 2]}}}",
    "{model: alignment, params: {minimum: true, ridge: 0.1, covariance: {power_law: 1, dim: 5}}}",
    "{model: alignment, params: {training: flow, covariance: {power_law: 1, dim: 5}}}",
    "{model: alignment, params: {training: rich, alpha: 0.6}}",
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

/* The parts of a theory that come after the first, which sees the interrupt before them. */
START_TEST(spectra_end_when_they_are_interrupted) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {depth: 3, steps: 5}}");
    const nnd_deep_linear *p = c->params[0];
    nnd_small n;
    nnd_reals steps;
    nnd_frame *frame;
    nnd_spectra *spectra;
    ck_assert_int_eq(nnd_small_make(ctx, p, p->tolerance, 1, &n), NND_OK);
    ck_assert_int_eq(nnd_small_evaluate(&n, 0), NND_OK);
    ck_assert_int_eq(nnd_deep_linear_marks(ctx, p, &steps), NND_OK);
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(frame, "t", NND_COORD_INTEGER, steps.count, steps.value),
                     NND_OK);
    ck_assert_int_eq(nnd_spectra_new(ctx, p, frame, &spectra), NND_OK);
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(nnd_spectra_look(spectra, &n, 0, 0.0, 0), NND_E_INTERRUPTED);
    nnd_spectra_free(spectra);
    nnd_frame_free(frame);
    free(steps.value);
    nnd_small_clear(&n);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

static nnd_status shifted(void *data, double x, double *m) {
    (void)data;
    m[0] = x - 1.0;
    return NND_OK;
}

START_TEST(searches_and_averages_end_when_they_are_interrupted) {
    nnd_context *ctx = nnd_context_new(NULL);
    const nnd_outlier_problem problem = {1, 0, shifted, NULL};
    const nnd_activation activation = {.name = NND_TANH, .scale = 1.0};
    const double h[] = {1.0, 0.5, 0.5, 1.0};
    double x, phi[4], slope[4];
    size_t count;
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(nnd_outlier_count(ctx, &problem, 0.5, &count), NND_E_INTERRUPTED);
    ck_assert_int_eq(nnd_outlier_find(ctx, &problem, 0, 0.5, 2.0, &x, NULL), NND_E_INTERRUPTED);
    ck_assert_int_eq(nnd_dual_moments(ctx, &activation, 2, h, phi, slope), NND_E_INTERRUPTED);
    nnd_context_free(ctx);
}
END_TEST

/* Has a root at 0, and none to tell once it was interrupted. */
static double interrupts_itself(double x, void *data) {
    nnd_context *ctx = data;
    if (fabs(x) < 1.0)
        nnd_context_interrupt(ctx);
    return nnd_context_interrupted(ctx) ? NAN : x;
}

START_TEST(a_search_tells_an_interrupt_from_a_function_without_value) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_bracket b = {-1.0, 2.0, NAN};
    ck_assert_int_eq(nnd_brent_root(ctx, interrupts_itself, ctx, 1e-9, 0.0, &b), NND_E_INTERRUPTED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "interrupted at a search"));
    nnd_context_free(ctx);
}
END_TEST

/* A point that is itself soon done looks for nothing: the sweep does. */
START_TEST(a_sweep_ends_between_its_points) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: alignment, sweep: {alpha: [1, 2, 3]}}");
    nnd_frame *frame = NULL;
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INTERRUPTED);
    ck_assert_ptr_null(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interrupt");
    TCase *tests = tcase_create("interrupt");
    tcase_add_loop_test(tests, theory_ends_when_it_is_interrupted, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tests, spectra_end_when_they_are_interrupted);
    tcase_add_test(tests, searches_and_averages_end_when_they_are_interrupted);
    tcase_add_test(tests, a_search_tells_an_interrupt_from_a_function_without_value);
    tcase_add_test(tests, a_sweep_ends_between_its_points);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
