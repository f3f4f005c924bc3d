/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/largest.h"
#include "support.h"

START_TEST(a_maximum_does_not_lose_what_is_not_a_number) {
    ck_assert_double_eq(nnd_largest(1.0, -2.0), 1.0);
    ck_assert_double_eq(nnd_largest(-2.0, 1.0), 1.0);
    ck_assert(isinf(nnd_largest(1.0, INFINITY)));
    ck_assert(isnan(nnd_largest(NAN, INFINITY)));
    ck_assert(isnan(nnd_largest(0.0, NAN)));
    double largest = 0.0;
    const double errors[] = {1e-9, NAN, 1e-3};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        largest = nnd_largest(largest, errors[i]);
    ck_assert(!(largest <= 1.0));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("largest");
    TCase *tests = tcase_create("largest");
    tcase_add_test(tests, a_maximum_does_not_lose_what_is_not_a_number);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
