/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks whose dependence on the width is known: q + c/N, and q + c/N + d/N^2. */
#include "nndmft/widths.h"

#include <math.h>

#include "nndmft/models.h"
#include "support.h"
#include "with_context.h"

enum { SIZES = 4, TIMES = 3 };

static const double size[] = {50.0, 100.0, 200.0, 400.0}, limit[] = {1.0, 2.0, 4.0},
                    slope[] = {0.0, 4.0, -8.0};
static nnd_frame *theory, *mc;
static nnd_widths widths;

static void assert_ok(nnd_status status) {
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
}

static nnd_frame *frame_of(size_t sizes) {
    nnd_frame *frame;
    assert_ok(nnd_frame_new(ctx, &frame));
    if (sizes > 0)
        assert_ok(nnd_frame_add_dim(frame, "size", NND_COORD_INTEGER, sizes, size));
    assert_ok(nnd_frame_add_range(frame, "t", TIMES, 0.0));
    return frame;
}

/* Networks at `sizes` sizes with a coefficient `square` of 1/N^2 at the last time. */
static void begin(size_t sizes, double square) {
    double *x, *se, *y, *c;
    theory = frame_of(0);
    mc = frame_of(sizes);
    assert_ok(nnd_frame_add(theory, "loss", "t", &y));
    assert_ok(nnd_frame_add(theory, "loss_ncorr", "t", &c));
    assert_ok(nnd_frame_add(mc, "loss", "size,t", &x));
    assert_ok(nnd_frame_add(mc, "loss_se", "size,t", &se));
    for (size_t t = 0; t < TIMES; t++) {
        y[t] = limit[t];
        c[t] = slope[t];
        for (size_t s = 0; s < sizes; s++) {
            double n = size[s];
            x[s * TIMES + t] = limit[t] + slope[t] / n + (t == 2 ? square / (n * n) : 0.0);
            se[s * TIMES + t] = 1e-3;
        }
    }
    const nnd_texts all = {0};
    assert_ok(
        nnd_widths_find(ctx, &nnd_two_layer_fluctuations_model, theory, mc, &all, 0.01, &widths));
    ck_assert_uint_eq(widths.count, 1);
}

static void end(void) {
    nnd_widths_clear(&widths);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    teardown();
}

/* Everything relative to 4; |c|/N = 0.01 * 4 at N = 200. */
START_TEST(the_coefficient_and_the_width_of_a_straight_line) {
    begin(SIZES, 0.0);
    const nnd_widths_row *row = widths.row;
    ck_assert_str_eq(row->name, "loss");
    ck_assert_uint_eq(row->points, 3);
    ck_assert_double_eq_tol(row->slope, -2.0, 1e-10);
    ck_assert_double_eq_tol(row->theory_slope, -2.0, 1e-14);
    ck_assert_double_eq_tol(row->within, 200.0, 1e-8);
    ck_assert_double_eq_tol(row->limit, 0.0, 1e-12);
    ck_assert(!row->bent && row->p == 1.0 && row->next == 0.0);
    ck_assert_str_eq(row->where, "t=2");
    /* Four sizes of equal errors: se_c = s/sqrt(sum (1/N - mean)^2). */
    double mean = 0.0, spread = 0.0;
    for (int s = 0; s < SIZES; s++)
        mean += 1.0 / size[s] / SIZES;
    for (int s = 0; s < SIZES; s++)
        spread += (1.0 / size[s] - mean) * (1.0 / size[s] - mean);
    ck_assert_double_eq_tol(row->slope_se, 1e-3 / sqrt(spread) / 4.0, 1e-12);
    ck_assert_double_eq_tol(row->within_se, row->slope_se / 0.01, 1e-9);
}
END_TEST

/* d/N^2 is the tolerance at sqrt(4000/0.04); |c|/N + d/N^2 is it at 429.1. */
START_TEST(a_bend_is_detected_and_taken_into_account) {
    begin(SIZES, 4000.0);
    const nnd_widths_row *row = widths.row;
    ck_assert(row->bent && row->p < 1e-6);
    ck_assert_double_eq_tol(row->slope, -2.0, 1e-8);
    ck_assert_double_eq_tol(row->next, sqrt(1e5), 1e-5);
    ck_assert_double_eq_tol(row->within, (8.0 + sqrt(64.0 + 640.0)) / 0.08, 1e-5);
    ck_assert_double_eq_tol(row->limit, 0.0, 1e-10);
}
END_TEST

START_TEST(two_sizes_know_nothing_of_a_bend) {
    begin(2, 4000.0);
    ck_assert_double_nan(widths.row->p);
    ck_assert(!widths.row->bent);
}
END_TEST

START_TEST(points_without_an_error_and_other_times_are_passed_over) {
    const nnd_texts all = {0};
    begin(SIZES, 0.0);
    nnd_frame_find(mc, "loss_se")->data[2] = 0.0;
    nnd_frame_find(mc, "loss")->data[1] = NAN;
    nnd_widths_clear(&widths);
    assert_ok(nnd_widths_find(ctx, NULL, theory, mc, &all, 0.01, &widths));
    ck_assert_uint_eq(widths.row->points, 1);
    ck_assert_str_eq(widths.row->where, "t=0");
    ck_assert_double_nan(widths.row->theory_slope);
    nnd_widths_clear(&widths);
    ck_assert_int_eq(nnd_widths_find(ctx, NULL, theory, theory, &all, 0.01, &widths), NND_E_INPUT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("widths");
    TCase *tests = tcase_create("widths");
    tcase_add_checked_fixture(tests, setup, end);
    tcase_add_test(tests, the_coefficient_and_the_width_of_a_straight_line);
    tcase_add_test(tests, a_bend_is_detected_and_taken_into_account);
    tcase_add_test(tests, two_sizes_know_nothing_of_a_bend);
    tcase_add_test(tests, points_without_an_error_and_other_times_are_passed_over);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
