/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory and simulation share this rule, so that a mistake in it cancels in every comparison: each
 * value is literal. */
#include "core/divergence.h"

#include <math.h>

#include "support.h"

START_TEST(the_limit_is_relative_to_the_larger_of_start_and_targets) {
    ck_assert(nnd_divergence_limit(1000.0, 0.5, 0.25) == 500.0);
    ck_assert(nnd_divergence_limit(1000.0, 0.25, 0.5) == 500.0);
    ck_assert(nnd_divergence_limit(2.0, 0.0, 3.0) == 6.0);
    ck_assert(nnd_divergence_limit(1e6, 1e-10, 0.0) == 1e-4);
}
END_TEST

START_TEST(rounding_around_zero_is_not_divergence) {
    ck_assert(nnd_divergence_limit(1e6, 0.0, 0.0) == 1e-12);
    ck_assert(nnd_divergence_limit(1e6, 1e-40, 1e-40) == 1e-12);
    ck_assert(!nnd_has_diverged(nnd_divergence_limit(1e6, 0.0, 0.0), 1e-33));
    ck_assert(nnd_has_diverged(nnd_divergence_limit(1e6, 0.0, 0.0), 1e-11));
}
END_TEST

START_TEST(the_limit_itself_is_within) {
    ck_assert(!nnd_has_diverged(6.0, 0.0));
    ck_assert(!nnd_has_diverged(6.0, 6.0));
    ck_assert(nnd_has_diverged(6.0, 6.000001));
}
END_TEST

START_TEST(what_is_not_finite_has_diverged_whatever_the_limit) {
    static const double limits[] = {6.0, INFINITY, NAN};
    ck_assert(nnd_has_diverged(limits[_i], NAN));
    ck_assert(nnd_has_diverged(limits[_i], INFINITY));
    ck_assert(nnd_has_diverged(limits[_i], -INFINITY));
    ck_assert(!nnd_has_diverged(INFINITY, 1e300));
    /* A start that is not finite gives no limit that anything is within. */
    ck_assert(nnd_has_diverged(nnd_divergence_limit(1e6, INFINITY, 0.0), INFINITY));
    ck_assert(nnd_has_diverged(nnd_divergence_limit(1e6, NAN, 0.0), NAN));
}
END_TEST

START_TEST(half_the_mean_square) {
    static const double x[] = {1.0, -2.0, 3.0, 0.5};
    ck_assert(nnd_half_mean_square(3, x) == 14.0 / 6.0);
    ck_assert(nnd_half_mean_square(1, x + 3) == 0.125);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("divergence");
    TCase *tests = tcase_create("divergence");
    tcase_add_test(tests, the_limit_is_relative_to_the_larger_of_start_and_targets);
    tcase_add_test(tests, rounding_around_zero_is_not_divergence);
    tcase_add_test(tests, the_limit_itself_is_within);
    tcase_add_loop_test(tests, what_is_not_finite_has_diverged_whatever_the_limit, 0, 3);
    tcase_add_test(tests, half_the_mean_square);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
