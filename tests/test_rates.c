/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multipliers of the learning rate, which theory and simulation share: literal values. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nndmft/rates.h"
#include "support.h"

static const double TWICE = 2.0 * 0x1p-52; /* pow is exact to one unit of the last place */

static nnd_rates none(void) {
    return (nnd_rates){.power = NAN, .factor = NAN};
}

START_TEST(a_list_gives_each_step_its_multiplier_and_the_last_holds_on) {
    double list[] = {1.0, 0.5, 0.25};
    const double want[] = {1.0, 0.5, 0.25, 0.25, 0.25};
    nnd_rates r = none();
    r.list = (nnd_reals){3, list};
    for (size_t step = 0; step < 5; step++)
        ck_assert_double_eq(nnd_rates_at(&r, step), want[step]);
    ck_assert_double_eq(nnd_rates_at(&r, SIZE_MAX), 0.25);
    ck_assert(nnd_rates_given(&r));
}
END_TEST

START_TEST(without_a_schedule_the_rate_is_constant) {
    nnd_rates r = none();
    ck_assert(!nnd_rates_given(&r));
    ck_assert_double_eq(nnd_rates_at(&r, 0), 1.0);
    ck_assert_double_eq(nnd_rates_at(&r, 1000000), 1.0);
}
END_TEST

START_TEST(laws_begin_at_one) {
    nnd_rates power = none(), factor = none();
    power.power = -0.5;
    factor.factor = 0.9;
    ck_assert_double_eq(nnd_rates_at(&power, 0), 1.0);
    test_close("power", nnd_rates_at(&power, 3), 0.5, TWICE);
    test_close("power", nnd_rates_at(&power, 99), 0.1, TWICE);
    ck_assert_double_eq(nnd_rates_at(&factor, 0), 1.0);
    test_close("factor", nnd_rates_at(&factor, 2), 0.81, TWICE);
    test_close("factor", nnd_rates_at(&factor, 10), 0.3486784401, 1e-14);
}
END_TEST

START_TEST(peaks_are_those_of_the_steps_between) {
    double list[] = {1.0, 3.0, 2.0, 0.5};
    nnd_rates r = none(), power = none();
    r.list = (nnd_reals){4, list};
    ck_assert_double_eq(nnd_rates_peak(&r, 0, 3), 3.0);
    ck_assert_double_eq(nnd_rates_peak(&r, 0, 0), 1.0);
    ck_assert_double_eq(nnd_rates_peak(&r, 2, 100), 2.0);
    ck_assert_double_eq(nnd_rates_peak(&r, 3, 100), 0.5);
    power.power = 1.0;
    ck_assert_double_eq(nnd_rates_peak(&power, 2, 9), 10.0);
    power.power = -1.0;
    ck_assert_double_eq(nnd_rates_peak(&power, 1, 9), 0.5);
}
END_TEST

START_TEST(one_law_at_a_time) {
    nnd_objection o;
    double list[] = {1.0};
    nnd_rates r = none();
    ck_assert(nnd_rates_check(&r, &o));
    r.power = 0.5;
    ck_assert(nnd_rates_check(&r, &o));
    r.list = (nnd_reals){1, list};
    ck_assert(!nnd_rates_check(&r, &o));
    ck_assert_str_eq(o.key, "schedule");
    ck_assert_ptr_nonnull(strstr(o.text, "2 of list, power and factor"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rates");
    TCase *tests = tcase_create("rates");
    tcase_add_test(tests, a_list_gives_each_step_its_multiplier_and_the_last_holds_on);
    tcase_add_test(tests, without_a_schedule_the_rate_is_constant);
    tcase_add_test(tests, laws_begin_at_one);
    tcase_add_test(tests, peaks_are_those_of_the_steps_between);
    tcase_add_test(tests, one_law_at_a_time);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
