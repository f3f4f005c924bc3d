/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures: what the gnuplot program says, that gnuplot accepts it, and what is refused. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/plot_impl.h"
#include "tests/scratch.h"

static nnd_result result;
static nnd_plot_options options;
static char *program;

static double *add(nnd_frame *frame, const char *name, const char *dims) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    const nnd_array *array = nnd_frame_find(frame, name);
    for (size_t i = 0; i < array->count; i++)
        data[i] = exp(-0.05 * (double)(i % 41)) + 0.1 * (double)(i / 41);
    return data;
}

/* Three sweep values, 41 times, four layers; the simulation at two sizes. */
static void fill(nnd_frame *frame, bool mc) {
    const double gamma0[] = {0.5, 1.0, 2.0}, sizes[] = {256.0, 1024.0};
    assert_ok(nnd_frame_add_dim(frame, "gamma0", NND_COORD_REAL, 3, gamma0));
    if (mc)
        assert_ok(nnd_frame_add_dim(frame, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_range(frame, "t", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "s", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "layer", 4, 0.0));
    add(frame, "test_risk", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "train_mse", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "g_norm2", mc ? "gamma0,size,t,layer" : "gamma0,t,layer");
    add(frame, "delta_two_time", mc ? "gamma0,size,t,s" : "gamma0,t,s");
    add(frame, "cosine", mc ? "gamma0,size" : "gamma0");
    if (mc)
        add(frame, "test_risk_se", "gamma0,size,t");
    assert_ok(nnd_frame_set_text(frame, "test_risk", "long_name", "excess test risk"));
    assert_ok(nnd_frame_set_text(frame, "test_risk", "units", "bits"));
}

static void setup(void) {
    static char model[] = "deep-linear", text[] = "model: deep-linear\nname: it's\n";
    scratch_setup();
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_new(ctx, &result.mc));
    fill(result.theory, false);
    fill(result.mc, true);
    result.model = model;
    result.case_text = text;
    options = (nnd_plot_options){0};
}

static void teardown(void) {
    free(program);
    program = NULL;
    nnd_frame_free(result.theory);
    nnd_frame_free(result.mc);
    result = (nnd_result){0};
    scratch_teardown();
}

static nnd_status write_program(void) {
    size_t size;
    free(program);
    FILE *out = open_memstream(&program, &size);
    ck_assert_ptr_nonnull(out);
    nnd_status status = nnd_plot_program(ctx, &result, &options, "svg", out);
    fclose(out);
    return status;
}

static void name_var(char *name) {
    static char *names[1];
    names[0] = name;
    options.vars = (nnd_selection){1, names};
}

static void drop(nnd_frame **frame) {
    nnd_frame_free(*frame);
    *frame = NULL;
}

static size_t count(const char *word) {
    size_t n = 0;
    for (const char *at = program; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

#define HAS(word)   ck_assert_msg(count(word) > 0, "no %s in:\n%s", word, program)
#define LACKS(word) ck_assert_msg(count(word) == 0, "%s in:\n%s", word, program)

/* Draws into a file; returns its size. */
static long picture(const char *name) {
    const char *path = scratch_path(name);
    struct stat st;
    assert_ok(nnd_plot(ctx, &result, &options, path));
    ck_assert_int_eq(stat(path, &st), 0);
    return (long)st.st_size;
}

START_TEST(a_picture_of_each_format_appears) {
    const char *names[] = {"a.svg", "a.pdf", "a.png"};
    ck_assert_int_gt(picture(names[_i]), 5000);
}
END_TEST

START_TEST(theory_is_lines_and_simulation_points_with_bars) {
    char name[] = "test_risk";
    name_var(name);
    assert_ok(write_program());
    HAS("$theory0_0 using 1:2 with lines lw 2 dt solid lc rgb '#0072B2'");
    HAS("$mc2_1 using 1:3:(0):($4-$3) with vectors");
    HAS("$mc2_1 using 1:2 with points pt 5");
    HAS("title 'gamma0 = 0.5'");
    HAS("title 'simulation, size 1024'");
    HAS("set ylabel 'excess test risk [bits]'");
    HAS("set xlabel 'step t'");
    HAS("title 'deep-linear: it\u2019s'");
}
END_TEST

START_TEST(the_first_view_is_drawn_without_being_asked) {
    assert_ok(write_program());
    HAS("set title 'test_risk'");
    HAS("set title 'train_mse'");
    LACKS("set title 'g_norm2'");
    LACKS("test_risk_se");
}
END_TEST

START_TEST(a_view_is_drawn_when_asked) {
    options.view = nnd_model_variable(nnd_model_find("deep-linear"), "g_norm2")->view;
    assert_ok(write_program());
    HAS("set title 'g_norm2'");
    HAS("title 'layer = 3'");
    LACKS("set title 'test_risk'");
}
END_TEST

START_TEST(unknown_names_are_errors_that_list_what_there_is) {
    char name[] = "test_risc";
    const char *path = scratch_path("x.svg");
    name_var(name);
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx), "no variable test_risc; there are: test_risk, train_mse"));
    options = (nnd_plot_options){.view = "nonsense"};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "no view nonsense; there are: "));
    options = (nnd_plot_options){0};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, "x.jpg"), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), ".svg, .pdf or .png"));
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(an_empty_result_is_an_error) {
    drop(&result.theory);
    drop(&result.mc);
    ck_assert_int_eq(write_program(), NND_E_INPUT);
}
END_TEST

START_TEST(without_a_model_all_curves_in_time_are_drawn) {
    result.model = NULL;
    drop(&result.theory);
    assert_ok(write_program());
    HAS("set title 'test_risk'");
    HAS("set title 'g_norm2'");
    LACKS("set title 'cosine'");
    options.view = "training";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
}
END_TEST

START_TEST(a_scalar_is_drawn_over_the_sweep) {
    char name[] = "cosine";
    name_var(name);
    assert_ok(write_program());
    HAS("set xlabel 'gamma0'");
    HAS("title 'theory'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(many_curves_are_thinned_and_the_title_says_so) {
    char name[] = "wide";
    name_var(name);
    assert_ok(nnd_frame_add_range(result.theory, "mu", 40, 0.0));
    add(result.theory, "wide", "t,mu");
    assert_ok(write_program());
    HAS("set title 'wide (12 of 40 curves)'");
    HAS("title 'mu = 0'");
    HAS("title 'mu = 39'");
    ck_assert_uint_eq(count("with lines lw 2 dt solid lc"), 12);
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(two_times_are_a_heat_map_theory_beside_simulation) {
    char name[] = "delta_two_time";
    name_var(name);
    assert_ok(write_program());
    HAS("'delta_two_time, theory, gamma0 = 0.5'");
    HAS("'delta_two_time, simulation, size 1024, gamma0 = 0.5'");
    HAS("with boxxyerror");
    HAS("set ylabel 'step s'");
    ck_assert_int_gt(picture("a.svg"), 5000);
    const nnd_array *theory = nnd_frame_find(result.theory, name);
    for (size_t i = 0; i < theory->count; i++)
        theory->data[i] = NAN;
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(missing_values_are_gaps) {
    char name[] = "gap";
    name_var(name);
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
    char name[] = "falling";
    name_var(name);
    double *falling = add(result.theory, "falling", "t");
    for (size_t i = 0; i < 41; i++)
        falling[i] = 1.0 - 0.1 * (double)i;
    options.log_x = options.log_y = true;
    assert_ok(write_program());
    HAS("set logscale x");
    HAS("set logscale y");
    HAS("\n1 0.9 0.9 0.9\n");
    LACKS("\n0 1 1 1\n");
    LACKS("\n11 -0.1");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(text_from_a_file_is_never_a_command) {
    char name[] = "test_risk";
    name_var(name);
    assert_ok(
        nnd_frame_set_text(result.theory, "test_risk", "long_name", "'; `touch x`\n!touch x\n'"));
    assert_ok(write_program());
    HAS("set ylabel '\u2019; `touch x` !touch x \u2019 [bits]' noenhanced\n");
    ck_assert_int_gt(picture("a.svg"), 5000);
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
    char name[] = "test_risk";
    name_var(name);
    add(result.theory, "test_risk_se", "gamma0,t");
    assert_ok(write_program());
    HAS("$theory0_0 using 1:3:4 with filledcurves");
}
END_TEST

START_TEST(values_that_hardly_differ_can_be_drawn) {
    char name[] = "flat";
    name_var(name);
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
    char name[] = "long";
    name_var(name);
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.mc));
    assert_ok(nnd_frame_add_range(result.mc, "t", 10001, 0.0));
    add(result.mc, "long", "t");
    options.log_x = true;
    assert_ok(write_program());
    size_t points = 0;
    for (const char *at = strstr(program, "$mc0_0"); strncmp(at, "EOD\n", 4) != 0; points++)
        at = strchr(at, '\n') + 1;
    ck_assert_uint_ge(points, 25);
    ck_assert_uint_le(points, NND_PLOT_POINTS + 2);
}
END_TEST

/* Runs gnuplot's stand-in on a program. */
static nnd_status run(const char *command, const char *text) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    nnd_status status = nnd_gnuplot_run(ctx, command, file, scratch_path("out"));
    fclose(file);
    return status;
}

START_TEST(a_failing_or_missing_gnuplot_is_reported) {
    ck_assert_int_eq(run("gnuplot", "set terminal svg\nplot foo(\n"), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "invalid expression"));
    ck_assert_int_eq(run("no-such-gnuplot", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "no-such-gnuplot is not installed; pictures need it");
    ck_assert_int_eq(run("true", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx), "true drew nothing");
    ck_assert_int_eq(run("false", ""), NND_E_IO);
}
END_TEST

START_TEST(the_list_names_views_and_variables) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    nnd_plot_list(&result, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "views:\n"));
    ck_assert_ptr_nonnull(strstr(text, "  test_risk [gamma0,t] theory, simulation, view "));
    ck_assert_ptr_nonnull(strstr(text, "  cosine [gamma0] theory, simulation\n"));
    ck_assert_ptr_null(strstr(text, "test_risk_se"));
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_picture_of_each_format_appears, 0, 3);
    tcase_add_test(tests, theory_is_lines_and_simulation_points_with_bars);
    tcase_add_test(tests, the_first_view_is_drawn_without_being_asked);
    tcase_add_test(tests, a_view_is_drawn_when_asked);
    tcase_add_test(tests, unknown_names_are_errors_that_list_what_there_is);
    tcase_add_test(tests, an_empty_result_is_an_error);
    tcase_add_test(tests, without_a_model_all_curves_in_time_are_drawn);
    tcase_add_test(tests, a_scalar_is_drawn_over_the_sweep);
    tcase_add_test(tests, many_curves_are_thinned_and_the_title_says_so);
    tcase_add_test(tests, two_times_are_a_heat_map_theory_beside_simulation);
    tcase_add_test(tests, missing_values_are_gaps);
    tcase_add_test(tests, logarithmic_axes_leave_out_what_is_not_positive);
    tcase_add_test(tests, text_from_a_file_is_never_a_command);
    tcase_add_test(tests, names_and_single_points_can_be_drawn);
    tcase_add_test(tests, a_sampled_theory_has_a_band);
    tcase_add_test(tests, values_that_hardly_differ_can_be_drawn);
    tcase_add_test(tests, points_are_spread_over_a_logarithmic_axis);
    tcase_add_test(tests, a_failing_or_missing_gnuplot_is_reported);
    tcase_add_test(tests, the_list_names_views_and_variables);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
