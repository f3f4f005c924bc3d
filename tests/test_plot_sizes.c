/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of fluctuations: bands, and the distance from infinite width. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plots.h"
#include "support.h"

static void setup(void) {
    static char model[] = "two-layer-fluctuations", text[] = "model: two-layer-fluctuations\n";
    plot_setup(model, text);
}

/* Frames of two-layer-fluctuations: theory at three times, networks of two sizes at two of them. */
static void fill_fluctuations(void) {
    const double sizes[] = {16.0, 64.0}, t_theory[] = {0.0, 1.0, 2.0}, t_mc[] = {0.0, 2.0};
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_INTEGER, 3, t_theory));
    assert_ok(nnd_frame_add_range(result.theory, "mu", 2, 0.0));
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_dim(result.mc, "t", NND_COORD_INTEGER, 2, t_mc));
    assert_ok(nnd_frame_add_range(result.mc, "mu", 2, 0.0));
}

START_TEST(the_distance_from_infinite_width_needs_no_second_time) {
    const double sizes[] = {16.0, 32.0}, value[] = {1.0, 1.1};
    nnd_frame *frames[] = {result.theory, result.mc};
    for (size_t f = 0; f < 2; f++) {
        assert_ok(nnd_frame_add_dim(frames[f], "size", NND_COORD_INTEGER, 2, sizes));
        assert_ok(nnd_frame_add_range(frames[f], "t", 1, 0.0));
        put(frames[f], "delta", f == 0 ? "t" : "size,t", value);
        put(frames[f], "delta_nvar", f == 0 ? "t" : "size,t", value);
    }
    options.view = "scaling";
    assert_ok(write_program());
    HAS("set xtics (16, 32)");
    HAS("$measured0");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Mean plus and minus sqrt(N Var/N) at the first size, 16. */
START_TEST(the_band_is_one_standard_deviation_of_the_first_size) {
    const double mean[] = {1.0, 10.0, 2.0, 20.0, 3.0, 30.0};
    const double nvar[] = {16.0, 64.0, 144.0, 4.0, NAN, 1.0};
    const double mc_mean[] = {1.5, 11.0, 3.5, 31.0, 100.0, 100.0, 100.0, 100.0};
    const double mc_nvar[] = {4.0, 16.0, 1.0, 36.0, 0.0, 0.0, 0.0, 0.0};
    name_var("output");
    fill_fluctuations();
    put(result.theory, "output", "t,mu", mean);
    put(result.theory, "delta_nvar", "t,mu", nvar);
    put(result.mc, "output", "size,t,mu", mc_mean);
    put(result.mc, "delta_nvar", "size,t,mu", mc_nvar);
    assert_ok(write_program());
    /* Time, mean, and the two ends. */
    const double band0[] = {0.0, 1.0, 0.0, 2.0, 1.0, 2.0, -1.0, 5.0};
    const double band1[] = {0.0, 10.0, 8.0, 12.0, 1.0, 20.0, 19.5, 20.5, 2.0, 30.0, 29.75, 30.25};
    const double spread0[] = {0.0, 1.5, 1.0, 2.0, 2.0, 3.5, 3.25, 3.75};
    const double spread1[] = {0.0, 11.0, 10.0, 12.0, 2.0, 31.0, 29.5, 32.5};
    ck_block("$band0", 8, band0);
    ck_block("$band1", 12, band1);
    ck_block("$spread0", 8, spread0);
    ck_block("$spread1", 8, spread1);
    HAS("standard deviation, size 16");
    /* A deviation above the mean: what lies below zero has no place on the axis. */
    options.log_y = true;
    assert_ok(write_program());
    LACKS("nan");
    LACKS("EOD\nEOD"); /* no data is empty */
    double low, high;
    find_y_range(program, &low, &high);
    ck_assert_double_eq_tol(low, 1.0 / pow(100.0, 0.04), 1e-12);
    ck_assert_double_eq_tol(high, 100.0 * pow(100.0, 0.04), 1e-9);
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Without a simulation theory says of which sizes: one band in the other. */
START_TEST(theory_alone_has_a_band_at_each_width_that_it_names) {
    const double widths[] = {4.0, 16.0}, mean[] = {1.0, 2.0, 3.0}, nvar[] = {16.0, 64.0, 0.0};
    const double wide[] = {0.0, 1.0, 0.0, 2.0, 1.0, 2.0, 0.0, 4.0, 2.0, 3.0, 3.0, 3.0};
    const double wider[] = {0.0, 1.0, -1.0, 3.0, 1.0, 2.0, -2.0, 6.0, 2.0, 3.0, 3.0, 3.0};
    assert_ok(nnd_frame_add_range(result.theory, "t", 3, 0.0));
    put(result.theory, "output", "t", mean);
    put(result.theory, "delta_nvar", "t", nvar);
    draw("output");
    LACKS("$band0");
    assert_ok(nnd_frame_add_dim(result.theory, "at_width", NND_COORD_REAL, 2, widths));
    draw("output");
    ck_block("$band0", 12, wider);
    ck_block("$band1", 12, wide);
    HAS("standard deviation, size 4, 16");
}
END_TEST

/* (E Delta_N - Delta)^2 + Var over the times in common; theory: N Var/N + (bias/N)^2 over all. */
START_TEST(the_distance_from_infinite_width_has_its_numbers) {
    const double delta[] = {1.0, 5.0, 2.0, 6.0, 3.0, 7.0};
    const double nvar[] = {16.0, 3.0, 32.0, 6.0, 48.0, 9.0};
    const double bias[] = {4.0, 1.0, 8.0, 2.0, 12.0, 3.0};
    /* Sample 0 is off by 0.5 and 1 at size 16, by 0 and 0.25 at size 64; sample 1 never. */
    const double mc_delta[] = {1.5, 5.0, 4.0, 7.0, 1.0, 5.0, 3.25, 7.0};
    const double mc_nvar[] = {8.0, 16.0, 4.0, 48.0, 64.0, 32.0, 0.0, NAN};
    fill_fluctuations();
    put(result.theory, "delta", "t,mu", delta);
    put(result.theory, "delta_nvar", "t,mu", nvar);
    put(result.theory, "delta_bias", "t,mu", bias);
    put(result.mc, "delta", "size,t,mu", mc_delta);
    put(result.mc, "delta_nvar", "size,t,mu", mc_nvar);
    options.view = "scaling";
    assert_ok(write_program());
    const double measured0[] = {16.0, (0.25 + 0.5 + 1.0 + 0.25) / 2.0, 64.0,
                                (0.0 + 1.0 + 0.0625 + 0.0) / 2.0};
    const double measured1[] = {16.0, (1.0 + 3.0) / 2.0, 64.0, 0.5};
    ck_block("$measured0", 4, measured0);
    ck_block("$measured1", 4, measured1);
    const double low = 16.0 / 1.3, high = 64.0 * 1.3;
    double predicted[2][42];
    for (size_t i = 0; i <= 20; i++) {
        double n = low * pow(high / low, (double)i / 20.0);
        predicted[0][2 * i] = predicted[1][2 * i] = n;
        predicted[0][2 * i + 1] = 32.0 / n + (16.0 + 64.0 + 144.0) / 3.0 / (n * n);
        predicted[1][2 * i + 1] = 6.0 / n + (1.0 + 4.0 + 9.0) / 3.0 / (n * n);
    }
    ck_block("$predicted0", 42, predicted[0]);
    ck_block("$predicted1", 42, predicted[1]);
    /* The dashed line falls as 1/N from the largest measurement at the left end. */
    const double slope[] = {low, 2.0, high, 2.0 * low / high};
    ck_block("$slope", 4, slope);
    HAS("set yrange [0.25:4]");
}
END_TEST

/* N Var delta stands under a name of its own; theory has no bias. */
START_TEST(any_variance_can_be_drawn_against_the_size) {
    static char model[] = "online-fluctuations";
    const double theory[] = {1.0, 2.0, 3.0}, nvar[] = {8.0, 16.0, 24.0};
    const double mc[] = {1.5, 3.0, 1.0, 3.25}, mc_nvar[] = {8.0, 4.0, 64.0, 0.0};
    fill_fluctuations();
    result.model = model;
    put(result.theory, "delta", "t", theory);
    put(result.theory, "par_nvar", "t", nvar);
    put(result.mc, "delta", "size,t", mc);
    put(result.mc, "par_nvar", "size,t", mc_nvar);
    options.view = "scaling";
    assert_ok(write_program());
    const double measured[] = {16.0, (0.25 + 0.5 + 0.0 + 0.25) / 2.0, 64.0,
                               (0.0 + 1.0 + 0.0625 + 0.0) / 2.0};
    ck_block("$measured0", 4, measured);
    HAS("set label '(Δ_N - Δ)², mean' . \"\\n\" . 'over seeds and times' at screen");
}
END_TEST

/* Without a time the size itself becomes the axis of a curve. */
START_TEST(a_variance_without_a_time_has_no_distance_from_infinite_width) {
    const double nvar[] = {8.0, 4.0};
    fill_fluctuations();
    put(result.mc, "delta_nvar", "size", nvar);
    options.view = "scaling";
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 500);
}
END_TEST

/* Theory counts its times, the group of another program calls them by name. */
START_TEST(names_in_one_group_and_numbers_in_the_other_are_no_common_axis) {
    const char *const times[] = {"first", "last"};
    const double sizes[] = {16.0}, value[] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
    fill_fluctuations();
    renew(&result.mc);
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 1, sizes));
    assert_ok(nnd_frame_add_text_dim(result.mc, "t", 2, times));
    put(result.theory, "output", "t,mu", value);
    put(result.theory, "delta_nvar", "t,mu", value);
    put(result.mc, "output", "size,t", value);
    put(result.mc, "delta_nvar", "size,t", value);
    draw("output");
    HAS("$theory0_0 using");
    LACKS("$mc0_0 using");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_sizes");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, the_distance_from_infinite_width_needs_no_second_time);
    tcase_add_test(tests, the_band_is_one_standard_deviation_of_the_first_size);
    tcase_add_test(tests, theory_alone_has_a_band_at_each_width_that_it_names);
    tcase_add_test(tests, the_distance_from_infinite_width_has_its_numbers);
    tcase_add_test(tests, any_variance_can_be_drawn_against_the_size);
    tcase_add_test(tests, a_variance_without_a_time_has_no_distance_from_infinite_width);
    tcase_add_test(tests, names_in_one_group_and_numbers_in_the_other_are_no_common_axis);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
