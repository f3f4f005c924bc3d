/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/lowest.h"

#include <float.h>
#include <math.h>

#include "support.h"

enum { MOST = 65 };

static double x[MOST], y[MOST];

static void tabulate(size_t n, double low, double high, double (*f)(double)) {
    for (size_t i = 0; i < n; i++) {
        x[i] = low + (high - low) * (double)i / (double)(n - 1);
        y[i] = f(x[i]);
    }
}

static size_t place(size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (y[i] < y[best])
            best = i;
    return best;
}

/* Lowest where e^x = 2. */
static double valley(double at) {
    return exp(at) - 2.0 * at;
}

static double error_at(size_t n, double *told, double *value_told) {
    nnd_lowest lowest;
    tabulate(n, -1.0, 2.0, valley);
    ck_assert(nnd_lowest_near(n, x, y, place(n), &lowest));
    *told = lowest.error;
    *value_told = lowest.value_error;
    double value = nnd_lowest_value(&lowest, y);
    ck_assert_double_lt(fabs(value - valley(log(2.0))), lowest.value_error);
    return fabs(lowest.x - log(2.0));
}

/* The slope of a polynomial through 7 places at distance h is off by h^6, of one through 5 by h^4;
 * minima move on the grid, so that a ratio of 64 is one within a factor of 4. */
START_TEST(the_lowest_point_converges_with_the_sixth_power_of_the_distance) {
    double told[2], value[2];
    double error[] = {error_at(13, &told[0], &value[0]), error_at(25, &told[1], &value[1])};
    ck_assert_double_gt(error[0] / error[1], 16.0);
    ck_assert_double_lt(error[0] / error[1], 256.0);
    ck_assert_double_gt(told[0] / told[1], 4.0);
    ck_assert_double_lt(told[0] / told[1], 64.0);
    ck_assert_double_lt(error[0], told[0]);
    ck_assert_double_lt(error[1], told[1]);
}
END_TEST

/* (x - 1/3)^2 (1 + x^2) + 1/4, which seven places know exactly. */
static double quartic(double at) {
    return (at - 1.0 / 3.0) * (at - 1.0 / 3.0) * (1.0 + at * at) + 0.25;
}

START_TEST(place_value_and_shift_of_a_polynomial_are_exact) {
    nnd_lowest lowest;
    double tilt[MOST], cube[MOST];
    tabulate(14, -1.0, 1.0, quartic);
    for (size_t i = 0; i < 14; i++) {
        tilt[i] = 0.3 * x[i];
        cube[i] = x[i] * x[i] * x[i];
    }
    ck_assert(nnd_lowest_near(14, x, y, place(14), &lowest));
    /* A slope of rounding over a curvature of 2.2; bisection ends at rounding, too. */
    ck_assert_double_eq_tol(lowest.x, 1.0 / 3.0, 1e-13);
    ck_assert_double_eq_tol(nnd_lowest_value(&lowest, y), 0.25, 1e-14);
    ck_assert_double_eq_tol(nnd_lowest_value(&lowest, cube), 1.0 / 27.0, 1e-13);
    /* -0.3/(2 (1 + 1/9)) */
    ck_assert_double_eq_tol(nnd_lowest_shift(&lowest, tilt), -0.135, 1e-12);
    ck_assert_uint_eq(lowest.count, 7);
    ck_assert_double_lt(lowest.error, 1e-12);
    ck_assert_double_lt(lowest.value_error, 1e-14);
}
END_TEST

START_TEST(beside_a_wall_the_distance_of_the_neighbours_is_the_error) {
    const double steep[] = {4.0, 1.0, 0.0, 1.0, 1e9}, at[] = {0.0, 1.0, 2.0, 3.0, 4.0};
    const double gap[] = {NAN, 1.0, 0.0, 2.0, NAN};
    nnd_lowest lowest;
    ck_assert(nnd_lowest_near(5, at, steep, 2, &lowest));
    ck_assert_uint_eq(lowest.count, 4);
    ck_assert_double_eq_tol(lowest.x, 2.0, 1e-12);
    ck_assert(nnd_lowest_near(5, at, gap, 2, &lowest));
    ck_assert_uint_eq(lowest.first, 1);
    ck_assert_uint_eq(lowest.count, 3);
    /* (x - 2)^2 3/2 + (x - 2)/2 */
    ck_assert_double_eq_tol(lowest.x, 2.0 - 1.0 / 6.0, 1e-12);
    ck_assert_double_eq(lowest.error, 1.0);
    ck_assert_double_eq_tol(lowest.value_error, 1.0 / 24.0, 1e-14);
}
END_TEST

START_TEST(ends_plateaus_and_gaps_have_no_lowest_point) {
    const double at[] = {0.0, 1.0, 2.0, 3.0}, falling[] = {3.0, 2.0, 1.0, 0.0},
                 flat[] = {1.0, 0.0, 0.0, 1.0}, gap[] = {1.0, 0.0, NAN, 1.0},
                 hole[] = {1.0, NAN, 2.0, 3.0};
    nnd_lowest lowest;
    ck_assert(!nnd_lowest_near(4, at, falling, 3, &lowest));
    ck_assert(!nnd_lowest_near(4, at, falling, 1, &lowest));
    ck_assert(!nnd_lowest_near(4, at, flat, 1, &lowest));
    ck_assert(!nnd_lowest_near(4, at, gap, 1, &lowest));
    ck_assert(!nnd_lowest_near(4, at, hole, 1, &lowest));
    ck_assert(!nnd_lowest_near(4, at, falling, 4, &lowest));
}
END_TEST

static double cube(double at) {
    return at * at * at;
}

START_TEST(a_crossing_is_the_first_from_below) {
    const double up_and_down[] = {0.0, 3.0, 1.0, 3.0}, at[] = {0.0, 1.0, 2.0, 3.0};
    const double gap[] = {0.0, NAN, 3.0, 4.0}, falling[] = {3.0, 2.0, 1.0, 0.0};
    double error;
    tabulate(9, 0.0, 2.0, cube);
    ck_assert_double_eq_tol(nnd_crossing(9, x, y, 2.0, &error), cbrt(2.0), 1e-12);
    ck_assert_double_gt(error, 1e-4); /* the straight line from 1.25 to 1.5 is at 1.2583 */
    ck_assert_double_lt(error, 3e-3);
    ck_assert_double_lt(nnd_crossing(4, at, up_and_down, 2.0, &error), 1.0);
    ck_assert_double_nan(nnd_crossing(4, at, gap, 2.0, &error));
    ck_assert_double_nan(error);
    ck_assert_double_nan(nnd_crossing(4, at, falling, 1.5, &error));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("lowest");
    TCase *tests = tcase_create("lowest");
    tcase_add_test(tests, the_lowest_point_converges_with_the_sixth_power_of_the_distance);
    tcase_add_test(tests, place_value_and_shift_of_a_polynomial_are_exact);
    tcase_add_test(tests, beside_a_wall_the_distance_of_the_neighbours_is_the_error);
    tcase_add_test(tests, ends_plateaus_and_gaps_have_no_lowest_point);
    tcase_add_test(tests, a_crossing_is_the_first_from_below);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
