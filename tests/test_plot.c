/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures: which are drawn, in which formats, and what is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "training_plots.h"

START_TEST(a_picture_of_each_format_appears) {
    const char *names[] = {"a.svg", "a.pdf", "a.png", "a.eps", "a.tex", "a.PDF"};
    ck_assert_int_gt(picture(names[_i]), 5000);
}
END_TEST

START_TEST(theory_is_lines_and_simulation_points_with_bars) {
    draw("test_risk");
    HAS("$theory0_0 using 1:2 with lines lw 2 dt solid lc rgb '#0072B2'");
    HAS("$mc2_1 using 1:3:(0):($4-$3) with vectors");
    HAS("$mc2_1 using 1:2 with points pt 5");
    HAS("title 'γ₀ = 0.5'");
    HAS("title 'simulation, size 1024'");
    HAS("set label 'excess test risk |β*−β|² [bits]'");
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
    const char *path = scratch_path("x.svg");
    name_var("test_risc");
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx),
               "no variable test_risc; did you mean test_risk? there are: test_risk, train_mse"));
    options = (nnd_plot_options){.view = "nonsense"};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "no view nonsense; there are: "));
    options = (nnd_plot_options){0};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, "x.jpg"), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), ".svg, .pdf, .png, .eps or .tex"));
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

/* What stands before the time is taken for a sweep. */
START_TEST(theory_without_a_model_is_drawn_over_time) {
    result.model = NULL;
    drop(&result.mc);
    draw("test_risk");
    HAS("set xlabel 'step t'");
    HAS("title 'gamma0 = 0.5'");
}
END_TEST

START_TEST(text_from_a_file_is_never_a_command) {
    assert_ok(nnd_frame_set_text(result.theory, "test_risk", "long_name", "';`touch x`\n!ls'"));
    draw("test_risk");
    HAS("set label '\u2019;`touch x` !ls\u2019 |β*−β|² [bits]' at screen");
    ck_assert_int_gt(picture("a.svg"), 5000);
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
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_loop_test(tests, a_picture_of_each_format_appears, 0, 6);
    tcase_add_test(tests, theory_is_lines_and_simulation_points_with_bars);
    tcase_add_test(tests, the_first_view_is_drawn_without_being_asked);
    tcase_add_test(tests, a_view_is_drawn_when_asked);
    tcase_add_test(tests, unknown_names_are_errors_that_list_what_there_is);
    tcase_add_test(tests, an_empty_result_is_an_error);
    tcase_add_test(tests, without_a_model_all_curves_in_time_are_drawn);
    tcase_add_test(tests, theory_without_a_model_is_drawn_over_time);
    tcase_add_test(tests, text_from_a_file_is_never_a_command);
    tcase_add_test(tests, the_list_names_views_and_variables);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
