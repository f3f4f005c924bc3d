/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of densities that move, of bands, and of several places on an axis. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plots.h"
#include "support.h"

enum { TIMES = 4, BINS = 6, WIDTHS = 3 };

static double *add(nnd_frame *frame, const char *name, const char *dims) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    return data;
}

static void setup(void) {
    static char model[] = "many-outputs";
    plot_setup(model, NULL);
}

/* Densities over s at the times 0, 1, ..., of height 2, moving to the right. */
static void add_densities(nnd_frame *frame, const char *dims) {
    double s[BINS];
    for (size_t i = 0; i < BINS; i++)
        s[i] = 0.5 * ((double)i + 0.5);
    assert_ok(nnd_frame_add_range(frame, "t", TIMES, 0.0));
    assert_ok(nnd_frame_add_dim(frame, "s", NND_COORD_REAL, BINS, s));
    double *density = add(frame, "density_sv", dims);
    for (size_t t = 0; t < TIMES; t++)
        for (size_t i = 0; i < BINS; i++)
            density[t * BINS + i] = i <= t ? 2.0 : 0.5;
}

START_TEST(a_ridge_has_a_base_line_for_each_time) {
    add_densities(result.theory, "t,s");
    assert_ok(nnd_frame_add_range(result.mc, "size", 1, 300.0));
    add_densities(result.mc, "size,t,s");
    options.view = "ridge";
    assert_ok(write_program());
    /* 0.45 of the highest value apart, and as many curves as times. */
    HAS("set ytics noenhanced ('0' 0, '1' 0.9, '2' 1.8, '3' 2.7)");
    double low, high;
    find_y_range(program, &low, &high);
    ck_assert_double_eq(low, 0.0);
    ck_assert_double_gt(high, 4.7);
    HAS("$theory2_0 using 1:2 with filledcurves y1=1.8 fs transparent solid 0.25");
    HAS("$theory0_0 << EOD\n0.25 2 ");
    HAS("$theory3_0 << EOD\n0.25 4.7 ");
    HAS("$mc3_0 << EOD\n0.25 4.7 ");
    ck_assert_int_gt(picture("a.png"), 5000);
    /* As curves of their own they have one base line. */
    options.view = NULL;
    draw("density_sv");
    LACKS("filledcurves y1");
}
END_TEST

START_TEST(a_ridge_is_offered_of_three_times_on) {
    double s[] = {0.5, 1.0, 1.5};
    assert_ok(nnd_frame_add_range(result.theory, "t", 2, 0.0));
    assert_ok(nnd_frame_add_dim(result.theory, "s", NND_COORD_REAL, 3, s));
    add(result.theory, "density_sv", "t,s");
    options.view = "ridge";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
}
END_TEST

START_TEST(a_band_is_one_standard_deviation_at_each_width) {
    double width[WIDTHS] = {100.0, 200.0, 400.0};
    nnd_frame *frames[] = {result.theory, result.mc};
    for (size_t f = 0; f < 2; f++) {
        assert_ok(nnd_frame_add_dim(frames[f], "width", NND_COORD_INTEGER, WIDTHS, width));
        double *mean = add(frames[f], "top_mean", "width"), *sd = add(frames[f], "top_sd", "width");
        for (size_t i = 0; i < WIDTHS; i++) {
            mean[i] = 3.0;
            sd[i] = i == 2 ? NAN : 0.5;
        }
    }
    *add(result.theory, "upper_edge", "") = 3.25;
    options.view = "width";
    assert_ok(write_program());
    HAS("$band0 << EOD\n100 3 2.5 3.5\n200 3 2.5 3.5\n");
    HAS("$band0 using 1:3:4 with filledcurves fs transparent solid 0.2 noborder");
    HAS("$spread0 using 1:3 with points");
    HAS("title 'standard deviation'");
    HAS("set logscale x");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(each_edge_of_a_spectrum_has_an_upright_line) {
    double s[BINS];
    for (size_t i = 0; i < BINS; i++)
        s[i] = 0.5 * ((double)i + 0.5);
    assert_ok(nnd_frame_add_dim(result.theory, "s", NND_COORD_REAL, BINS, s));
    assert_ok(nnd_frame_add_range(result.theory, "edge", 3, 1.0));
    double *density = add(result.theory, "density_sv", "s");
    for (size_t i = 0; i < BINS; i++)
        density[i] = 1.0;
    double *edge = add(result.theory, "edge_sv", "edge");
    edge[0] = 0.75;
    edge[1] = 2.25;
    edge[2] = NAN; /* another network has three */
    draw("density_sv");
    HAS("set arrow from first 0.75, graph 0 to first 0.75, graph 1 nohead back");
    HAS("set arrow from first 2.25, graph 0 to first 2.25, graph 1 nohead back");
    LACKS("first nan");
    ck_assert_uint_eq(count("nohead back"), 2);
    HAS("set xlabel 'singular value s'");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_ridges");
    TCase *tests = tcase_create("plot_ridges");
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, a_ridge_has_a_base_line_for_each_time);
    tcase_add_test(tests, a_ridge_is_offered_of_three_times_on);
    tcase_add_test(tests, a_band_is_one_standard_deviation_at_each_width);
    tcase_add_test(tests, each_edge_of_a_spectrum_has_an_upright_line);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
