/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of every network as a point, with the power law that fits them. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plots.h"
#include "support.h"

enum { SEEDS = 6, TIMES = 2 };

/* Seeds of two values of a sweep at two times, of which the last one counts. */
static void setup(void) {
    static char model[] = "flat-minima", text[] = "model: flat-minima\n";
    const double scales[] = {0.1, 0.2};
    plot_setup(model, text);
    assert_ok(nnd_frame_new(ctx, &result.seeds));
    assert_ok(nnd_frame_add_dim(result.seeds, "init_scale", NND_COORD_REAL, 2, scales));
    assert_ok(nnd_frame_add_range(result.seeds, "seed", SEEDS, 0.0));
    assert_ok(nnd_frame_add_range(result.seeds, "t", TIMES, 0.0));
    options.view = "scatter";
}

/* Both halves of `value` are those of a sweep value; earlier times have 77. */
static void add(const char *name, const double *value) {
    double *x;
    assert_ok(nnd_frame_add(result.seeds, name, "init_scale,seed,t", &x));
    for (size_t i = 0; i < (size_t)2 * SEEDS * TIMES; i++)
        x[i] = i % TIMES == TIMES - 1 ? value[i / TIMES] : 77.0;
}

static const double SHARPNESS[] = {1, 2, 4, 8, 16, 3, 5, 10, 20, 40, 80, 15};

/* gap = 3 sharpness^(1/2): the line ends on the first and the last point. */
START_TEST(an_exact_power_law_has_its_exponent_without_error) {
    double gap[2 * SEEDS], end[4];
    for (size_t i = 0; i < 2 * SEEDS; i++)
        gap[i] = 3.0 * sqrt(SHARPNESS[i]);
    add("sharpness", SHARPNESS);
    add("gap", gap);
    assert_ok(write_program());
    const char *fit = strstr(program, "$fit << EOD\n");
    ck_assert_ptr_nonnull(fit);
    ck_assert_int_eq(sscanf(fit, "$fit << EOD\n%lf %lf\n%lf %lf", end, end + 1, end + 2, end + 3),
                     4);
    test_close("left", end[0], 1.0, 1e-11);
    test_close("at the left", end[1], 3.0, 1e-11);
    test_close("right", end[2], 80.0, 1e-11);
    test_close("at the right", end[3], 3.0 * sqrt(80.0), 1e-11);
    HAS("slope 0.5 ±");
    HAS("12 runs");
    HAS("init_scale");
    HAS("set logscale x");
    HAS("set logscale y");
    LACKS("77 ");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Slope of six points and jackknife by numpy.polyfit; what has no logarithm is counted and not
 * drawn. */
START_TEST(the_error_is_that_of_points_of_any_spread) {
    const double gap[2 * SEEDS] = {1, 1.7, 1.5, 3, 4.2, 2.5, -1, 0, NAN, -2, -3, -4};
    add("sharpness", SHARPNESS);
    add("gap", gap);
    assert_ok(write_program());
    HAS("slope 0.478 ± 0.056, 6 runs");
    HAS("without a logarithm: 6");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* The same by numpy.polyfit without one seed of both curves at a time; points taken as independent
 * would have the error 0.042. */
START_TEST(points_of_one_seed_are_not_independent) {
    const double gap[2 * SEEDS] = {1, 1.7, 1.5, 3, 4.2, 2.5, 1.9, 4.1, 3.2, 7.5, 9.9, 6.1};
    add("sharpness", SHARPNESS);
    add("gap", gap);
    assert_ok(write_program());
    HAS("slope 0.511 ± 0.029, 12 runs");
}
END_TEST

/* All seeds but one are alike: without it there is no slope, hence no error. */
START_TEST(a_slope_without_error_is_not_drawn) {
    const double sharpness[2 * SEEDS] = {9, 2, 2, 2, 2, 2, 9, 2, 2, 2, 2, 2};
    const double gap[2 * SEEDS] = {5, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5};
    add("sharpness", sharpness);
    add("gap", gap);
    assert_ok(write_program());
    LACKS("slope");
}
END_TEST

START_TEST(seeds_are_needed_and_enough_points) {
    add("sharpness", SHARPNESS);
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), "3 seeds") != NULL, "%s",
                  nnd_context_message(ctx));
    const double gap[2 * SEEDS] = {1, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    add("gap", gap);
    assert_ok(write_program());
    LACKS("slope");
    drop(&result.seeds);
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), "trajectories") != NULL, "%s",
                  nnd_context_message(ctx));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_scatter");
    TCase *tests = tcase_create("plot_scatter");
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, an_exact_power_law_has_its_exponent_without_error);
    tcase_add_test(tests, the_error_is_that_of_points_of_any_spread);
    tcase_add_test(tests, points_of_one_seed_are_not_independent);
    tcase_add_test(tests, a_slope_without_error_is_not_drawn);
    tcase_add_test(tests, seeds_are_needed_and_enough_points);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
