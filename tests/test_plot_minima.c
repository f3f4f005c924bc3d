/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of minima between their bounds, and of distances against the learning rate. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots.h"
#include "support.h"

/* Frames over `outer` (three values) and `inner` (two). */
static void fill(const char *outer, const char *inner) {
    const double x[] = {0.25, 0.5, 0.75}, y[] = {0.05, 0.1};
    nnd_frame *frames[] = {result.theory, result.mc};
    for (int f = 0; f < 2; f++) {
        assert_ok(nnd_frame_add_dim(frames[f], outer, NND_COORD_REAL, 3, x));
        assert_ok(nnd_frame_add_dim(frames[f], inner, NND_COORD_REAL, 2, y));
    }
}

/* One value per sweep point. */
static void add(nnd_frame *frame, const char *name, const char *dims, double first, double along,
                double across) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++)
            data[2 * i + j] = first + along * i + across * j;
}

static void setup(void) {
    static char model[] = "flat-minima", text[] = "model: flat-minima\nname: test\n";
    plot_setup(model, text);
}

/* What is the same for all learning rates is one grey line; 2/lr is one in each colour. */
START_TEST(minima_lie_between_lines_of_their_bounds) {
    const char *dims = "init_scale,lr";
    fill("init_scale", "lr");
    add(result.theory, "sharpness_min", dims, 20.0, 0.0, 0.0);
    add(result.theory, "sharpness_bound", dims, 19.0, 0.0, 0.0);
    add(result.theory, "sharpness_flow", dims, 21.0, 0.0, 0.0);
    add(result.theory, "stability_limit", dims, 40.0, 0.0, -20.0);
    add(result.mc, "final_sharpness", dims, 22.0, 3.0, 1.0);
    assert_ok(write_program());
    HAS("set title 'final_sharpness'");
    HAS("$sharpness_min_0 using 1:2 with lines lw 1.2 dt (12,5) lc rgb '#555555'");
    HAS("$stability_limit_0 using 1:2 with lines lw 1.2");
    HAS("$stability_limit_1 using 1:2 with lines lw 1.2");
    ck_assert_uint_eq(count("$sharpness_bound_1"), 0);
    ck_assert_uint_eq(count("$sharpness_ceiling_0"), 0);
    HAS("title 'least sharpness'");
    HAS("title '2/η₀'");
    ck_assert_uint_eq(count("set title 'sharpness_min'"), 0);
    assert_ok(nnd_plot(ctx, &result, &options, scratch_path("minima.svg")));
}
END_TEST

START_TEST(bounds_alone_are_curves) {
    fill("init_scale", "lr");
    add(result.theory, "sharpness_min", "init_scale,lr", 20.0, 0.0, 0.0);
    assert_ok(write_program());
    HAS("set title 'sharpness_min'");
    HAS("$theory0_0 using");
}
END_TEST

START_TEST(distances_have_the_threshold_of_each_depth) {
    fill("lr", "depth");
    add(result.theory, "lr_max", "lr,depth", 0.6, 0.0, -0.25);
    add(result.mc, "final_distance2", "lr,depth", 1e-3, 0.1, 0.2);
    options.view = "distance";
    assert_ok(write_program());
    HAS("set arrow from first 0.6, graph 0 to first 0.6, graph 1 nohead");
    HAS("set arrow from first 0.35, graph 0 to first 0.35, graph 1 nohead");
    HAS("title '2/least sharpness'");
    assert_ok(nnd_plot(ctx, &result, &options, scratch_path("distance.svg")));
}
END_TEST

/* "At most 2" stands in the table of variables; the axis goes on above it. */
START_TEST(a_number_that_bounds_a_simulation_is_a_line) {
    double low, high;
    fill("init_scale", "lr");
    add(result.mc, "final_stability", "init_scale,lr", 1.0, 0.1, 0.2);
    options.view = "stability";
    assert_ok(write_program());
    HAS("set arrow from graph 0, first 2 to graph 1, first 2 nohead");
    HAS("set label '2'");
    find_y_range(program, &low, &high);
    ck_assert_double_gt(high, 2.0);
    ck_assert_double_lt(high, 3.0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_minima");
    TCase *tests = tcase_create("plot_minima");
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, minima_lie_between_lines_of_their_bounds);
    tcase_add_test(tests, bounds_alone_are_curves);
    tcase_add_test(tests, distances_have_the_threshold_of_each_depth);
    tcase_add_test(tests, a_number_that_bounds_a_simulation_is_a_line);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
