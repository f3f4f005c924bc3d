/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Tics of axes: round numbers, whose labels have room. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plot/axis.h"
#include "support.h"

static void ck_tics(const nnd_axis *axis, size_t count, const double tic[]) {
    ck_assert_uint_eq(axis->count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(axis->tic[i], tic[i], 1e-12 * fmax(1.0, tic[i]));
}

START_TEST(a_long_axis_has_more_tics_than_a_short_one) {
    nnd_axis axis = {.upright = true, .room = 40};
    nnd_axis_fit(&axis, (nnd_span){0.0, 1.0});
    ck_tics(&axis, 6, (const double[]){0.0, 0.2, 0.4, 0.6, 0.8, 1.0});
    axis.room = 10; /* characters: three from one label to the next above it */
    nnd_axis_fit(&axis, (nnd_span){0.0, 1.0});
    ck_tics(&axis, 3, (const double[]){0.0, 0.5, 1.0});
}
END_TEST

START_TEST(wide_labels_are_further_apart_than_narrow_ones) {
    nnd_axis axis = {.room = 30};
    nnd_axis_fit(&axis, (nnd_span){0.0, 10.0});
    ck_tics(&axis, 6, (const double[]){0.0, 2.0, 4.0, 6.0, 8.0, 10.0});
    nnd_axis_fit(&axis, (nnd_span){100000.0, 100010.0});
    ck_tics(&axis, 3, (const double[]){100000.0, 100005.0, 100010.0});
    ck_assert_uint_eq(nnd_axis_width(&axis), 6);
}
END_TEST

START_TEST(labels_of_numbers_that_hardly_differ_have_the_digits_that_do) {
    nnd_axis axis = {.room = 100};
    nnd_axis_fit(&axis, (nnd_span){1.0 + 1e-8, 1.0 + 5e-8});
    ck_assert_uint_ge(axis.count, 3);
    ck_assert_uint_ge(nnd_axis_width(&axis), strlen("1.00000001"));
}
END_TEST

START_TEST(there_are_no_halves_between_integers) {
    nnd_axis axis = {.room = 60, .whole = true};
    nnd_axis_fit(&axis, (nnd_span){-0.5, 2.5});
    ck_tics(&axis, 3, (const double[]){0.0, 1.0, 2.0});
}
END_TEST

START_TEST(logarithmic_axes_have_powers_of_ten_or_what_is_between) {
    nnd_axis axis = {.log = true, .upright = true, .room = 30};
    nnd_axis_fit(&axis, (nnd_span){1e-3, 1e3});
    ck_assert_uint_eq(axis.decades, 1);
    ck_assert_uint_eq(axis.count, 7);
    nnd_axis_fit(&axis, (nnd_span){1e-200, 1.0}); /* ten labels have room */
    ck_assert_uint_eq(axis.decades, 20);
    ck_assert_uint_eq(axis.count, 11);
    nnd_axis_fit(&axis, (nnd_span){1.0, 20.0});
    ck_assert_uint_eq(axis.decades, 0);
    ck_tics(&axis, 5, (const double[]){1.0, 2.0, 5.0, 10.0, 20.0});
    axis.room = 10;
    nnd_axis_fit(&axis, (nnd_span){1.0, 20.0});
    ck_tics(&axis, 3, (const double[]){1.0, 3.0, 10.0});
}
END_TEST

/* What falls to nothing on a logarithmic axis is drawn down to the least normal number. */
START_TEST(ends_of_an_axis_are_normal_numbers) {
    nnd_axis axis = {.log = true, .upright = true, .room = 30};
    nnd_axis_fit_loosely(&axis, (nnd_span){5e-324, 1.0});
    ck_assert(isnormal(axis.min) && isnormal(axis.max));
    ck_assert_uint_ge(axis.count, 3);
    nnd_axis_fit_loosely(&axis, (nnd_span){5e-324, 1e308});
    ck_assert(isnormal(axis.min) && isnormal(axis.max));
}
END_TEST

START_TEST(of_a_list_as_many_are_labelled_as_have_room) {
    ck_assert_uint_eq(nnd_axis_step(10, 3, false, 50), 1);
    ck_assert_uint_eq(nnd_axis_step(10, 3, false, 49), 2);
    ck_assert_uint_eq(nnd_axis_step(10, 30, true, 30), 1);
    ck_assert_uint_eq(nnd_axis_step(10, 30, false, 30), 10);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_axis");
    TCase *tests = tcase_create("plot_axis");
    tcase_add_test(tests, a_long_axis_has_more_tics_than_a_short_one);
    tcase_add_test(tests, wide_labels_are_further_apart_than_narrow_ones);
    tcase_add_test(tests, labels_of_numbers_that_hardly_differ_have_the_digits_that_do);
    tcase_add_test(tests, there_are_no_halves_between_integers);
    tcase_add_test(tests, logarithmic_axes_have_powers_of_ten_or_what_is_between);
    tcase_add_test(tests, ends_of_an_axis_are_normal_numbers);
    tcase_add_test(tests, of_a_list_as_many_are_labelled_as_have_room);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
