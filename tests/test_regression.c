/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control variates: what they take away, what they cost, when they are not used. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "support.h"
#include "validate/regression.h"

enum { SEEDS = 40, COLUMNS = 2 };

static const double ROUNDING = 1e-12;

static nnd_context *ctx;
static nnd_regression regression;
static double control[SEEDS][COLUMNS], y[SEEDS], share[SEEDS];

static void setup(void) {
    ctx = nnd_context_new(NULL);
    nnd_rng_normals((nnd_rng_key){7, 0, 0}, 0, 0, sizeof control / sizeof(double), &control[0][0]);
    nnd_rng_normals((nnd_rng_key){7, 0, 0}, 1, 0, SEEDS, y);
}

static void teardown(void) {
    nnd_regression_clear(&regression);
    nnd_context_free(ctx);
}

/* The controls of all seeds but one (SEEDS: of all). */
static size_t make(size_t without) {
    nnd_frame *seeds;
    double *data;
    size_t chosen[SEEDS], count = 0;
    ck_assert_int_eq(nnd_frame_new(ctx, &seeds), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(seeds, "seed", SEEDS, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(seeds, "control", COLUMNS, 1), NND_OK);
    ck_assert_int_eq(nnd_frame_add(seeds, "control", "seed,control", &data), NND_OK);
    memcpy(data, control, sizeof control);
    for (size_t i = 0; i < SEEDS; i++)
        if (i != without)
            chosen[count++] = i;
    nnd_regression_clear(&regression);
    ck_assert_msg(nnd_regression_make(ctx, seeds, count, chosen, &regression) == NND_OK, "%s",
                  nnd_context_message(ctx));
    nnd_frame_free(seeds);
    return count;
}

/* Mean of y over all seeds but one, regressed on the controls. */
static nnd_estimate estimate(size_t without) {
    double left[SEEDS];
    size_t count = make(without);
    for (size_t i = 0, k = 0; i < SEEDS; i++)
        if (i != without)
            left[k++] = y[i];
    (void)count;
    return nnd_regressed_mean(&regression, left, share);
}

START_TEST(what_is_linear_in_the_controls_is_known_exactly) {
    for (size_t i = 0; i < SEEDS; i++)
        y[i] = 2.5 + 3.0 * control[i][0] - 0.1 * control[i][1];
    nnd_estimate e = estimate(SEEDS);
    ck_assert_double_eq_tol(e.value, 2.5, ROUNDING);
    ck_assert_double_eq_tol(e.se, 0.0, ROUNDING);
}
END_TEST

/* The intercept of the textbook: normal equations of (1, c1, c2), solved by Cramer's rule. */
static double textbook(void) {
    double a[3][4] = {{0}};
    for (size_t i = 0; i < SEEDS; i++) {
        const double row[4] = {1.0, control[i][0], control[i][1], y[i]};
        for (int p = 0; p < 3; p++)
            for (int q = 0; q < 4; q++)
                a[p][q] += row[p] * row[q];
    }
    double det[2];
    for (int k = 0; k < 2; k++) {
        double m[3][3];
        for (int p = 0; p < 3; p++)
            for (int q = 0; q < 3; q++)
                m[p][q] = a[p][k == 1 && q == 0 ? 3 : q];
        det[k] = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
                 m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                 m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
    }
    return det[1] / det[0];
}

START_TEST(the_estimate_is_the_intercept_of_least_squares) {
    for (size_t i = 0; i < SEEDS; i++)
        y[i] += 1.0 + 2.0 * control[i][0];
    ck_assert_double_eq_tol(estimate(SEEDS).value, textbook(), ROUNDING);
}
END_TEST

START_TEST(shares_are_what_leaving_a_seed_out_changes) {
    double all[SEEDS], sum2 = 0.0;
    for (size_t i = 0; i < SEEDS; i++)
        y[i] += 2.0 * control[i][0];
    nnd_estimate e = estimate(SEEDS);
    memcpy(all, share, sizeof all);
    for (size_t i = 0; i < SEEDS; i++) {
        double change = e.value - estimate(i).value;
        ck_assert_double_eq_tol(all[i], sqrt((SEEDS - 1.0) / SEEDS) * change, ROUNDING);
        sum2 += all[i] * all[i];
    }
    ck_assert_double_eq_tol(e.se, sqrt(sum2), ROUNDING);
}
END_TEST

START_TEST(columns_that_say_nothing_new_are_dropped) {
    nnd_estimate both = estimate(SEEDS);
    ck_assert_uint_eq(regression.columns, 2);
    for (size_t i = 0; i < SEEDS; i++)
        control[i][1] = 0.0;
    nnd_estimate one = estimate(SEEDS);
    ck_assert_uint_eq(regression.columns, 1);
    ck_assert_double_ne(one.value, both.value);
    for (size_t i = 0; i < SEEDS; i++)
        control[i][1] = -1e6 * control[i][0];
    nnd_estimate twice = estimate(SEEDS);
    ck_assert_uint_eq(regression.columns, 1);
    ck_assert_double_eq_tol(twice.value, one.value, 1e-9);
    ck_assert_double_eq_tol(twice.se, one.se, 1e-9);
    memset(control, 0, sizeof control);
    ck_assert_double_eq(estimate(SEEDS).value, nnd_mean(SEEDS, y, 1).value);
    ck_assert_uint_eq(regression.columns, 0);
}
END_TEST

/* Off by 3 s.e. is chance, by 12 it is not. */
START_TEST(controls_that_are_off_their_expectations_are_not_used) {
    double mean = 0.0, mean2 = 0.0;
    for (size_t i = 0; i < SEEDS; i++) {
        mean += control[i][0] / SEEDS;
        mean2 += control[i][1] / SEEDS;
    }
    for (size_t i = 0; i < SEEDS; i++) {
        control[i][0] += 3.0 / sqrt(SEEDS) - mean;
        control[i][1] -= mean2;
    }
    make(SEEDS);
    ck_assert_uint_eq(regression.columns, 2);
    for (size_t i = 0; i < SEEDS; i++)
        control[i][0] += 9.0 / sqrt(SEEDS);
    nnd_estimate e = estimate(SEEDS), plain = nnd_mean(SEEDS, y, 1);
    ck_assert_uint_eq(regression.columns, 0);
    ck_assert_double_eq(e.value, plain.value);
}
END_TEST

START_TEST(few_seeds_are_not_regressed) {
    size_t chosen[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    nnd_frame *seeds;
    double *data;
    ck_assert_int_eq(nnd_frame_new(ctx, &seeds), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(seeds, "seed", SEEDS, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(seeds, "control", COLUMNS, 1), NND_OK);
    ck_assert_int_eq(nnd_frame_add(seeds, "control", "seed,control", &data), NND_OK);
    memcpy(data, control, sizeof control);
    ck_assert_int_eq(nnd_regression_make(ctx, seeds, 11, chosen, &regression), NND_OK);
    ck_assert_uint_eq(regression.columns, 0);
    nnd_regression_clear(&regression);
    ck_assert_int_eq(nnd_regression_make(ctx, seeds, 12, chosen, &regression), NND_OK);
    ck_assert_uint_eq(regression.columns, 2);
    nnd_frame_free(seeds);
}
END_TEST

START_TEST(without_controls_or_error_nothing_changes) {
    nnd_frame *seeds;
    size_t chosen[SEEDS] = {0};
    ck_assert_int_eq(nnd_frame_new(ctx, &seeds), NND_OK);
    ck_assert_int_eq(nnd_regression_make(ctx, seeds, SEEDS, chosen, &regression), NND_OK);
    nnd_frame_free(seeds);
    nnd_estimate plain = nnd_mean(SEEDS, y, 1);
    ck_assert_double_eq(nnd_regressed_mean(&regression, y, share).value, plain.value);
    plain = nnd_covariance(SEEDS, y, y, NULL);
    ck_assert_double_eq(nnd_regressed_covariance(&regression, y, y, share).value, plain.value);
    make(SEEDS);
    y[3] = NAN;
    ck_assert_double_nan(nnd_regressed_mean(&regression, y, share).se);
    ck_assert_double_nan(nnd_regressed_covariance(&regression, y, y, share).value);
    ck_assert_double_nan(nnd_regressed_ratio(&regression, y, y, share).value);
}
END_TEST

/* x is the first control, whose square less 1 is the second: the variance of x is known. */
START_TEST(a_variance_of_what_is_known_is_known) {
    double x[SEEDS];
    for (size_t i = 0; i < SEEDS; i++) {
        x[i] = 3.0 + control[i][0];
        control[i][1] = control[i][0] * control[i][0] - 1.0;
    }
    make(SEEDS);
    nnd_estimate e = nnd_regressed_covariance(&regression, x, x, share);
    ck_assert_double_eq_tol(e.value, 1.0, ROUNDING);
    ck_assert_double_eq_tol(e.se, 0.0, ROUNDING);
}
END_TEST

/* 3000 ensembles of 40: covariance and ratio have no bias within 4 errors, and errors of the size
 * that they state (their squares, averaged, to 10 %). x and y share half of their variance with the
 * controls, cov(x, y) = 1 and E x/E y = 2. */
START_TEST(covariance_and_ratio_are_unbiased_with_honest_errors) {
    enum { ENSEMBLES = 3000 };
    double x[SEEDS], z[SEEDS], noise[2 * SEEDS], sum[2] = {0}, sum2[2] = {0}, error2[2] = {0};
    const double want[2] = {1.0, 2.0};
    for (uint64_t r = 0; r < ENSEMBLES; r++) {
        nnd_rng_normals((nnd_rng_key){8, r, 0}, 0, 0, sizeof control / sizeof(double),
                        &control[0][0]);
        nnd_rng_normals((nnd_rng_key){8, r, 0}, 1, 0, 2 * SEEDS, noise);
        for (size_t i = 0; i < SEEDS; i++) {
            x[i] = 10.0 + control[i][0] + noise[i];
            z[i] = 5.0 + control[i][0] + noise[SEEDS + i];
            control[i][1] = control[i][0] * control[i][0] - 1.0;
        }
        make(SEEDS);
        const nnd_estimate e[2] = {nnd_regressed_covariance(&regression, x, z, share),
                                   nnd_regressed_ratio(&regression, x, z, share)};
        for (int k = 0; k < 2; k++) {
            sum[k] += e[k].value / ENSEMBLES;
            sum2[k] += pow(e[k].value - want[k], 2) / ENSEMBLES;
            error2[k] += e[k].se * e[k].se / ENSEMBLES;
        }
    }
    for (int k = 0; k < 2; k++) {
        ck_assert_double_le(fabs(sum[k] - want[k]), 4.0 * sqrt(sum2[k] / ENSEMBLES));
        ck_assert_double_eq_tol(error2[k] / sum2[k], 1.0, k == 0 ? 0.25 : 0.15);
    }
    /* Half of the variance of the mean of x is gone: s.e.^2 = 1/40 and not 2/40. */
    ck_assert_double_lt(nnd_regressed_mean(&regression, x, share).se, 0.22);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("regression");
    TCase *tests = tcase_create("regression");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_linear_in_the_controls_is_known_exactly);
    tcase_add_test(tests, the_estimate_is_the_intercept_of_least_squares);
    tcase_add_test(tests, shares_are_what_leaving_a_seed_out_changes);
    tcase_add_test(tests, columns_that_say_nothing_new_are_dropped);
    tcase_add_test(tests, controls_that_are_off_their_expectations_are_not_used);
    tcase_add_test(tests, few_seeds_are_not_regressed);
    tcase_add_test(tests, without_controls_or_error_nothing_changes);
    tcase_add_test(tests, a_variance_of_what_is_known_is_known);
    tcase_add_test(tests, covariance_and_ratio_are_unbiased_with_honest_errors);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
