/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of curves: axes, colours and dashes, gaps, points. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plot/trace.h"
#include "support.h"
#include "training_plots.h"

/* The word after `key` in the first line that holds `needle`. */
static const char *style_of(const char *needle, const char *key, char word[20]) {
    const char *line = strstr(program, needle);
    ck_assert_msg(line != NULL, "no %s in:\n%s", needle, program);
    while (line > program && line[-1] != '\n')
        line--;
    const char *at = strstr(line, key);
    ck_assert_msg(at != NULL && at < strchr(line, '\n'), "no %s beside %s", key, needle);
    ck_assert_int_eq(sscanf(at + strlen(key), " %19s", word), 1);
    return word;
}

/* A sweep over gamma0 and nu; curve k holds 100 + 2 k and one more. */
static void sweep_two_keys(void) {
    const double gamma0[] = {0.5, 3.0, 2.0}, nu[] = {2.0, 0.5};
    static char name[] = "test_risk";
    renew(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "gamma0", NND_COORD_REAL, 3, gamma0));
    assert_ok(nnd_frame_add_dim(result.theory, "nu", NND_COORD_REAL, 2, nu));
    assert_ok(nnd_frame_add_range(result.theory, "t", 2, 0.0));
    double *risk = add(result.theory, name, "gamma0,nu,t");
    for (size_t i = 0; i < 12; i++)
        risk[i] = 100.0 + (double)i;
    name_var(name);
    assert_ok(write_program());
}

/* The style of curve k is that of a legend entry. */
static void ck_curve(size_t k, const char *key, const char *title) {
    char curve[40], of_curve[20], of_title[20];
    snprintf(curve, sizeof curve, "$theory%zu_0 << EOD\n0 %zu ", k, 100 + 2 * k);
    HAS(curve);
    snprintf(curve, sizeof curve, "$theory%zu_0 using", k);
    ck_assert_str_eq(style_of(curve, key, of_curve), style_of(title, key, of_title));
}

START_TEST(curves_of_two_swept_keys_have_colours_and_titles_of_their_own) {
    static const char *const titles[] = {"'γ₀ = 0.5, ν = 2'", "'γ₀ = 0.5, ν = 0.5'",
                                         "'γ₀ = 3, ν = 2'",   "'γ₀ = 3, ν = 0.5'",
                                         "'γ₀ = 2, ν = 2'",   "'γ₀ = 2, ν = 0.5'"};
    char colour[20], other[20];
    sweep_two_keys();
    for (size_t k = 0; k < 6; k++)
        ck_curve(k, "lc rgb", titles[k]);
    ck_assert_str_ne(style_of(titles[1], "lc rgb", colour), style_of(titles[2], "lc rgb", other));
}
END_TEST

START_TEST(a_sweep_has_colours_and_what_belongs_to_the_variable_dashes) {
    static const char *const colours[] = {"'γ₀ = 0.5'", "'γ₀ = 1'", "'γ₀ = 2'"};
    static const char *const dashes[] = {"'layer = 0'", "'layer = 1'", "'layer = 2'",
                                         "'layer = 3'"};
    char name[] = "g_norm2", a[20], b[20];
    double *data = nnd_frame_find(result.theory, name)->data;
    for (size_t k = 0; k < 12; k++)
        data[k / 4 * 41 * 4 + k % 4] = 100.0 + 2.0 * (double)k;
    drop(&result.mc);
    name_var(name);
    assert_ok(write_program());
    for (size_t k = 0; k < 12; k++) {
        ck_curve(k, "lc rgb", colours[k / 4]);
        ck_curve(k, " dt", dashes[k % 4]);
    }
    ck_assert_str_ne(style_of(colours[1], "lc rgb", a), style_of(colours[2], "lc rgb", b));
    ck_assert_str_ne(style_of(dashes[0], " dt", a), style_of(dashes[1], " dt", b));
}
END_TEST

START_TEST(a_scalar_is_drawn_over_the_sweep) {
    draw("cosine");
    HAS("set xlabel 'output scale γ₀'");
    HAS("title 'theory'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(fifteen_curves_are_all_drawn) {
    assert_ok(nnd_frame_add_range(result.theory, "mu", 15, 0.0));
    add(result.theory, "some", "t,mu");
    draw("some");
    HAS("set title 'some'");
    HAS("$theory14_0 using");
    HAS("title 'μ = 7'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(many_curves_are_thinned_and_the_title_says_so) {
    assert_ok(nnd_frame_add_range(result.theory, "mu", 40, 0.0));
    add(result.theory, "wide", "t,mu");
    draw("wide");
    HAS("set title 'wide (24 of 40 curves)'");
    HAS("title 'μ = 0'");
    HAS("title 'μ = 39'");
    ck_assert_uint_eq(count("with lines lw 2 dt solid lc"), 24);
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(missing_values_are_gaps) {
    name_var("gap");
    double *gap = add(result.theory, "gap", "t");
    for (size_t i = 0; i < 41; i++)
        gap[i] = i == 20 ? NAN : 1.0;
    assert_ok(write_program());
    HAS("\n19 1 1 1\n\n21 1 1 1\n");
    for (size_t i = 0; i < 41; i++)
        gap[i] = NAN;
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 500);
}
END_TEST

START_TEST(logarithmic_axes_leave_out_what_is_not_positive) {
    double *falling = add(result.theory, "falling", "t");
    for (size_t i = 0; i < 41; i++)
        falling[i] = 1.0 - 0.1 * (double)i;
    options.log_x = options.log_y = true;
    draw("falling");
    HAS("set logscale x");
    HAS("set logscale y");
    HAS("\n1 0.9 0.9 0.9\n");
    LACKS("\n0 1 1 1\n");
    LACKS("\n11 -0.1");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(names_and_single_points_can_be_drawn) {
    const char *kinds[] = {"fixed", "on'line"};
    char kind[] = "by_kind", scalar[] = "kappa", sized[] = "extrapolated";
    assert_ok(nnd_frame_add_text_dim(result.theory, "training", 2, kinds));
    add(result.theory, "by_kind", "training");
    assert_ok(nnd_frame_add_scalar(result.theory, "kappa", 0.0));
    assert_ok(nnd_frame_add_scalar(result.theory, "extrapolated", 1.0));
    add(result.mc, "extrapolated", "size");
    name_var(kind);
    assert_ok(write_program());
    HAS("set xtics noenhanced ('fixed' 0, 'on\u2019line' 1)");
    ck_assert_int_gt(picture("a.svg"), 1000);
    name_var(scalar);
    ck_assert_int_gt(picture("a.svg"), 1000);
    name_var(sized);
    assert_ok(write_program());
    HAS("set xlabel 'size'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_sampled_theory_has_a_band) {
    add(result.theory, "test_risk_se", "gamma0,t");
    draw("test_risk");
    HAS("$theory0_0 using 1:3:4 with filledcurves");
}
END_TEST

START_TEST(values_that_hardly_differ_can_be_drawn) {
    name_var("flat");
    double *theory = add(result.theory, "flat", "t"), *mc = add(result.mc, "flat", "t");
    for (size_t i = 0; i < 41; i++) {
        theory[i] = 1.0 + (double)(i % 2) * 2.3e-16;
        mc[i] = i == 7 ? 1.0 : NAN;
    }
    for (unsigned logs = 0; logs < 4; logs++) {
        options.log_x = logs & 1;
        options.log_y = logs & 2;
        ck_assert_int_gt(picture("a.svg"), 1000);
    }
}
END_TEST

START_TEST(points_are_spread_over_a_logarithmic_axis) {
    drop(&result.theory);
    renew(&result.mc);
    assert_ok(nnd_frame_add_range(result.mc, "t", 10001, 0.0));
    add(result.mc, "long", "t");
    options.log_x = true;
    draw("long");
    size_t points = 0;
    for (const char *at = strstr(program, "$mc0_0"); strncmp(at, "EOD\n", 4) != 0; points++)
        at = strchr(at, '\n') + 1;
    ck_assert_uint_ge(points, 25);
    ck_assert_uint_le(points, NND_PLOT_POINTS + 2);
}
END_TEST

START_TEST(what_never_escapes_is_a_gap) {
    assert_ok(nnd_frame_add_range(result.theory, "matrix", 2, 0.0));
    double *time = add(result.theory, "escape_time", "gamma0,matrix");
    const double values[] = {NAN, 7.0, 5.0, NAN, NAN, 3.0};
    memcpy(time, values, sizeof values);
    options.view = "escape";
    assert_ok(write_program());
    HAS("set xlabel 'output scale γ₀'");
    HAS("title 'matrix = 1'");
    HAS("\n0.5 7 7 7\n\n2 3 3 3\n");
    HAS("$theory0_0 using 1:2 with points");
    HAS("set xrange [0.4");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_curves");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, curves_of_two_swept_keys_have_colours_and_titles_of_their_own);
    tcase_add_test(tests, a_sweep_has_colours_and_what_belongs_to_the_variable_dashes);
    tcase_add_test(tests, a_scalar_is_drawn_over_the_sweep);
    tcase_add_test(tests, fifteen_curves_are_all_drawn);
    tcase_add_test(tests, many_curves_are_thinned_and_the_title_says_so);
    tcase_add_test(tests, missing_values_are_gaps);
    tcase_add_test(tests, logarithmic_axes_leave_out_what_is_not_positive);
    tcase_add_test(tests, names_and_single_points_can_be_drawn);
    tcase_add_test(tests, a_sampled_theory_has_a_band);
    tcase_add_test(tests, values_that_hardly_differ_can_be_drawn);
    tcase_add_test(tests, points_are_spread_over_a_logarithmic_axis);
    tcase_add_test(tests, what_never_escapes_is_a_gap);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
