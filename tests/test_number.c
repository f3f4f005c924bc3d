/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text: bit for bit, and the same where numbers have a decimal comma. */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "scratch.h"
#include "support.h"

static const double SPECIAL[] = {0.0,     -0.0,      1.0,
                                 0.1,     -2.5,      1e15,
                                 1e16,    1e22,      1e23,
                                 5e-324,  2.5e-308,  1.7976931348623157e308,
                                 0.3,     1.0 / 3.0, 9007199254740991.0,
                                 4.9e-322};

static void reads_back(double x) {
    char text[40], exact[40];
    double again = NAN;
    nnd_number_text(x, sizeof text, text);
    ck_assert_msg(nnd_number_read(text, &again) && memcmp(&again, &x, sizeof x) == 0, "%s", text);
    nnd_format(exact, sizeof exact, "%.17g", x);
    ck_assert(nnd_number_read(exact, &again) && memcmp(&again, &x, sizeof x) == 0);
}

START_TEST(every_double_reads_back_bit_for_bit) {
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++)
        reads_back(SPECIAL[i]);
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        double x;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x))
            reads_back(x);
    }
}
END_TEST

START_TEST(a_text_is_as_short_as_it_can_be) {
    static const struct {
        double x;
        const char *text;
    } cases[] = {{0.1, "0.1"},   {1e23, "1e+23"},
                 {2.5, "2.5"},   {1.0 / 3.0, "0.333333333333333"},
                 {-0.0, "-0"},   {INFINITY, "inf"},
                 {NAN, "nan"},   {-INFINITY, "-inf"},
                 {100.0, "100"}, {9007199254740991.0, "9007199254740991"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[40];
        nnd_number_text(cases[i].x, sizeof text, text);
        if (cases[i].x == 1.0 / 3.0)
            ck_assert_int_eq(strncmp(text, cases[i].text, strlen(cases[i].text)), 0);
        else
            ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(only_decimal_numbers_are_numbers) {
    static const char *const bad[] = {"",      " 1",  "1 ",   "0x10", "0X1p3", "infinity", "1e",
                                      "1,5",   "e5",  ".",    "+",    "--1",   "1_000",    "NAN(1)",
                                      "1e999", "\t1", "1.5.", "-0x1", "nan(1)"};
    double x;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!nnd_number_read(bad[i], &x), "\"%s\"", bad[i]);
    const char *text = "12.5:3";
    char *end;
    ck_assert_double_eq(nnd_number_parse(text, &end), 12.5);
    ck_assert_str_eq(end, ":3");
    text = "0x10";
    ck_assert_double_nan(nnd_number_parse(text, &end));
    ck_assert_ptr_eq(end, text);
}
END_TEST

/* ---- under a locale with a decimal comma ---- */

static char locale_folder[] = "/tmp/nndmft-locale-XXXXXX";

/* Makes de_DE.UTF-8 in a folder of its own, if this system can. */
static bool make_comma_locale(void) {
    char command[256];
    if (mkdtemp(locale_folder) == NULL)
        return false;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1",
             locale_folder, locale_folder);
    int ended = system(command);
    setenv("LOCPATH", locale_folder, 1);
    bool made = ended == 0 && setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    setlocale(LC_ALL, "C");
    return made;
}

/* The environment is for gnuplot. */
static void enter_comma_locale(void) {
    scratch_setup();
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    ck_assert_ptr_nonnull(setlocale(LC_ALL, "de_DE.UTF-8"));
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    ck_assert_str_eq(text, "0,5");
}

START_TEST(numbers_have_a_point_where_others_have_a_comma) {
    char text[40], *end;
    double x;
    nnd_format(text, sizeof text, "%g %.3f %e", 0.5, 1.25, 3.5);
    ck_assert_str_eq(text, "0.5 1.250 3.500000e+00");
    ck_assert(nnd_number_read("0.02", &x) && x == 0.02);
    ck_assert(!nnd_number_read("0,02", &x));
    ck_assert_double_eq(nnd_number_parse("2.5,1", &end), 2.5);
    ck_assert_str_eq(end, ",1");
    reads_back(1.0 / 3.0);
    (void)nnd_fail(ctx, NND_E_INPUT, "at %g", 0.5);
    ck_assert_str_eq(nnd_context_message(ctx), "at 0.5");
    nnd_log(ctx, NND_LOG_WARNING, "at %g", 0.5);
    ck_assert_str_eq(scratch_log, "at 0.5");
    /* The caller's own numbers stay as they were. */
    snprintf(text, sizeof text, "%.1f", 0.5);
    ck_assert_str_eq(text, "0,5");
}
END_TEST

static const char CASE[] =
    "model: deep-linear\n"
    "params: {depth: 1, alpha: 2.5, nu: 1, steps: 6, lr: 0.1, record: [0, 6]}\n"
    "sweep: {gamma0: [0.5, 1.5]}\n"
    "simulate: {size: [16, 24], seeds: 8}\n";

/* What a case becomes, as one text: the case itself, and tables of both sides. */
static char *everything(void) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    nnd_case *c = test_case(ctx, CASE);
    char *yaml = nnd_yaml_text(c->resolved), *names[] = {(char[]){"test_risk"}};
    fputs(yaml, out);
    free(yaml);
    nnd_frame *theory = NULL;
    nnd_ensemble ensemble;
    nnd_store *store = nnd_memory_store_new();
    nnd_selection vars = {1, names};
    assert_ok(nnd_theory_run(ctx, c, store, &theory));
    assert_ok(nnd_ensemble_run(ctx, c, store, &ensemble));
    assert_ok(nnd_csv_write(ctx, theory, &vars, out));
    assert_ok(nnd_json_write(ctx, ensemble.mc, NULL, out));
    ck_assert_int_eq(fclose(out), 0);
    nnd_ensemble_clear(&ensemble);
    nnd_frame_free(theory);
    nnd_memory_store_free(store);
    nnd_case_free(c);
    return text;
}

START_TEST(everything_that_is_written_is_the_same_in_every_locale) {
    char *here = everything();
    setlocale(LC_ALL, "C");
    char *plain = everything();
    ck_assert_str_eq(here, plain);
    ck_assert_ptr_nonnull(strstr(plain, "alpha: 2.5"));
    free(here);
    free(plain);
}
END_TEST

/* gnuplot reads points alone: a program with commas for points would draw something else. */
START_TEST(a_picture_is_the_same_in_every_locale) {
    nnd_case *c = test_case(ctx, CASE);
    nnd_result result = {.model = strdup("deep-linear")};
    assert_ok(nnd_theory_run(ctx, c, NULL, &result.theory));
    const char *here = scratch_path("here.svg"), *plain = scratch_path("plain.svg");
    nnd_plot_options options = {0};
    assert_ok(nnd_plot(ctx, &result, &options, here));
    setlocale(LC_ALL, "C");
    setenv("LC_ALL", "C", 1);
    assert_ok(nnd_plot(ctx, &result, &options, plain));
    size_t size, other;
    unsigned char *a = scratch_read(here, &size), *b = scratch_read(plain, &other);
    ck_assert_str_eq((char *)a, (char *)b);
    free(a);
    free(b);
    nnd_result_clear(&result);
    nnd_case_free(c);
}
END_TEST

static void leave_comma_locale(void) {
    setlocale(LC_ALL, "C");
    unsetenv("LC_ALL");
    scratch_teardown();
}

int main(void) {
    Suite *suite = suite_create("number");
    TCase *tests = tcase_create("number");
    tcase_add_test(tests, every_double_reads_back_bit_for_bit);
    tcase_add_test(tests, a_text_is_as_short_as_it_can_be);
    tcase_add_test(tests, only_decimal_numbers_are_numbers);
    suite_add_tcase(suite, tests);
    TCase *comma = tcase_create("decimal comma");
    tcase_add_checked_fixture(comma, enter_comma_locale, leave_comma_locale);
    tcase_add_test(comma, numbers_have_a_point_where_others_have_a_comma);
    tcase_add_test(comma, everything_that_is_written_is_the_same_in_every_locale);
    tcase_add_test(comma, a_picture_is_the_same_in_every_locale);
    if (make_comma_locale())
        suite_add_tcase(suite, comma);
    else
        puts("# SKIP decimal comma: localedef cannot make de_DE.UTF-8 here (package locales)");
    int failed = test_main(suite);
    nftw(locale_folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
    return failed;
}
