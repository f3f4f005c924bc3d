/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program around the library has threads of its own: they change no bit, and nobody theirs. */
#include <omp.h>
#include <stdlib.h>

#include "support.h"

/* Matrices large enough that BLAS would share their products among threads. */
static const char *const cases[] = {
    "{model: deep-linear, params: {depth: 2, steps: 120, noise: 0.3, record: [60, 120]}}",
    "{model: wide-mlp, params: {depth: 2, activation: tanh, lr: 0.1, steps: 6, samples: 4096, "
    "replicates: 2, solver: march, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}}",
    "{model: alignment, params: {covariance: {power_law: 1, dim: 150}, training: flow, time: 20, "
    "record: [1, 20], teacher: {power: 1}}}",
    "{model: two-layer-fluctuations, params: {activation: tanh, lr: 0.05, steps: 20, record: "
    "[10, 20], center: true, kernels: false, data: {gram: [[1]], targets: [1]}}}",
    "{model: flat-minima, params: {depth: 3, steps: 50, lr: 0.001, data: {generate: regression, "
    "samples: 200, dim: 120, noise: 1}}}",
    "{model: deep-linear, params: {depth: 2, steps: 4, noise: 0.3, record: [4]}, "
    "simulate: {size: 200, seeds: 3}}",
    "{model: wide-mlp, params: {depth: 2, activation: tanh, lr: 0.1, steps: 3, samples: 512, "
    "replicates: 2, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}, "
    "simulate: {size: 200, seeds: 3}}",
    "{model: alignment, params: {training: ridge, alpha: 1.5, ridge: 0.1}, "
    "simulate: {size: 150, seeds: 3}}",
};

enum { CASES = sizeof cases / sizeof *cases };

static nnd_context *context(int threads) {
    const nnd_context_options options = {.threads = threads};
    return nnd_context_new(&options);
}

/* Theory of a case, or the ensemble if it asks for one. */
static nnd_status compute(nnd_context *ctx, const nnd_case *c, nnd_frame **frame) {
    if (!c->simulates)
        return nnd_theory_run(ctx, c, NULL, frame);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble ensemble;
    nnd_status status = nnd_ensemble_run(ctx, c, store, &ensemble);
    *frame = ensemble.mc;
    ensemble.mc = NULL;
    nnd_ensemble_clear(&ensemble);
    nnd_memory_store_free(store);
    return status;
}

/* What a case gives with `around` threads outside the library and `inside` within it. */
static nnd_frame *run(const char *yaml, int around, int inside) {
    nnd_context *ctx = context(inside);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    omp_set_num_threads(around);
    nnd_status status = compute(ctx, c, &frame);
    ck_assert_msg(status >= NND_OK, "%s", nnd_context_message(ctx));
    ck_assert_int_eq(omp_get_max_threads(), around);
    nnd_frame_adopt(frame, NULL);
    nnd_case_free(c);
    nnd_context_free(ctx);
    return frame;
}

START_TEST(the_threads_around_the_library_change_no_bit) {
    nnd_frame *one = run(cases[_i], 1, 1);
    for (int around = 1; around <= 4; around *= 2)
        for (int inside = 1; inside <= 2; inside++) {
            nnd_frame *other = run(cases[_i], around, inside);
            ck_assert_msg(test_frames_identical(one, other), "%d around, %d inside", around,
                          inside);
            nnd_frame_free(other);
        }
    nnd_frame_free(one);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_add_loop_test(tests, the_threads_around_the_library_change_no_bit, 0, CASES);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
