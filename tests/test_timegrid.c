/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorded steps: ascending, without repetition, always with the last. */
#include <check.h>
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

int main(void) {
    Suite *suite = suite_create("timegrid");
    TCase *tests = tcase_create("timegrid");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_step_by_default);
    tcase_add_test(tests, the_last_step_is_recorded_whether_it_falls_on_the_grid_or_not);
    tcase_add_test(tests, no_steps_leave_the_initial_state);
    tcase_add_test(tests, a_list_is_sorted_and_freed_of_repetition);
    tcase_add_test(tests, steps_outside_the_run_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
