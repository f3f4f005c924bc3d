/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Frames as CSV and JSON, comparisons as tables. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/io.h"
#include "support.h"

static nnd_context *ctx;
static nnd_frame *frame;
static char *text;
static size_t text_size;
static FILE *out;

static void ok(nnd_status status) {
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
}

static double *add(const char *name, const char *dims) {
    double *data;
    ok(nnd_frame_add(frame, name, dims, &data));
    return data;
}

/* gamma0 x t: risk with error, mse without; gamma0: cosine; a scalar. */
static void setup(void) {
    const double gamma0[] = {0.5, 2.0};
    ctx = nnd_context_new(NULL);
    ck_assert_ptr_nonnull(ctx);
    ok(nnd_frame_new(ctx, &frame));
    ok(nnd_frame_add_dim(frame, "gamma0", NND_COORD_REAL, 2, gamma0));
    ok(nnd_frame_add_range(frame, "t", 3, 0.0));
    double *risk = add("risk", "gamma0,t"), *mse = add("mse", "gamma0,t");
    double *se = add("risk_se", "gamma0,t"), *cosine = add("cosine", "gamma0");
    for (size_t i = 0; i < 6; i++) {
        risk[i] = (double)i / 3.0;
        mse[i] = i == 4 ? NAN : (double)i;
        se[i] = 0.25;
    }
    cosine[0] = 1.0;
    cosine[1] = INFINITY;
    ok(nnd_frame_add_scalar(frame, "kappa", 7.0));
    out = open_memstream(&text, &text_size);
    ck_assert_ptr_nonnull(out);
}

static void teardown(void) {
    fclose(out);
    free(text);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}

/* The names as a selection; they live as long as the test. */
static nnd_selection select_vars(size_t count, char **names) {
    return (nnd_selection){count, names};
}

START_TEST(csv_has_coordinates_then_variables_each_with_its_error) {
    char risk[] = "risk", mse[] = "mse";
    char *names[] = {risk, mse};
    nnd_selection vars = select_vars(2, names);
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "gamma0,t,risk,risk_se,mse\n"
                           "0.5,0,0,0.25,0\n"
                           "0.5,1,0.33333333333333331,0.25,1\n"
                           "0.5,2,0.66666666666666663,0.25,2\n"
                           "2,0,1,0.25,3\n"
                           "2,1,1.3333333333333333,0.25,\n"
                           "2,2,1.6666666666666667,0.25,5\n");
}
END_TEST

START_TEST(csv_keeps_a_selection_in_its_order_and_without_repetition) {
    char risk[] = "risk", se[] = "risk_se", mse[] = "mse";
    char *names[] = {mse, se, risk, mse};
    nnd_selection vars = select_vars(4, names);
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_int_eq(strncmp(text, "gamma0,t,mse,risk_se,risk\n", 26), 0);
}
END_TEST

START_TEST(csv_of_a_scalar_is_one_row) {
    char kappa[] = "kappa";
    char *names[] = {kappa};
    nnd_selection vars = select_vars(1, names);
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "kappa\n7\n");
}
END_TEST

START_TEST(csv_refuses_mixed_dimensions_and_lists_them) {
    ck_assert_int_eq(nnd_csv_write(ctx, frame, NULL, out), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "variables have different dimensions; choose with --var: "
                     "[gamma0,t] risk, mse; [gamma0] cosine; [] kappa");
    char risk[] = "risk", kappa[] = "kappa";
    char *names[] = {risk, kappa};
    nnd_selection vars = select_vars(2, names);
    ck_assert_int_eq(nnd_csv_write(ctx, frame, &vars, out), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "[gamma0,t] risk; [] kappa"));
}
END_TEST

START_TEST(csv_takes_another_order_of_dimensions_as_another_set) {
    char risk[] = "risk", turned[] = "turned";
    char *names[] = {risk, turned};
    nnd_selection vars = select_vars(2, names);
    add("turned", "t,gamma0");
    ck_assert_int_eq(nnd_csv_write(ctx, frame, &vars, out), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "[t,gamma0] turned"));
}
END_TEST

START_TEST(an_unknown_variable_is_an_error_that_lists_what_there_is) {
    char risc[] = "risc";
    char *names[] = {risc};
    nnd_selection vars = select_vars(1, names);
    ck_assert_int_eq(nnd_csv_write(ctx, frame, &vars, out), NND_E_INPUT);
    ck_assert_str_eq(
        nnd_context_message(ctx),
        "no variable risc; did you mean risk? there are: risk, mse, risk_se, cosine, kappa");
    ck_assert_int_eq(nnd_json_write(ctx, frame, &vars, out), NND_E_INPUT);
}
END_TEST

/* Readers of tables skip empty lines. */
START_TEST(a_missing_number_alone_on_its_line_is_quoted) {
    char none[] = "none", t[] = "bare";
    char *names[] = {none};
    nnd_selection vars = select_vars(1, names);
    ok(nnd_frame_add_scalar(frame, "none", NAN));
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "none\n\"\"\n");
    rewind(out);
    ok(nnd_frame_add_scalar(frame, "none_se", NAN));
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "none,none_se\n,\n");
    rewind(out);
    names[0] = t;
    add("bare", "t");
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "t,bare\n0,\n1,\n2,\n");
}
END_TEST

/* What a comparison holds of a variable goes by the variable's name. */
START_TEST(a_variable_of_a_comparison_is_all_its_arrays) {
    static const char *const parts[] = {"g_theory", "g_mc", "g_diff", "g_se", "g_z"};
    char g[] = "g", diff[] = "g_diff", mse[] = "h";
    char *names[] = {g};
    nnd_selection vars = select_vars(1, names);
    for (size_t i = 0; i < 5; i++)
        add(parts[i], "gamma0")[1] = (double)i;
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "gamma0,g_theory,g_mc,g_diff,g_se,g_z\n0.5,,,,,\n2,0,1,2,3,4\n");
    rewind(out);
    ok(nnd_json_write(ctx, frame, &vars, out));
    for (size_t i = 0; i < 5; i++)
        ck_assert_ptr_nonnull(strstr(text, parts[i]));
    ck_assert_ptr_null(strstr(text, "risk"));
    rewind(out);
    names[0] = diff;
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_int_eq(strncmp(text, "gamma0,g_diff\n", 14), 0);
    /* Not where some are missing, nor in place of an array of that name. */
    names[0] = mse;
    add("h_theory", "gamma0");
    ck_assert_int_eq(nnd_csv_write(ctx, frame, &vars, out), NND_E_INPUT);
    names[0] = g;
    add("g", "t");
    rewind(out);
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_int_eq(strncmp(text, "t,g\n", 4), 0);
}
END_TEST

START_TEST(foreign_text_is_spelled_out) {
    static const struct {
        const char *text, *printed;
        size_t length;
    } cases[] = {
        {"plain größe ∂", "plain größe ∂", 13},
        {"a\nb\tc", "a\\x0Ab\\x09c", 11},
        {"\x1b[31m", "\\x1B[31m", 8},
        {"\x7f", "\\x7F", 4},
        {"\xc2\x9b"
         "2J",
         "\\u009B2J", 8}, /* the C1 control that begins a sequence */
        {"\x9b\xff\xc0\xaf", "\\x9B\\xFF\\xC0\\xAF", 16}, /* not UTF-8 */
        {"\u202egnp.exe", "\\u202Egnp.exe", 13},
        {"\u2028\u2066", "\\u2028\\u2066", 12},
        /* Ends of the ranges of what turns the direction, and their neighbours. */
        {"\u202a\u2069\u200e\u200f", "\\u202A\\u2069\\u200E\\u200F", 24},
        {"\u200d\u2010\u2027\u202f\u2065\u206a", "\u200d\u2010\u2027\u202f\u2065\u206a", 6},
        {"", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rewind(out);
        ck_assert_uint_eq(nnd_print_visible(out, cases[i].text), cases[i].length);
        fputc('\0', out);
        fflush(out);
        ck_assert_str_eq(text, cases[i].printed);
    }
    rewind(out);
    nnd_print_padded(out, "ö", 3);
    nnd_print_padded(out, "long", 3);
    fputc('\0', out);
    fflush(out);
    ck_assert_str_eq(text, "ö  long");
}
END_TEST

START_TEST(csv_quotes_text_only_where_it_must) {
    const char *kinds[] = {"plain", "a,b", "say \"x\""};
    char v[] = "v";
    char *names[] = {v};
    nnd_selection vars = select_vars(1, names);
    ok(nnd_frame_add_text_dim(frame, "kind", 3, kinds));
    double *data = add("v", "kind");
    data[0] = data[1] = data[2] = 1.0;
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "kind,v\nplain,1\n\"a,b\",1\n\"say \"\"x\"\"\",1\n");
}
END_TEST

START_TEST(an_error_without_its_variable_is_a_variable) {
    char x_se[] = "x_se";
    char *names[] = {x_se};
    nnd_selection vars = select_vars(1, names);
    add("x_se", "t")[1] = 2.0;
    ok(nnd_csv_write(ctx, frame, &vars, out));
    ck_assert_str_eq(text, "t,x_se\n0,\n1,2\n2,\n");
}
END_TEST

START_TEST(writing_to_a_full_device_is_reported) {
    char kappa[] = "kappa";
    char *names[] = {kappa};
    nnd_selection vars = select_vars(1, names);
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    ck_assert_int_eq(nnd_csv_write(ctx, frame, &vars, full), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "writing failed"));
    fclose(full);
}
END_TEST

START_TEST(json_has_the_shape_of_to_dict) {
    char risk[] = "risk", cosine[] = "cosine";
    char *names[] = {risk, cosine};
    nnd_selection vars = select_vars(2, names);
    ok(nnd_frame_set_text(frame, NULL, "title", "a \"b\"\\\n\x1f\x7f\xc3\xa9"));
    ok(nnd_frame_set_number(frame, "risk", "residual", 1e-9));
    ok(nnd_frame_set_text(frame, "gamma0", "units", "1"));
    ok(nnd_json_write(ctx, frame, &vars, out));
    ck_assert_str_eq(
        text,
        "{\"coords\": {\n"
        "\"gamma0\": {\"dims\": [\"gamma0\"], \"attrs\": {\"units\": \"1\"}, \"data\": [0.5, "
        "2.0]},\n"
        "\"t\": {\"dims\": [\"t\"], \"attrs\": {}, \"data\": [0, 1, 2]}},\n"
        "\"attrs\": {\"title\": \"a \\\"b\\\"\\\\\\u000a\\u001f\\u007f\xc3\xa9\"},\n"
        "\"dims\": {\"gamma0\": 2, \"t\": 3},\n"
        "\"data_vars\": {\n"
        "\"risk\": {\"dims\": [\"gamma0\", \"t\"], \"attrs\": {\"residual\": 1e-09}, \"data\": "
        "[[0.0, 0.3333333333333333, 0.6666666666666666], [1.0, 1.3333333333333333, "
        "1.6666666666666667]]},\n"
        "\"risk_se\": {\"dims\": [\"gamma0\", \"t\"], \"attrs\": {}, \"data\": "
        "[[0.25, 0.25, 0.25], [0.25, 0.25, 0.25]]},\n"
        "\"cosine\": {\"dims\": [\"gamma0\"], \"attrs\": {}, \"data\": [1.0, null]}}}\n");
}
END_TEST

START_TEST(json_without_a_selection_holds_everything) {
    ok(nnd_json_write(ctx, frame, NULL, out));
    ck_assert_ptr_nonnull(strstr(text, "\"kappa\": {\"dims\": [], \"attrs\": {}, \"data\": 7.0}"));
    ck_assert_ptr_nonnull(strstr(text, "[3.0, null, 5.0]"));
}
END_TEST

/* The row of the report that begins with a name, as words separated by single blanks. */
static void ck_row(const char *name, const char *want) {
    char line[256] = "", word[64];
    const char *at = strstr(text, name);
    ck_assert_ptr_nonnull(at);
    const char *end = strchr(at, '\n');
    for (int used = 0; at < end && sscanf(at, "%63s%n", word, &used) == 1; at += used)
        if (at + used <= end)
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s",
                     line[0] != '\0' ? " " : "", word);
    ck_assert_str_eq(line, want);
}

START_TEST(the_report_is_an_aligned_table) {
    char first[] = "risk", second[] = "outlier_overlap_target", third[] = "bound", last[] = "few";
    char reason[] = "beyond the edge\n";
    double seeds[] = {160, 80};
    nnd_comparison_row rows[] = {
        {.name = first,
         .points = 41,
         .left_out = 1,
         .max_abs_z = 2.25,
         .p = 0.034,
         .band = 0.0123,
         .median_deviation = 0.001,
         .max_deviation = 0.0123,
         .more_seeds = NAN,
         .verdict = NND_AGREES},
        {.name = second,
         .left_out = 42,
         .unclaimed = 40,
         .reason = reason,
         .max_abs_z = NAN,
         .p = NAN,
         .band = NAN,
         .median_deviation = NAN,
         .max_deviation = NAN,
         .more_seeds = NAN,
         .verdict = NND_INCONCLUSIVE},
        {.name = third,
         .forbidden = "below",
         .points = 7,
         .p = 1.0,
         .band = 0.02,
         .more_seeds = NAN,
         .verdict = NND_AGREES},
        {.name = last,
         .points = 100,
         .thinned = 900,
         .max_abs_z = 1.0,
         .p = 0.5,
         .band = 0.1,
         .median_deviation = 0.01,
         .max_deviation = 0.02,
         .more_seeds = 4.001, /* 640.16 and 320.08 seeds: rounded up */
         .verdict = NND_INCONCLUSIVE},
    };
    nnd_comparison comparison = {.count = 4, .row = rows, .sizes = 2, .seeds = seeds};
    nnd_report_comparison(&comparison, out);
    nnd_report_detection(&comparison, &(nnd_detection){0.5, first}, "sigma times 1.03", out);
    nnd_report_detection(&comparison, &(nnd_detection){INFINITY, NULL}, "lr times 1.01", out);
    fflush(out);
    ck_row("risk", "risk 41 1 2.25 0.034 0.012 1.00e-03 1.23e-02 - agrees");
    ck_row(second, "outlier_overlap_target 0 42 - - - - - - inconclusive");
    ck_row("outlier_overlap_target: ",
           "outlier_overlap_target: not claimed at 40 points: beyond the edge\\x0A");
    ck_row("bound", "bound 7 0 none below 1 0.020 none below none below - agrees");
    ck_row("few", "few 100 0 1 0.5 0.100 1.00e-02 2.00e-02 641/321 inconclusive");
    ck_row("few: judged", "few: judged on an even subset of its points, 100 of 1000");
    ck_row("sigma", "sigma times 1.03: would be noticed with 80/40 seeds (19 of 20 times, first in "
                    "risk)");
    ck_row("lr", "lr times 1.01: would not be noticed with any number of seeds");
    ck_assert_ptr_null(strstr(text, "Bonferroni"));
    /* The verdict begins where its heading does, in every row. */
    const char *heading = strstr(text, "verdict");
    for (const char *row = strchr(text, '\n') + 1, *word; row - text < 500;
         row = strchr(row, '\n') + 1)
        if ((word = strstr(row, "agrees")) != NULL && word < strchr(row, '\n'))
            ck_assert_int_eq(word - row, heading - text);
}
END_TEST

START_TEST(the_report_says_where_correlations_are_not_known) {
    char name[] = "risk";
    double seeds[] = {0};
    nnd_comparison_row row = {.name = name, .more_seeds = 3.0, .verdict = NND_INCONCLUSIVE};
    nnd_comparison comparison = {
        .count = 1, .row = &row, .sizes = 1, .seeds = seeds, .pointwise = true};
    nnd_report_comparison(&comparison, out);
    fflush(out);
    ck_assert_ptr_nonnull(strstr(text, "Bonferroni"));
    ck_assert_ptr_nonnull(strstr(text, "x 3  inconclusive"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("export");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, csv_has_coordinates_then_variables_each_with_its_error);
    tcase_add_test(tests, csv_keeps_a_selection_in_its_order_and_without_repetition);
    tcase_add_test(tests, csv_of_a_scalar_is_one_row);
    tcase_add_test(tests, csv_refuses_mixed_dimensions_and_lists_them);
    tcase_add_test(tests, csv_takes_another_order_of_dimensions_as_another_set);
    tcase_add_test(tests, an_unknown_variable_is_an_error_that_lists_what_there_is);
    tcase_add_test(tests, a_missing_number_alone_on_its_line_is_quoted);
    tcase_add_test(tests, a_variable_of_a_comparison_is_all_its_arrays);
    tcase_add_test(tests, foreign_text_is_spelled_out);
    tcase_add_test(tests, csv_quotes_text_only_where_it_must);
    tcase_add_test(tests, an_error_without_its_variable_is_a_variable);
    tcase_add_test(tests, writing_to_a_full_device_is_reported);
    tcase_add_test(tests, json_has_the_shape_of_to_dict);
    tcase_add_test(tests, json_without_a_selection_holds_everything);
    tcase_add_test(tests, the_report_is_an_aligned_table);
    tcase_add_test(tests, the_report_says_where_correlations_are_not_known);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
