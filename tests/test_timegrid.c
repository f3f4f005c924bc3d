/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorded steps: ascending, without repetition, always with the last. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/timegrid.h"
#include "support.h"
#include "with_context.h"

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

/* 20 per decade: the ratio of two is 10^(1/20) but for rounding, and small steps are all there. */
START_TEST(a_logarithmic_grid_has_twenty_steps_per_decade) {
    int64_t word = NND_WORD;
    const nnd_integers record = {1, &word};
    nnd_timegrid grid;
    ck_assert_int_eq(nnd_timegrid_make(ctx, 10000000, &record, 1, &grid), NND_OK);
    for (size_t i = 0; i < 8; i++)
        ck_assert_uint_eq(grid.step[i], i);
    size_t last_decade = 0;
    for (size_t i = 1; i < grid.count; i++) {
        ck_assert_uint_gt(grid.step[i], grid.step[i - 1]);
        last_decade += grid.step[i] > 1000000;
    }
    ck_assert_uint_eq(last_decade, 20);
    ck_assert_uint_eq(grid.step[grid.count - 1], 10000000);
    ck_assert((double)grid.count <= nnd_timegrid_most(10000000, &record, 1));
    nnd_timegrid_clear(&grid);
    const size_t few[] = {0, 1, 2, 3}, none[] = {0},
                 odd[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    ck_grid(3, 1, &word, 1, 4, few);
    ck_grid(0, 1, &word, 1, 1, none);
    int64_t beyond[] = {NND_WORD, 3};
    ck_assert_int_eq(nnd_timegrid_make(ctx, 10, &(nnd_integers){2, beyond}, 1, &grid), NND_E_INPUT);
    ck_grid(12, 1, &word, 1, 13, odd);
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

START_TEST(recorded_steps_are_log_spaced_once_each_or_listed) {
    double list[] = {9.0, 0.0, 9.0};
    const double few[] = {1.0, 2.0, 3.0}, listed[] = {0.0, 9.0, 12.0};
    nnd_reals none = {0}, record = {3, list}, times;
    ck_assert_int_eq(nnd_record_log_steps(ctx, 3, &none, &times), NND_OK);
    ck_assert_uint_eq(times.count, 3);
    ck_assert_mem_eq(times.value, few, sizeof few);
    free(times.value);
    ck_assert_int_eq(nnd_record_log_steps(ctx, 12, &record, &times), NND_OK);
    ck_assert_uint_eq(times.count, 3);
    ck_assert_mem_eq(times.value, listed, sizeof listed);
    free(times.value);
    ck_assert_int_eq(nnd_record_log_steps(ctx, 100000000, &none, &times), NND_OK);
    for (size_t i = 1; i < times.count; i++)
        ck_assert(times.value[i] == floor(times.value[i]) && times.value[i] > times.value[i - 1]);
    ck_assert_double_eq(times.value[times.count - 1], 1e8);
    free(times.value);
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
    double ever[] = {INFINITY, 1.0};
    record = (nnd_reals){2, ever};
    ck_assert_int_eq(nnd_record_times(ctx, INFINITY, &record, &times), NND_OK);
    ck_assert_uint_eq(times.count, 2);
    ck_assert(times.value[0] == 1.0 && isinf(times.value[1]));
    free(times.value);
}
END_TEST

START_TEST(recorded_steps_are_whole_and_in_range) {
    double good[] = {3.0, 0.0}, half[] = {0.5}, late[] = {11.0}, early[] = {-1.0}, nan[] = {NAN};
    double word[] = {(double)NND_WORD, 3.0};
    nnd_objection o;
    ck_assert(nnd_record_check(&(nnd_reals){2, good}, false, 10.0, &o));
    ck_assert(nnd_record_check(&(nnd_reals){1, word}, false, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){2, word}, true, 10.0, &o));
    ck_assert(nnd_record_check(&(nnd_reals){1, half}, true, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, half}, false, 10.0, &o));
    ck_assert_ptr_nonnull(strstr(o.text, "0.5"));
    ck_assert(!nnd_record_check(&(nnd_reals){1, late}, true, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, early}, false, 10.0, &o));
    ck_assert(!nnd_record_check(&(nnd_reals){1, nan}, true, 10.0, &o));
}
END_TEST

/* From min(time, 1)/100 to time; the k-th of 200 is the first times a power of the ratio of the
 * ends. */
START_TEST(logarithmic_times_have_their_values) {
    nnd_reals none = {0}, times;
    ck_assert_int_eq(nnd_record_times(ctx, 50.0, &none, &times), NND_OK);
    ck_assert_uint_eq(times.count, 200);
    /* 0.01 * 5000^(k/199) at k = 0, 1, 77, 199. */
    ck_assert_double_eq_tol(times.value[0], 0.01, 1e-16);
    ck_assert_double_eq_tol(times.value[1], 0.010437290924388725, 1e-17);
    ck_assert_double_eq_tol(times.value[77], 0.26993534261305162, 1e-15);
    ck_assert_double_eq(times.value[199], 50.0);
    free(times.value);
}
END_TEST

/* A flow has 0 and the powers of 10^(1/20) from a hundredth of its time, or of 1, on: those of one
 * run are among those of a longer one. Its end is recorded as it was given, once. */
START_TEST(a_logarithmic_grid_of_a_flow_is_that_of_descent_and_goes_on_below) {
    double word = (double)NND_WORD;
    const nnd_reals record = {1, &word};
    const double ends[] = {0.3, sqrt(10.0), 31.0, 1e6};
    nnd_reals longest, times;
    ck_assert_int_eq(nnd_record_times(ctx, 1e6, &record, &longest), NND_OK);
    ck_assert_uint_eq(longest.count, 1 + 8 * 20 + 1);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        double first = fmin(ends[i], 1.0) / 100.0;
        ck_assert_int_eq(nnd_record_times(ctx, ends[i], &record, &times), NND_OK);
        ck_assert_double_eq(times.value[0], 0.0);
        ck_assert_double_ge(times.value[1], first);
        ck_assert_double_lt(times.value[1], first * pow(10.0, 0.05));
        ck_assert_double_eq(times.value[times.count - 1], ends[i]);
        ck_assert_double_lt(times.value[times.count - 2], ends[i] * (1.0 - 1e-12));
        ck_assert((double)times.count <= nnd_record_most(true, ends[i], &record, 1));
        for (size_t k = times.count - 1, j = longest.count; ends[i] >= 1.0 && k-- > 0;) {
            while (j > 0 && longest.value[j - 1] > times.value[k])
                j--;
            ck_assert_double_eq(longest.value[j - 1], times.value[k]);
        }
        free(times.value);
    }
    free(longest.value);
    ck_assert_int_eq(nnd_record_axis(ctx, false, 100.0, &record, 7, &times), NND_OK);
    ck_assert_double_eq(times.value[1], 1.0);
    ck_assert_double_eq(times.value[times.count - 2], round(100.0 / pow(10.0, 0.05)));
    free(times.value);
}
END_TEST

START_TEST(the_axis_of_a_flow_is_its_times_that_of_descent_its_steps) {
    double listed[] = {4.0, 1.0};
    const double steps[] = {0.0, 3.0, 6.0, 7.0}, chosen[] = {1.0, 4.0, 7.0};
    nnd_reals none = {0}, record = {2, listed}, axis;
    ck_assert_int_eq(nnd_record_axis(ctx, false, 7.0, &none, 3, &axis), NND_OK);
    ck_assert_uint_eq(axis.count, 4);
    ck_assert_mem_eq(axis.value, steps, sizeof steps);
    free(axis.value);
    for (int flow = 0; flow < 2; flow++) {
        ck_assert_int_eq(nnd_record_axis(ctx, flow, 7.0, &record, 3, &axis), NND_OK);
        ck_assert_uint_eq(axis.count, 3);
        ck_assert_mem_eq(axis.value, chosen, sizeof chosen);
        free(axis.value);
    }
    ck_assert_int_eq(nnd_record_axis(ctx, true, 7.0, &none, 3, &axis), NND_OK);
    ck_assert_uint_eq(axis.count, 200);
    ck_assert_double_eq(axis.value[0], 0.01);
    free(axis.value);
}
END_TEST

START_TEST(recorded_steps_become_a_dimension) {
    int64_t list[] = {5, 2};
    nnd_integers none = {0}, record = {2, list};
    nnd_timegrid grid;
    nnd_frame *frame;
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_timegrid_make(ctx, 9, &record, 1, &grid), NND_OK);
    ck_assert_int_eq(nnd_timegrid_add_dim(&grid, frame, "t"), NND_OK);
    const nnd_dim *t = nnd_frame_find_dim(frame, "t");
    ck_assert_int_eq(t->kind, NND_COORD_INTEGER);
    ck_assert_uint_eq(t->length, 3);
    ck_assert_double_eq(t->value[0], 2.0);
    ck_assert_double_eq(t->value[1], 5.0);
    ck_assert_double_eq(t->value[2], 9.0);
    nnd_timegrid_clear(&grid);
    nnd_frame_free(frame);
    /* No fewer than are recorded: 0, 4, 8, 9; or 2, 5, 9. */
    ck_assert_double_eq(nnd_timegrid_most(9, &none, 4), 4.0);
    ck_assert_double_eq(nnd_timegrid_most(9, &record, 4), 3.0);
}
END_TEST

START_TEST(steps_beyond_the_last_are_objected_to) {
    int64_t last[] = {0, 9}, beyond[] = {3, 10};
    nnd_objection o = {"", ""};
    ck_assert(nnd_steps_check(&(nnd_integers){2, last}, 9, &o));
    ck_assert(!nnd_steps_check(&(nnd_integers){2, beyond}, 9, &o));
    ck_assert_str_eq(o.key, "record");
    ck_assert_str_eq(o.text, "10 is beyond the last step, 9");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("timegrid");
    TCase *tests = tcase_create("timegrid");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_step_by_default);
    tcase_add_test(tests, the_last_step_is_recorded_whether_it_falls_on_the_grid_or_not);
    tcase_add_test(tests, no_steps_leave_the_initial_state);
    tcase_add_test(tests, a_logarithmic_grid_has_twenty_steps_per_decade);
    tcase_add_test(tests, a_list_is_sorted_and_freed_of_repetition);
    tcase_add_test(tests, steps_outside_the_run_are_refused);
    tcase_add_test(tests, recorded_steps_are_log_spaced_once_each_or_listed);
    tcase_add_test(tests, recorded_times_are_log_spaced_or_listed);
    tcase_add_test(tests, recorded_steps_are_whole_and_in_range);
    tcase_add_test(tests, logarithmic_times_have_their_values);
    tcase_add_test(tests, a_logarithmic_grid_of_a_flow_is_that_of_descent_and_goes_on_below);
    tcase_add_test(tests, the_axis_of_a_flow_is_its_times_that_of_descent_its_steps);
    tcase_add_test(tests, recorded_steps_become_a_dimension);
    tcase_add_test(tests, steps_beyond_the_last_are_objected_to);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
