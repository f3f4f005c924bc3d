/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures for a screen, a paper, a slide, and for LaTeX. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "plot/tex.h"
#include "support.h"
#include "training_plots.h"

START_TEST(a_paper_has_a_column_of_given_width_and_its_legend_below) {
    options.style = NND_STYLE_PAPER;
    draw("test_risk");
    HAS("size 325,"); /* 8.6 cm at 96 pixels an inch */
    HAS("set multiplot\n");
    HAS("horizontal maxcols");
    LACKS("set title 'test_risk'");
    options.width = 17.8;
    draw("test_risk");
    HAS("size 673,");
}
END_TEST

START_TEST(on_paper_colours_have_dashes_too) {
    draw("test_risk");
    LACKS("$theory1_0 using 1:2 with lines lw 2 dt (12,5)");
    options.style = NND_STYLE_PAPER;
    draw("test_risk");
    HAS("$theory0_0 using 1:2 with lines lw 2 dt solid");
    HAS("$theory1_0 using 1:2 with lines lw 2 dt (12,5)");
}
END_TEST

START_TEST(on_paper_colours_of_one_size_have_points_too) {
    double *mc = add(result.mc, "angle", "gamma0,t");
    ck_assert_ptr_nonnull(mc);
    draw("angle");
    HAS("$mc2_0 using 1:2 with points pt 7 ");
    options.style = NND_STYLE_PAPER;
    draw("angle");
    HAS("$mc0_0 using 1:2 with points pt 7 ");
    HAS("$mc2_0 using 1:2 with points pt 9 ");
    HAS("keyentry with linespoints lc rgb '#009E73' lw 2 dt (3,4) pt 9 ps 0.7 title 'γ₀ = 2'");
    draw("test_risk"); /* of two sizes, which have points of their own */
    HAS("$mc2_0 using 1:2 with points pt 7 ");
    HAS("$mc2_1 using 1:2 with points pt 5 ");
}
END_TEST

START_TEST(letters_are_of_the_family_asked_for) {
    options.font = "DejaVu Serif";
    draw("test_risk");
    HAS("font 'DejaVu Serif,12'");
}
END_TEST

START_TEST(widths_and_fonts_that_make_no_sense_are_refused) {
    static const nnd_plot_options wrong[] = {
        {.width = 1.0}, {.width = -3.0}, {.width = NAN}, {.font = ""}, {.font = "a';system('x')"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        options = wrong[i];
        ck_assert_int_eq(write_program(), NND_E_INPUT);
    }
}
END_TEST

START_TEST(a_long_label_is_broken_into_lines_that_fit_its_axis) {
    assert_ok(
        nnd_frame_set_text(result.theory, "test_risk", "long_name",
                           "a name that is so long that no axis of a column has room for it"));
    options.style = NND_STYLE_PAPER;
    draw("test_risk");
    ck_assert_uint_ge(count("' . \"\\n\" . '"), 2);
}
END_TEST

/* Where the label of y is, as a part of the width. */
static double label_at(void) {
    double at = NAN;
    const char *label = strstr(program, "set label '");
    ck_assert_ptr_nonnull(label);
    ck_assert_int_eq(sscanf(strstr(label, " at screen "), " at screen %lf", &at), 1);
    return at;
}

static double margin(void) {
    double at = NAN;
    ck_assert_int_eq(
        sscanf(strstr(program, "set lmargin at screen"), "set lmargin at screen %lf", &at), 1);
    return at;
}

START_TEST(numbers_that_are_wider_move_axes_away_from_the_label) {
    options.style = NND_STYLE_PAPER;
    add(result.theory, "narrow", "gamma0,t");
    double *wide = add(result.theory, "wide", "gamma0,t");
    for (size_t i = 0; i < nnd_frame_find(result.theory, "wide")->count; i++)
        wide[i] += 123456.0;
    draw("narrow");
    double narrow = margin(), label = label_at();
    draw("wide");
    /* 123456 in place of 0.5: three characters, each of 0.62 of 10.667 pixels, of 325. */
    ck_assert_double_gt(margin() - narrow, 3.0 * 0.62 * 10.667 / 325.0 - 1e-5);
    ck_assert_double_eq_tol(label_at(), label, 1e-5);
}
END_TEST

/* What becomes of a line of gnuplot's; to be freed. */
static char *as_tex(const char *line) {
    char *text = NULL, *copy = strdup(line);
    size_t size;
    FILE *in = fmemopen(copy, strlen(copy), "r"), *out = open_memstream(&text, &size);
    nnd_tex_copy(in, out);
    fclose(in);
    fclose(out);
    free(copy);
    return text;
}

static void ck_tex(const char *text, const char *want) {
    char line[512], wanted[512];
    snprintf(line, sizeof line, "\\node[gp node right] at (1.0,2.0) {%s};\n", text);
    snprintf(wanted, sizeof wanted, "\\node[gp node right] at (1.0,2.0) {%s};\n", want);
    char *got = as_tex(line);
    ck_assert_str_eq(got, wanted);
    free(got);
}

START_TEST(texts_for_latex_are_texts_of_tex) {
    ck_tex("$-1.5\\times10^{-7}$", "$-1.5\\times10^{-7}$");
    ck_tex("10^{-3}", "$10^{-3}$");
    ck_tex("a_b & 5 %", "a\\_b \\& 5 \\%");
    ck_tex("γ₀ = 2", "\\ensuremath{\\gamma}\\ensuremath{{}_0} = 2");
    ck_tex("\\input{/etc/passwd}", "\\char`\\\\{}input\\{/etc/passwd\\}");
    ck_tex("$\\input x$", "\\$\\char`\\\\{}input x\\$");
    char *same = as_tex("\\draw[gp path] (1,2)--(3,4);\n");
    ck_assert_str_eq(same, "\\draw[gp path] (1,2)--(3,4);\n");
    free(same);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_styles");
    TCase *tests = tcase_create("plot_styles");
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, a_paper_has_a_column_of_given_width_and_its_legend_below);
    tcase_add_test(tests, on_paper_colours_have_dashes_too);
    tcase_add_test(tests, on_paper_colours_of_one_size_have_points_too);
    tcase_add_test(tests, letters_are_of_the_family_asked_for);
    tcase_add_test(tests, widths_and_fonts_that_make_no_sense_are_refused);
    tcase_add_test(tests, a_long_label_is_broken_into_lines_that_fit_its_axis);
    tcase_add_test(tests, numbers_that_are_wider_move_axes_away_from_the_label);
    tcase_add_test(tests, texts_for_latex_are_texts_of_tex);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
