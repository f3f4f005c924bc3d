/* SPDX-License-Identifier: GPL-3.0-or-later */
/* method: interpolate of deep-linear against runs of all their steps (deep-linear.md#s1-3). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

#define R1     "gamma0: 3, sigma: 0.6, noise: 0.3"
#define CURVES "spectrum: false, ntk: false"

static nnd_frame *solve(nnd_context *ctx, const char *params, const char *method) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s, method: %s}}", params, method);
    return test_theory(ctx, yaml);
}

static double number(const nnd_frame *f, const char *key) {
    return nnd_frame_find_attribute(f, NULL, key)->number;
}

/* The largest difference of an array, relative to its largest value; both lack the same. */
static double array_difference(const nnd_array *a, const nnd_array *b) {
    double most = 0.0, largest = 0.0;
    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        ck_assert_msg(isnan(a->data[i]) == isnan(b->data[i]), "%s: %zu is there once", a->name, i);
        if (isnan(a->data[i]))
            continue;
        most = fmax(most, fabs(a->data[i] - b->data[i]));
        largest = fmax(largest, fabs(b->data[i]));
    }
    return largest > 0.0 ? most / largest : most;
}

static double curve_difference(const nnd_frame *a, const nnd_frame *b) {
    static const char *const name[] = {"test_risk",  "train_mse", "overlap",
                                       "beta_norm2", "g_norm2",   "h_norm2"};
    double worst = 0.0;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        worst =
            fmax(worst, array_difference(nnd_frame_find(a, name[i]), nnd_frame_find(b, name[i])));
    return worst;
}

/* The fourth has first runs that diverge, the last one a record of uneven steps. */
static const char *const CASES[] = {
    R1 ", lr: 0.002, steps: 6400, record_every: 640, " CURVES,
    ("depth: 3, alpha: 1.5, nu: 0.7, noise: 0.2, sigma: [0.5, 0.9, 0.7, 1.1], center: true, "
     "lr: 0.001, steps: 3200, record_every: 400, two_time: true, " CURVES),
    ("depth: 2, alpha: inf, parameterization: ntk, nu: 2, gamma0: 0.7, sigma: 0.8, lr: 0.002, "
     "steps: 3200, record_every: 320, " CURVES),
    R1 ", lr: 0.01875, steps: 6400, record_every: 640, " CURVES,
    "depth: 2, sigma: 0.7, lr: 0.003, steps: 3200, record: [16, 160, 1040], " CURVES,
};

/* With what the runs leave out; the run of all steps at a smaller tolerance. */
START_TEST(a_stated_error_is_above_the_distance_from_all_steps) {
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    snprintf(params, sizeof params, "%s, tolerance: 1.0e-9", CASES[_i]);
    nnd_frame *few = solve(ctx, CASES[_i], "interpolate"), *all = solve(ctx, params, "auto");
    double error = curve_difference(few, all);
    double stated = number(few, "interpolation_error") + number(few, "march_error");
    ck_assert_msg(error > 1e-13 && error < stated && stated < 1e-5, "error %.3g, stated %.3g",
                  error, stated);
    ck_assert_msg(error < 1e-7, "error %.3g", error);
    const nnd_dim *t = nnd_frame_find_dim(few, "t"), *want = nnd_frame_find_dim(all, "t");
    for (size_t i = 0; i < want->length; i++)
        ck_assert_double_eq(t->value[i], want->value[i]);
    nnd_frame_free(few);
    nnd_frame_free(all);
    nnd_context_free(ctx);
}
END_TEST

/* Outliers, overlaps, modes of the NTK and their claims are curves as well. */
START_TEST(spectra_are_continued_like_curves) {
    static const char *const name[] = {"outlier",
                                       "outlier_overlap_target",
                                       "outlier_overlap_readout",
                                       "bulk_edge",
                                       "ntk_top",
                                       "ntk_edge",
                                       "stability",
                                       "ntk_residual_overlap",
                                       "stability_edge"};
    nnd_context *ctx = nnd_context_new(NULL);
    const char *params = R1 ", lr: 0.001, steps: 3200, record: [800, 2000]";
    nnd_frame *few = solve(ctx, params, "interpolate"), *all = solve(ctx, params, "auto");
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        double error = array_difference(nnd_frame_find(few, name[i]), nnd_frame_find(all, name[i]));
        ck_assert_msg(error < 1e-7, "%s: error %.3g", name[i], error);
    }
    double time = test_value(few, "escape_time", "matrix=0,k=1");
    double se = test_value(few, "escape_time_se", "matrix=0,k=1");
    double want = test_value(all, "escape_time", "matrix=0,k=1");
    ck_assert_msg(fabs(time - want) < se && se < 0.01 * want, "escape at %g(%g), not %g", time, se,
                  want);
    nnd_frame_free(few);
    nnd_frame_free(all);
    nnd_context_free(ctx);
}
END_TEST

/* Six runs: the error falls like the sixth power of their steps, here: 64 for half of them. */
START_TEST(the_error_falls_with_the_sixth_power_of_the_steps) {
    nnd_context *ctx = nnd_context_new(NULL);
    double error[2];
    for (int i = 0; i < 2; i++) {
        int steps = 6400 << i;
        char params[256];
        snprintf(params, sizeof params,
                 R1 ", lr: %.17g, steps: %d, record_every: 32, alpha: inf, tolerance: 1.0e-11, "
                    "check: false, " CURVES,
                 40.0 / steps, steps);
        nnd_frame *few = solve(ctx, params, "interpolate"), *all = solve(ctx, params, "auto");
        error[i] = curve_difference(few, all);
        nnd_frame_free(few);
        nnd_frame_free(all);
    }
    ck_assert_msg(error[0] > 40.0 * error[1] && error[0] < 200.0 * error[1],
                  "errors %.3g with 200 and more steps, %.3g with 400", error[0], error[1]);
    nnd_context_free(ctx);
}
END_TEST

/* Steps at the edge of stability: runs with larger ones diverge or go elsewhere. */
START_TEST(rates_that_are_not_small_are_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {" R1 ", lr: 0.5, steps: 3200, "
                                 "record_every: 200, method: interpolate, " CURVES "}}");
    nnd_frame *frame = NULL;
    nnd_status status = nnd_theory_run(ctx, c, NULL, &frame);
    ck_assert_int_eq(status, NND_E_UNSOLVED);
    ck_assert_msg(strncmp(nnd_context_message(ctx), "lr: 0.5 is too large", 20) == 0, "%s",
                  nnd_context_message(ctx));
    ck_assert_ptr_null(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interpolation");
    TCase *tests = tcase_create("interpolation");
    tcase_add_loop_test(tests, a_stated_error_is_above_the_distance_from_all_steps, 0,
                        (int)(sizeof CASES / sizeof *CASES));
    tcase_add_test(tests, spectra_are_continued_like_curves);
    tcase_add_test(tests, the_error_falls_with_the_sixth_power_of_the_steps);
    tcase_add_test(tests, rates_that_are_not_small_are_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
