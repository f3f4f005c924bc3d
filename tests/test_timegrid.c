/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorded steps: ascending, without repetition, always with the last. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/timegrid.h"

static nnd_context *ctx;

static void setup(void) {
    ctx = nnd_context_new(NULL);
}

static void teardown(void) {
    nnd_context_free(ctx);
}

static void ck_grid(size_t steps, size_t listed, int64_t *list, size_t every, size_t count,
                    const size_t *want) {
    const nnd_integers record = {listed, list};
    nnd_timegrid grid;
    ck_assert_int_eq(nnd_timegrid_make(ctx, steps, &record, every, &grid), NND_OK);
    ck_assert_uint_eq(grid.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(grid.step[i], want[i]);
    nnd_timegrid_clear(&grid);
    ck_assert_uint_eq(grid.count, 0);
    ck_assert_ptr_null(grid.step);
}

START_TEST(every_step_by_default) {
    const size_t want[] = {0, 1, 2, 3};
    ck_grid(3, 0, NULL, 1, 4, want);
}
END_TEST

START_TEST(the_last_step_is_recorded_whether_it_falls_on_the_grid_or_not) {
    const size_t off_grid[] = {0, 3, 6, 7}, on_grid[] = {0, 3, 6}, coarse[] = {0, 7};
    ck_grid(7, 0, NULL, 3, 4, off_grid);
    ck_grid(6, 0, NULL, 3, 3, on_grid);
    ck_grid(7, 0, NULL, 100, 2, coarse);
}
END_TEST

START_TEST(no_steps_leave_the_initial_state) {
    const size_t want[] = {0};
    ck_grid(0, 0, NULL, 1, 1, want);
}
END_TEST

START_TEST(a_list_is_sorted_and_freed_of_repetition) {
    int64_t list[] = {5, 2, 5, 0, 2}, last[] = {9, 4};
    const size_t want[] = {0, 2, 5, 9}, want_last[] = {4, 9};
    ck_grid(9, 5, list, 1, 4, want);
    ck_grid(9, 2, last, 1, 2, want_last);
}
END_TEST

START_TEST(steps_outside_the_run_are_refused) {
    int64_t beyond[] = {3, 11}, negative[] = {-1};
    nnd_timegrid grid;
    ck_assert_int_eq(nnd_timegrid_make(ctx, 10, &(nnd_integers){2, beyond}, 1, &grid), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "11"));
    ck_assert_int_eq(nnd_timegrid_make(ctx, 10, &(nnd_integers){1, negative}, 1, &grid),
                     NND_E_INPUT);
    nnd_timegrid_clear(&grid);
}
END_TEST

START_TEST(recorded_times_are_log_spaced_or_listed) {
    const double ends[] = {0.3, 1e8};
    nnd_reals none = {0}, times;
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(nnd_record_times(ctx, ends[i], &none, &times), NND_OK);
        ck_assert_uint_eq(times.count, 200);
        ck_assert_double_eq(times.value[0], fmin(ends[i], 1.0) / 100.0);
        ck_assert_double_eq(times.value[199], ends[i]);
        double ratio = times.value[1] / times.value[0];
        for (size_t k = 2; k < 200; k++)
            ck_assert_double_eq_tol(times.value[k] / times.value[k - 1], ratio, 1e-12);
        free(times.value);
    }
    double listed[] = {7.5, 0.0, 2.0, 7.5};
    nnd_reals record = {4, listed};
    ck_assert_int_eq(nnd_record_times(ctx, 10.0, &record, &times), NND_OK);
    ck_assert_uint_eq(times.count, 4);
    ck_assert_double_eq(times.value[0], 0.0);
    ck_assert_double_eq(times.value[1], 2.0);
    ck_assert_double_eq(times.value[2], 7.5);
    ck_assert_double_eq(times.value[3], 10.0);
    free(times.value);
}
END_TEST

START_TEST(recorded_steps_are_whole_and_in_range) {
    double good[] = {3.0, 0.0}, half[] = {0.5}, late[] = {11.0}, early[] = {-1.0}, nan[] = {NAN};
    nnd_reals record = {2, good};
    nnd_objection o;
    nnd_timegrid grid;
    ck_assert(nnd_record_check(&record, false, 10.0, &o));
    ck_assert_int_eq(nnd_record_steps(ctx, 10, &record, 1, &grid), NND_OK);
    ck_assert_uint_eq(grid.count, 3);
    ck_assert_uint_eq(grid.step[1], 3);
    nnd_timegrid_clear(&grid);
    ck_assert(nnd_record_check(&(nnd_reals){1, half}, true, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, half}, false, 10.0, &o));
    ck_assert_ptr_nonnull(strstr(o.text, "0.5"));
    ck_assert(!nnd_record_check(&(nnd_reals){1, late}, true, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, early}, false, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, nan}, true, 10.0, &o));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("timegrid");
    TCase *tests = tcase_create("timegrid");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_step_by_default);
    tcase_add_test(tests, the_last_step_is_recorded_whether_it_falls_on_the_grid_or_not);
    tcase_add_test(tests, no_steps_leave_the_initial_state);
    tcase_add_test(tests, a_list_is_sorted_and_freed_of_repetition);
    tcase_add_test(tests, steps_outside_the_run_are_refused);
    tcase_add_test(tests, recorded_times_are_log_spaced_or_listed);
    tcase_add_test(tests, recorded_steps_are_whole_and_in_range);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
