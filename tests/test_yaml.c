/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cases as text: whatever a tree holds reads back, and reading knows its limits. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "core/utf8.h"
#include "nndmft/io.h"
#include "scratch.h"
#include "support.h"

/* What stands for characters of two and more bytes: ends of ranges, controls, what YAML escapes. */
static const char *const WIDE[] = {
    "\u00a0",       "\u00e9",   "\u07ff",   "\u0800",   "\u2028", "\u2029",
    "\xed\x9f\xbf", "\ue000",   "\ufeff",   "\ufffd",   "\uffff", "\U00010000",
    "\U0010ffff",   "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\ufffe",
};
enum { ASCII = 127, WIDES = sizeof WIDE / sizeof *WIDE, CHARACTERS = ASCII + WIDES };

/* The i-th character: all of ASCII but NUL, then the wide ones. */
static void character(size_t i, char text[8]) {
    if (i < ASCII)
        snprintf(text, 8, "%c", (char)(i + 1));
    else
        snprintf(text, 8, "%s", WIDE[i - ASCII]);
}

static const char *const WORDS[] = {
    "",           "null",   "~",      "Null",  "true",   "False",
    "yes",        "no",     "1",      "-1",    "1e3",    ".5",
    "0x10",       "1_000",  ".inf",   "-inf",  "nan",    "---",
    "...",        "- a",    "a: b",   "a #b",  "#1.csv", "@lr",
    "&a",         "*a",     "!a",     "!!str", "|",      ">",
    "%YAML",      "? x",    "`x",     "'",     "\"",     "\\",
    "\\n",        " lead",  "trail ", "\n",    "a\nb\n", "\r\n",
    "\t",         "[1, 2]", "{a: 1}", "a, b",  "[",      "}",
    "2001-01-01", "12:30",  "<<",     "=",     "a  b",   "\xf0\x9f\xa6\x8a",
};

static nnd_value *read_back(const nnd_value *tree) {
    nnd_value *again = NULL;
    char *text = nnd_yaml_text(tree);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(nnd_utf8_valid(text), "not UTF-8");
    assert_ok(nnd_yaml_read_text(ctx, "again", text, &again));
    free(text);
    return again;
}

/* A text is a text again, and nothing else. */
static void same_text(const nnd_value *got, const char *want) {
    double number;
    bool truth;
    ck_assert_int_eq(got->kind, NND_VALUE_SCALAR);
    ck_assert_msg(strcmp(got->text, want) == 0, "want \"%s\", got \"%s\"", want, got->text);
    ck_assert_msg(!nnd_value_is_null(got) && !nnd_value_number(got, &number) &&
                      !nnd_value_bool(got, &truth),
                  "\"%s\" is no text any more", want);
}

/* Every text as item of a list, as value and as key of mappings, at once. */
START_TEST(every_text_of_one_and_two_characters_reads_back) {
    nnd_value *list = nnd_value_list(""), *map = nnd_value_map(""), *tree = nnd_value_map("");
    nnd_value *rows = nnd_value_list("");
    for (size_t i = 0; i < CHARACTERS; i++)
        for (size_t j = 0; j <= CHARACTERS; j++) {
            char text[16], second[8] = "";
            character(i, text);
            if (j < CHARACTERS)
                character(j, second);
            strcat(text, second);
            ck_assert(nnd_value_append(list, nnd_value_scalar(text, true, "")));
            ck_assert(nnd_value_add(map, text, nnd_value_scalar(text, true, "")));
        }
    ck_assert(nnd_value_append(rows, nnd_value_copy(map)));
    ck_assert(nnd_value_put(tree, "list", list));
    ck_assert(nnd_value_put(tree, "map", map));
    ck_assert(nnd_value_put(tree, "rows", rows));
    nnd_value *again = read_back(tree);
    const nnd_value *maps[] = {nnd_value_get(again, "map"), nnd_value_get(again, "rows")->item[0]};
    for (size_t i = 0; i < list->count; i++) {
        same_text(nnd_value_get(again, "list")->item[i], list->item[i]->text);
        for (size_t k = 0; k < 2; k++) {
            ck_assert_str_eq(maps[k]->key[i], map->key[i]);
            same_text(maps[k]->item[i], map->item[i]->text);
        }
    }
    ck_assert(nnd_value_equal(tree, again));
    nnd_value_free(again);
    nnd_value_free(tree);
}
END_TEST

START_TEST(texts_that_look_like_something_else_read_back_as_texts) {
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        nnd_value *alone = nnd_value_scalar(WORDS[i], true, ""), *map = nnd_value_map("");
        ck_assert(nnd_value_put(map, "name", nnd_value_copy(alone)));
        nnd_value *again = read_back(alone), *inside = read_back(map);
        same_text(again, WORDS[i]);
        same_text(nnd_value_get(inside, "name"), WORDS[i]);
        nnd_value_free(again);
        nnd_value_free(inside);
        nnd_value_free(map);
        nnd_value_free(alone);
    }
}
END_TEST

/* What YAML 1.1 takes for a truth or nothing, in whatever case: other readers of it still do. */
START_TEST(words_that_are_no_text_to_other_readers_are_quoted) {
    static const char *const words[] = {"y",    "N",     "yes",  "No",   "on",  "OFF",
                                        "true", "False", "NULL", "Null", "inf", "NaN"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char want[16];
        nnd_value *value = nnd_value_scalar(words[i], true, "");
        char *text = nnd_yaml_text(value);
        snprintf(want, sizeof want, "\"%s\"", words[i]);
        ck_assert_str_eq(text, want);
        free(text);
        nnd_value_free(value);
    }
}
END_TEST

START_TEST(numbers_nulls_and_truths_stay_what_they_are) {
    static const char *const numbers[] = {"1", "-1", "+2.5", "1e-07", ".5", "inf", "-.inf"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        nnd_value *value = nnd_value_scalar(numbers[i], false, ""), *again = read_back(value);
        double want, got;
        ck_assert(nnd_value_number(value, &want) && nnd_value_number(again, &got));
        ck_assert_double_eq(got, want);
        nnd_value_free(again);
        nnd_value_free(value);
    }
    static const char *const nulls[] = {"", "~", "null"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        nnd_value *value = nnd_value_scalar(nulls[i], false, ""), *again = read_back(value);
        ck_assert(nnd_value_is_null(again));
        nnd_value_free(again);
        nnd_value_free(value);
    }
    nnd_value *value = nnd_value_scalar("true", false, ""), *again = read_back(value);
    bool truth;
    ck_assert(nnd_value_bool(again, &truth) && truth);
    nnd_value_free(again);
    nnd_value_free(value);
}
END_TEST

START_TEST(a_byte_that_is_no_utf8_is_spelled_out) {
    nnd_value *value = nnd_value_scalar("caf\xe9 \xc0\xaf", true, ""), *again = read_back(value);
    same_text(again, "caf\\xE9 \\xC0\\xAF");
    nnd_value_free(again);
    nnd_value_free(value);
    char *copy = nnd_utf8_copy("\xe9t\xc3\xa9\xff");
    ck_assert_str_eq(copy, "\\xE9t\xc3\xa9\\xFF");
    free(copy);
}
END_TEST

static void refused(const char *yaml, const char *message) {
    nnd_value *tree = NULL;
    assert_status(nnd_yaml_read_text(ctx, "case", yaml, &tree), NND_E_INPUT);
    ck_assert_ptr_null(tree);
    assert_message(message);
}

/* Overlong forms of '/', NUL, U+07FF, U+FFFF; surrogates; beyond U+10FFFF; cut off. */
START_TEST(what_is_not_utf8_is_refused_with_its_place) {
    static const char *const bad[] = {"\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x80\x80\xaf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\x80",
                                      "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[32];
        snprintf(yaml, sizeof yaml, "a: 1\nb: %s", bad[i]);
        refused(yaml, "case:2:4: not UTF-8");
        ck_assert(!nnd_utf8_valid(bad[i]));
    }
    refused("a: \"\\0\"", "case:1:5: a NUL byte");
    refused("a: \"\\ud800\"", "case:1:");
}
END_TEST

START_TEST(a_key_that_stands_twice_is_refused_at_the_second) {
    refused("b: 1\na: 1\nc: {x: 1, y: 2, x: 3}\n", "case:3:20: x: duplicate key");
    refused("b: 1\na: 1\nb: 2\na: 3\n", "case:3:4: b: duplicate key");
}
END_TEST

/* Processor time to read a map of so many keys, the least of several times. */
static double seconds_to_read(int keys) {
    char *yaml = malloc((size_t)keys * 16), *end = yaml;
    char last[16];
    double least = INFINITY;
    for (int i = 0; i < keys; i++)
        end += sprintf(end, "k%d: %d\n", i, i);
    snprintf(last, sizeof last, "%d", keys - 1);
    for (int time = 0; time < 3; time++) {
        nnd_value *tree;
        clock_t began = clock();
        assert_ok(nnd_yaml_read_text(ctx, "case", yaml, &tree));
        least = fmin(least, (double)(clock() - began));
        ck_assert_uint_eq(tree->count, (size_t)keys);
        ck_assert_str_eq(tree->item[keys - 1]->text, last);
        nnd_value_free(tree);
    }
    free(yaml);
    return least / (double)CLOCKS_PER_SEC;
}

/* Of eight times as many keys linear work takes eight times the time, quadratic work 64 times. */
START_TEST(many_keys_and_values_are_read_in_linear_time) {
    double few = seconds_to_read(12500), many = seconds_to_read(100000);
    ck_assert_msg(many < 24.0 * few, "%g s, of an eighth %g s", many, few);
}
END_TEST

START_TEST(a_file_beyond_the_limit_is_refused_and_one_below_is_not) {
    size_t size = (size_t)2 << 20;
    char *text = malloc(size + 1);
    memset(text, ' ', size + 1);
    memcpy(text, "a: 1\n#", 6);
    nnd_value *tree = NULL;
    const char *path = scratch_path("large.yaml");
    scratch_write(path, text, size);
    assert_ok(nnd_yaml_read_file(ctx, path, &tree));
    nnd_value_free(tree);
    scratch_write(path, text, size + 1);
    assert_status(nnd_yaml_read_file(ctx, path, &tree), NND_E_INPUT);
    assert_message("larger than 2097152 bytes");
    free(text);
}
END_TEST

START_TEST(an_interrupt_ends_the_reading_of_text) {
    nnd_value *tree = NULL;
    nnd_context_interrupt(ctx);
    assert_status(nnd_yaml_read_text(ctx, "case", "a: 1", &tree), NND_E_INTERRUPTED);
    ck_assert_ptr_null(tree);
}
END_TEST

static void *interrupt_later(void *unused) {
    (void)unused;
    usleep(50000);
    nnd_context_interrupt(ctx);
    return NULL;
}

/* Nobody ever writes to the pipe. */
START_TEST(an_interrupt_ends_the_wait_for_a_pipe) {
    const char *path = scratch_path("pipe");
    nnd_value *tree = NULL;
    pthread_t thread;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_later, NULL), 0);
    assert_status(nnd_yaml_read_file(ctx, path, &tree), NND_E_INTERRUPTED);
    pthread_join(thread, NULL);
}
END_TEST

static void *write_to_pipe(void *path) {
    usleep(20000);
    FILE *file = fopen(path, "w");
    fputs("a: 1\n", file);
    fflush(file);
    usleep(20000);
    fputs("b: 2\n", file);
    fclose(file);
    return NULL;
}

START_TEST(a_pipe_is_read_to_its_end) {
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("pipe"));
    nnd_value *tree = NULL;
    pthread_t thread;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_to_pipe, path), 0);
    assert_ok(nnd_yaml_read_file(ctx, path, &tree));
    pthread_join(thread, NULL);
    ck_assert_str_eq(nnd_value_get(tree, "b")->text, "2");
    nnd_value_free(tree);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("yaml");
    TCase *tests = tcase_create("yaml");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, every_text_of_one_and_two_characters_reads_back);
    tcase_add_test(tests, texts_that_look_like_something_else_read_back_as_texts);
    tcase_add_test(tests, words_that_are_no_text_to_other_readers_are_quoted);
    tcase_add_test(tests, numbers_nulls_and_truths_stay_what_they_are);
    tcase_add_test(tests, a_byte_that_is_no_utf8_is_spelled_out);
    tcase_add_test(tests, what_is_not_utf8_is_refused_with_its_place);
    tcase_add_test(tests, a_key_that_stands_twice_is_refused_at_the_second);
    tcase_add_test(tests, many_keys_and_values_are_read_in_linear_time);
    tcase_add_test(tests, a_file_beyond_the_limit_is_refused_and_one_below_is_not);
    tcase_add_test(tests, an_interrupt_ends_the_reading_of_text);
    tcase_add_test(tests, an_interrupt_ends_the_wait_for_a_pipe);
    tcase_add_test(tests, a_pipe_is_read_to_its_end);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
