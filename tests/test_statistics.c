/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates against brute-force jackknife and small cases by hand; the fit in 1/size. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "support.h"

enum { SAMPLES = 50 };

/* Both routes sum about 50 numbers of order one; the brute-force one cancels a few digits. */
static const double ROUNDING = 1e-11;
/* A handful of operations on numbers of order one. */
static const double FEW_ULP = 16 * DBL_EPSILON;

typedef double (*statistic)(size_t n, const double *x, const double *y);

static double mean_of(size_t n, const double *x, const double *y) {
    (void)y;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double covariance_of(size_t n, const double *x, const double *y) {
    double mx = mean_of(n, x, NULL), my = mean_of(n, y, NULL), sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum / (double)(n - 1);
}

static double ratio_of(size_t n, const double *x, const double *y) {
    return mean_of(n, x, NULL) / mean_of(n, y, NULL);
}

/* Over all pairs. */
static double square_of(size_t n, const double *x, const double *y) {
    (void)y;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += i != j ? x[i] * x[j] : 0.0;
    return sum / (double)(n * (n - 1));
}

/* The definition: every sample is left out in turn. */
static nnd_estimate jackknife(statistic f, size_t n, const double *x, const double *y) {
    double left_x[SAMPLES], left_y[SAMPLES], value[SAMPLES], mean = 0.0, sum2 = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0, k = 0; j < n; j++)
            if (j != i) {
                left_x[k] = x[j];
                left_y[k++] = y[j];
            }
        value[i] = f(n - 1, left_x, left_y);
        mean += value[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        sum2 += (value[i] - mean) * (value[i] - mean);
    double m = (double)n;
    return (nnd_estimate){m * f(n, x, y) - (m - 1.0) * mean, sqrt(sum2 * (m - 1.0) / m)};
}

static void draw(double *x, double *y) {
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, 0, 0, SAMPLES, x);
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, 0, 1, SAMPLES, y);
    for (size_t i = 0; i < SAMPLES; i++)
        y[i] = 4.0 + y[i] + 0.5 * x[i];
}

static void ck_estimate(nnd_estimate got, nnd_estimate want, double tolerance) {
    ck_assert_double_le(fabs(got.value - want.value), tolerance);
    ck_assert_double_le(fabs(got.se - want.se), tolerance);
}

START_TEST(estimates_equal_the_brute_force_jackknife) {
    static const size_t counts[] = {3, 4, 17, SAMPLES};
    double x[SAMPLES], y[SAMPLES];
    draw(x, y);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t n = counts[i];
        ck_estimate(nnd_mean(n, x, 1), jackknife(mean_of, n, x, y), ROUNDING);
        ck_estimate(nnd_covariance(n, x, y, NULL), jackknife(covariance_of, n, x, y), ROUNDING);
        ck_estimate(nnd_covariance(n, x, x, NULL), jackknife(covariance_of, n, x, x), ROUNDING);
        ck_estimate(nnd_ratio_of_means(n, x, y, NULL), jackknife(ratio_of, n, x, y), ROUNDING);
        ck_estimate(nnd_square_of_mean(n, y, NULL), jackknife(square_of, n, y, y), ROUNDING);
    }
}
END_TEST

START_TEST(a_stride_selects_every_kth_number) {
    double x[SAMPLES], y[SAMPLES], wide_x[3 * SAMPLES];
    draw(x, y);
    for (size_t i = 0; i < 3 * SAMPLES; i++)
        wide_x[i] = i % 3 == 0 ? x[i / 3] : NAN;
    ck_estimate(nnd_mean(SAMPLES, wide_x, 3), nnd_mean(SAMPLES, x, 1), 0.0);
}
END_TEST

/* What leaving a sample out changes, by definition, with the sign of what the sample adds. */
static void ck_shares(statistic f, const double *x, const double *y, const double *share,
                      nnd_estimate e) {
    double left_x[SAMPLES], left_y[SAMPLES], change[SAMPLES], mean = 0.0, sum2 = 0.0;
    const double n = SAMPLES, factor = sqrt((n - 1.0) / n);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t j = 0, k = 0; j < SAMPLES; j++)
            if (j != i) {
                left_x[k] = x[j];
                left_y[k++] = y[j];
            }
        change[i] = f(SAMPLES, x, y) - f(SAMPLES - 1, left_x, left_y);
        mean += change[i] / n;
        sum2 += share[i] * share[i];
    }
    for (size_t i = 0; i < SAMPLES; i++)
        ck_assert_double_eq_tol(share[i], factor * (change[i] - mean), ROUNDING);
    ck_assert_double_eq_tol(sqrt(sum2), e.se, ROUNDING);
}

START_TEST(shares_are_what_each_sample_adds) {
    double x[SAMPLES], y[SAMPLES], share[SAMPLES];
    draw(x, y);
    nnd_estimate e = nnd_mean_shares(SAMPLES, x, 1, share);
    ck_shares(mean_of, x, y, share, e);
    e = nnd_covariance(SAMPLES, x, y, share);
    ck_shares(covariance_of, x, y, share, e);
    e = nnd_ratio_of_means(SAMPLES, x, y, share);
    ck_shares(ratio_of, x, y, share, e);
    e = nnd_square_of_mean(SAMPLES, y, share);
    ck_shares(square_of, y, x, share, e);
}
END_TEST

START_TEST(without_an_error_there_are_no_shares) {
    const double x[] = {1.0, 3.0}, y[] = {2.0, 6.0};
    double share[2] = {0.0, 0.0};
    nnd_mean_shares(1, x, 1, share);
    ck_assert_double_nan(share[0]);
    nnd_covariance(2, x, y, share);
    ck_assert_double_nan(share[1]);
    nnd_ratio_of_means(1, x, y, share);
    ck_assert_double_nan(share[0]);
}
END_TEST

START_TEST(small_samples_by_hand) {
    const double x[] = {1.0, 2.0, 6.0}, y[] = {2.0, 4.0, 3.0};
    /* mean 3, squares of deviations 4 + 1 + 9; se = sqrt(14/2/3) */
    ck_estimate(nnd_mean(3, x, 1), (nnd_estimate){3.0, sqrt(7.0 / 3.0)}, FEW_ULP);
    /* products of deviations 2, -1, 0; without one sample: -2, 2.5, 1; mean 0.5 */
    ck_estimate(nnd_covariance(3, x, y, NULL), (nnd_estimate){0.5, sqrt(2.0 / 3.0 * 10.5)},
                FEW_ULP);
    /* ratio 1; without one sample: 8/7, 7/5, 3/6 */
    double a = 8.0 / 7.0, b = 7.0 / 5.0, c = 0.5, m = (a + b + c) / 3.0;
    double sum2 = (a - m) * (a - m) + (b - m) * (b - m) + (c - m) * (c - m);
    ck_estimate(nnd_ratio_of_means(3, x, y, NULL),
                (nnd_estimate){3.0 - 2.0 * m, sqrt(2.0 / 3.0 * sum2)}, FEW_ULP);
}
END_TEST

START_TEST(too_few_samples_have_no_error) {
    const double x[] = {1.0, 3.0}, y[] = {2.0, 6.0};
    ck_assert_double_eq(nnd_mean(1, x, 1).value, 1.0);
    ck_assert_double_nan(nnd_mean(1, x, 1).se);
    ck_assert_double_eq(nnd_ratio_of_means(1, x, y, NULL).value, 0.5);
    ck_assert_double_nan(nnd_ratio_of_means(1, x, y, NULL).se);
    ck_assert_double_nan(nnd_covariance(1, x, y, NULL).value);
    ck_assert_double_eq(nnd_covariance(2, x, y, NULL).value, 4.0);
    ck_assert_double_nan(nnd_covariance(2, x, y, NULL).se);
    ck_assert_double_nan(nnd_square_of_mean(1, x, NULL).value);
    ck_assert_double_eq(nnd_square_of_mean(2, x, NULL).value, 3.0);
    ck_assert_double_nan(nnd_square_of_mean(2, x, NULL).se);
}
END_TEST

START_TEST(equal_samples_have_error_exactly_zero) {
    double x[SAMPLES], y[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        x[i] = 0.1;
        y[i] = 1e9 / 3.0;
    }
    for (size_t n = 3; n <= SAMPLES; n++) {
        ck_estimate(nnd_mean(n, x, 1), (nnd_estimate){0.1, 0.0}, 0.0);
        ck_estimate(nnd_covariance(n, x, y, NULL), (nnd_estimate){0.0, 0.0}, 0.0);
        nnd_estimate ratio = nnd_ratio_of_means(n, y, x, NULL);
        ck_assert_double_eq(ratio.se, 0.0);
        ck_assert_double_eq_tol(ratio.value * 0.1 / y[0], 1.0, FEW_ULP);
    }
}
END_TEST

START_TEST(a_large_common_offset_cancels_nothing) {
    const double offset = 0x1p40; /* leaves 12 bits of fraction: the samples are exact */
    double x[SAMPLES], shifted[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        x[i] = (double)(i * i % 37) / 64.0;
        shifted[i] = x[i] + offset;
    }
    nnd_estimate small = nnd_mean(SAMPLES, x, 1), large = nnd_mean(SAMPLES, shifted, 1);
    ck_assert_double_eq_tol(large.value - offset, small.value, offset * DBL_EPSILON);
    ck_assert_double_eq_tol(large.se, small.se, FEW_ULP);
    ck_estimate(nnd_covariance(SAMPLES, shifted, shifted, NULL),
                nnd_covariance(SAMPLES, x, x, NULL), ROUNDING);
}
END_TEST

START_TEST(a_nan_sample_makes_the_estimate_nan) {
    for (size_t bad = 0; bad < 4; bad++) {
        double x[] = {1.0, 2.0, 3.0, 5.0};
        const double y[] = {1.0, 2.0, 2.0, 1.0};
        x[bad] = NAN;
        ck_assert_double_nan(nnd_mean(4, x, 1).value);
        ck_assert_double_nan(nnd_mean(4, x, 1).se);
        ck_assert_double_nan(nnd_covariance(4, y, x, NULL).value);
        ck_assert_double_nan(nnd_covariance(4, y, x, NULL).se);
        ck_assert_double_nan(nnd_ratio_of_means(4, x, y, NULL).value);
        ck_assert_double_nan(nnd_ratio_of_means(4, y, x, NULL).se);
        ck_assert_double_nan(nnd_median(4, x));
    }
}
END_TEST

START_TEST(the_mean_error_covers_the_truth_as_often_as_it_should) {
    enum { REPEATS = 4000, N = 20 };
    /* Student's t with 19 degrees of freedom: P(|t| > 2.093) = 0.05. */
    int outside = 0;
    for (uint64_t r = 0; r < REPEATS; r++) {
        double x[N];
        nnd_rng_normals((nnd_rng_key){7, r, 0}, 0, 0, N, x);
        nnd_estimate m = nnd_mean(N, x, 1);
        outside += fabs(m.value) > 2.093 * m.se;
    }
    double five_sigma = 5.0 * sqrt(REPEATS * 0.05 * 0.95);
    ck_assert_double_eq_tol(outside, REPEATS * 0.05, five_sigma);
}
END_TEST

START_TEST(two_sizes_are_extrapolated_along_the_line) {
    const double size[] = {1.0, 2.0};
    const nnd_estimate q[] = {{3.0, 0.1}, {2.0, 0.2}};
    nnd_size_fit fit = nnd_fit_inverse_size(2, size, q, NULL, NULL);
    ck_estimate(fit.intercept, (nnd_estimate){1.0, sqrt(0.17)}, FEW_ULP);
    ck_estimate(fit.slope, (nnd_estimate){2.0, sqrt(0.2)}, FEW_ULP);
}
END_TEST

START_TEST(three_sizes_are_weighted_by_their_errors) {
    /* Weights 1, 4, 4 and 1/size = 1, 1/2, 1/4: normal equations with determinant 17/4. */
    const double size[] = {1.0, 2.0, 4.0};
    const nnd_estimate q[] = {{5.0, 1.0}, {3.0, 0.5}, {3.0, 0.5}};
    nnd_size_fit fit = nnd_fit_inverse_size(3, size, q, NULL, NULL);
    ck_estimate(fit.intercept, (nnd_estimate){37.0 / 17.0, sqrt(9.0 / 17.0)}, FEW_ULP);
    ck_estimate(fit.slope, (nnd_estimate){40.0 / 17.0, sqrt(36.0 / 17.0)}, FEW_ULP);
}
END_TEST

/* Against the normal equations by numpy, to the digits that it prints. */
START_TEST(a_square_of_the_inverse_size_is_fitted) {
    const double size[] = {50.0, 100.0, 200.0, 400.0};
    const nnd_estimate q[] = {{1.31, 0.02}, {1.17, 0.01}, {1.06, 0.02}, {1.04, 0.01}};
    nnd_square_fit fit = nnd_fit_inverse_square(4, size, q);
    ck_assert_double_eq_tol(fit.intercept.value, 0.9891269, 5e-8);
    ck_assert_double_eq_tol(fit.intercept.se, 1.67165366e-02, 5e-11);
    ck_assert_double_eq_tol(fit.slope.value, 19.49167592, 5e-9);
    ck_assert_double_eq_tol(fit.slope.se, 4.02875348, 5e-9);
    ck_assert_double_eq_tol(fit.square.value, -168.4054754, 5e-8);
    ck_assert_double_eq_tol(fit.square.se, 190.539602, 5e-7);
    ck_assert_double_nan(nnd_fit_inverse_square(2, size, q).square.value);
    const double same[] = {50.0, 50.0, 100.0};
    ck_assert_double_nan(nnd_fit_inverse_square(3, same, q).square.value);
    const nnd_estimate exact[] = {{1.0, 0.0}, {2.0, 0.0}, {3.0, 0.0}};
    ck_assert_double_nan(nnd_fit_inverse_square(3, size, exact).square.value);
}
END_TEST

START_TEST(the_fit_is_the_sum_of_its_weights_times_the_estimates) {
    const double size[] = {100.0, 200.0, 400.0};
    const nnd_estimate q[] = {{1.3, 0.1}, {1.1, 0.2}, {0.9, 0.05}};
    double a[3], b[3];
    nnd_size_fit fit = nnd_fit_inverse_size(3, size, q, a, b);
    nnd_estimate intercept = {0.0, 0.0}, slope = {0.0, 0.0};
    for (int i = 0; i < 3; i++) {
        intercept.value += a[i] * q[i].value;
        intercept.se = hypot(intercept.se, a[i] * q[i].se);
        slope.value += b[i] * q[i].value;
        slope.se = hypot(slope.se, b[i] * q[i].se);
    }
    ck_estimate(intercept, fit.intercept, ROUNDING);
    ck_estimate(slope, fit.slope, 100 * ROUNDING);
    nnd_fit_inverse_size(1, size, q, a, b);
    ck_assert_double_eq(a[0], 1.0);
    ck_assert_double_nan(b[0]);
    nnd_fit_inverse_size(2, (double[]){64.0, 64.0}, q, a, b);
    ck_assert_double_nan(a[1]);
}
END_TEST

START_TEST(without_all_errors_the_weights_are_equal) {
    const double size[] = {1.0, 2.0, 4.0};
    /* Unweighted: mean of 1/size 7/12, sum of squares 7/24, slope 15/7, intercept 29/12. */
    nnd_estimate q[] = {{5.0, 1.0}, {3.0, 0.0}, {3.0, 0.5}};
    double u[] = {5.0 / 12.0, -1.0 / 12.0, -4.0 / 12.0}, slope = 0.0, variance = 0.0;
    for (int i = 0; i < 3; i++) {
        slope += u[i] * q[i].value * 24.0 / 7.0;
        variance += pow(u[i] * q[i].se * 24.0 / 7.0, 2.0);
    }
    nnd_size_fit fit = nnd_fit_inverse_size(3, size, q, NULL, NULL);
    ck_estimate(fit.slope, (nnd_estimate){slope, sqrt(variance)}, FEW_ULP);
    ck_assert_double_eq_tol(fit.intercept.value, 11.0 / 3.0 - slope * 7.0 / 12.0, FEW_ULP);
    q[1].se = NAN;
    fit = nnd_fit_inverse_size(3, size, q, NULL, NULL);
    ck_assert_double_eq_tol(fit.slope.value, slope, FEW_ULP);
    ck_assert_double_nan(fit.slope.se);
    ck_assert_double_nan(fit.intercept.se);
}
END_TEST

START_TEST(very_unequal_weights_lose_no_digits) {
    const double size[] = {100.0, 200.0};
    const nnd_estimate q[] = {{1.01, 1e-100}, {1.005, 1e-90}};
    nnd_size_fit fit = nnd_fit_inverse_size(2, size, q, NULL, NULL);
    ck_assert_double_eq_tol(fit.intercept.value, 1.0, ROUNDING);
    ck_assert_double_eq_tol(fit.slope.value, 1.0, 200 * ROUNDING);
    ck_assert_double_eq_tol(fit.intercept.se / 2e-90, 1.0, ROUNDING);
}
END_TEST

START_TEST(one_size_has_no_slope_and_none_nothing) {
    const double size[] = {64.0, 64.0};
    const nnd_estimate q[] = {{1.5, 0.25}, {2.5, 0.25}};
    nnd_size_fit one = nnd_fit_inverse_size(1, size, q, NULL, NULL);
    ck_estimate(one.intercept, q[0], 0.0);
    ck_assert_double_nan(one.slope.value);
    ck_assert_double_nan(nnd_fit_inverse_size(0, size, q, NULL, NULL).intercept.value);
    ck_assert_double_nan(nnd_fit_inverse_size(2, size, q, NULL, NULL).intercept.value);
    ck_assert_double_nan(nnd_fit_inverse_size(2, size, q, NULL, NULL).slope.value);
}
END_TEST

START_TEST(a_nan_estimate_makes_the_fit_nan) {
    const double size[] = {1.0, 2.0, 3.0};
    const nnd_estimate q[] = {{1.0, 0.1}, {NAN, 0.1}, {1.0, 0.1}};
    nnd_size_fit fit = nnd_fit_inverse_size(3, size, q, NULL, NULL);
    ck_assert_double_nan(fit.intercept.value);
    ck_assert_double_nan(fit.slope.value);
}
END_TEST

START_TEST(median_of_odd_even_none_and_infinities) {
    double odd[] = {3.0, -1.0, 2.0}, even[] = {4.0, 1.0, 3.0, 2.0};
    double infinite[] = {INFINITY, 1.0, INFINITY};
    ck_assert_double_eq(nnd_median(3, odd), 2.0);
    ck_assert_double_eq(nnd_median(4, even), 2.5);
    ck_assert_double_infinite(nnd_median(3, infinite));
    ck_assert_double_nan(nnd_median(0, odd));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("statistics");
    TCase *tests = tcase_create("statistics");
    tcase_add_test(tests, estimates_equal_the_brute_force_jackknife);
    tcase_add_test(tests, a_stride_selects_every_kth_number);
    tcase_add_test(tests, shares_are_what_each_sample_adds);
    tcase_add_test(tests, without_an_error_there_are_no_shares);
    tcase_add_test(tests, the_fit_is_the_sum_of_its_weights_times_the_estimates);
    tcase_add_test(tests, small_samples_by_hand);
    tcase_add_test(tests, too_few_samples_have_no_error);
    tcase_add_test(tests, equal_samples_have_error_exactly_zero);
    tcase_add_test(tests, a_large_common_offset_cancels_nothing);
    tcase_add_test(tests, a_nan_sample_makes_the_estimate_nan);
    tcase_add_test(tests, the_mean_error_covers_the_truth_as_often_as_it_should);
    tcase_add_test(tests, two_sizes_are_extrapolated_along_the_line);
    tcase_add_test(tests, three_sizes_are_weighted_by_their_errors);
    tcase_add_test(tests, without_all_errors_the_weights_are_equal);
    tcase_add_test(tests, very_unequal_weights_lose_no_digits);
    tcase_add_test(tests, one_size_has_no_slope_and_none_nothing);
    tcase_add_test(tests, a_nan_estimate_makes_the_fit_nan);
    tcase_add_test(tests, a_square_of_the_inverse_size_is_fitted);
    tcase_add_test(tests, median_of_odd_even_none_and_infinities);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
