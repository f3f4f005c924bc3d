/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of values: building, copying, and what a scalar means. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/value.h"
#include "support.h"

static bool number(const char *text, bool quoted, double *x) {
    nnd_value *value = nnd_value_scalar(text, quoted, "");
    bool is_number = nnd_value_number(value, x);
    nnd_value_free(value);
    return is_number;
}

START_TEST(numbers_are_read_in_every_spelling) {
    static const struct {
        const char *text;
        double want;
    } cases[] = {
        {"0", 0.0},           {"-3", -3.0},        {"+2.5", 2.5},      {"1e-3", 1e-3},
        {".5", 0.5},          {"2.", 2.0},         {"1E6", 1e6},       {"inf", INFINITY},
        {".inf", INFINITY},   {"+.inf", INFINITY}, {".Inf", INFINITY}, {"-inf", -INFINITY},
        {"-.INF", -INFINITY}, {"5e-324", 5e-324},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x = NAN;
        ck_assert_msg(number(cases[i].text, false, &x), "%s", cases[i].text);
        ck_assert_double_eq(x, cases[i].want);
    }
    double x = 0.0;
    ck_assert(number(".nan", false, &x));
    ck_assert_double_nan(x);
}
END_TEST

START_TEST(what_is_no_number_is_refused) {
    static const char *const cases[] = {"",         "abc",  "1 2",   "1x", "0x10",
                                        "infinity", "--1",  "1e",    "e5", ".",
                                        "1,5",      "true", "1_000", " 1", "1e999"};
    double x;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(!number(cases[i], false, &x), "%s", cases[i]);
    ck_assert(!number("1", true, &x));
}
END_TEST

START_TEST(null_and_bool_only_without_quotes) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        nnd_value *plain = nnd_value_scalar(nulls[i], false, "");
        nnd_value *quoted = nnd_value_scalar(nulls[i], true, "");
        ck_assert(nnd_value_is_null(plain));
        ck_assert(!nnd_value_is_null(quoted));
        nnd_value_free(plain);
        nnd_value_free(quoted);
    }
    static const char *const texts[] = {"true", "False", "yes"};
    static const bool is_bool[] = {true, true, false}, want[] = {true, false, false};
    for (size_t i = 0; i < 3; i++) {
        nnd_value *plain = nnd_value_scalar(texts[i], false, "");
        nnd_value *quoted = nnd_value_scalar(texts[i], true, "");
        bool truth;
        ck_assert(nnd_value_bool(plain, &truth) == is_bool[i]);
        ck_assert(truth == want[i]);
        ck_assert(!nnd_value_bool(quoted, &truth));
        nnd_value_free(plain);
        nnd_value_free(quoted);
    }
}
END_TEST

/* {a: [1, two], b: {c: 3}} */
static nnd_value *sample(void) {
    nnd_value *map = nnd_value_map("f:1:1"), *list = nnd_value_list("f:1:5");
    nnd_value *inner = nnd_value_map("f:2:3");
    ck_assert(nnd_value_append(list, nnd_value_scalar("1", false, "f:1:6")));
    ck_assert(nnd_value_append(list, nnd_value_scalar("two", true, "f:1:9")));
    ck_assert(nnd_value_put(inner, "c", nnd_value_scalar("3", false, "f:2:6")));
    ck_assert(nnd_value_put(map, "a", list));
    ck_assert(nnd_value_put(map, "b", inner));
    return map;
}

START_TEST(keys_are_put_replaced_and_removed) {
    nnd_value *map = sample();
    ck_assert(nnd_value_put(map, "a", nnd_value_scalar("9", false, "")));
    ck_assert_uint_eq(map->count, 2);
    ck_assert_str_eq(nnd_value_get(map, "a")->text, "9");
    nnd_value_remove(map, "nothing");
    nnd_value_remove(map, "a");
    ck_assert_uint_eq(map->count, 1);
    ck_assert_ptr_null(nnd_value_get(map, "a"));
    ck_assert_str_eq(map->key[0], "b");
    ck_assert_ptr_eq(nnd_value_get(map, "b"), map->item[0]);
    ck_assert(!nnd_value_put(map, "z", NULL));
    ck_assert_ptr_null(nnd_value_get(NULL, "b"));
    ck_assert_ptr_null(nnd_value_get(nnd_value_get(nnd_value_get(map, "b"), "c"), "d"));
    nnd_value_free(map);
    nnd_value_free(NULL);
}
END_TEST

START_TEST(a_copy_is_deep) {
    nnd_value *map = sample(), *copy = nnd_value_copy(map);
    nnd_value_free(map);
    const nnd_value *list = nnd_value_get(copy, "a");
    ck_assert_int_eq(list->kind, NND_VALUE_LIST);
    ck_assert_uint_eq(list->count, 2);
    ck_assert_str_eq(list->item[1]->text, "two");
    ck_assert(list->item[1]->quoted);
    ck_assert_str_eq(list->item[1]->where, "f:1:9");
    ck_assert_str_eq(nnd_value_get(nnd_value_get(copy, "b"), "c")->text, "3");
    nnd_value_free(copy);
}
END_TEST

static void ck_described(nnd_value *value, const char *want) {
    char text[128];
    nnd_value_describe(value, sizeof text, text);
    ck_assert_str_eq(text, want);
    nnd_value_free(value);
}

START_TEST(descriptions_fit_into_a_message) {
    char endless[500];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    char shown[128];
    snprintf(shown, sizeof shown, "\"%.60s\"", endless);
    nnd_value *list = nnd_value_list("");
    ck_assert(nnd_value_append(list, nnd_value_scalar("1", false, "")));
    ck_described(list, "a list of 1");
    ck_described(nnd_value_map(""), "a mapping");
    ck_described(nnd_value_scalar("12", false, ""), "12");
    ck_described(nnd_value_scalar("12", true, ""), "\"12\"");
    ck_described(nnd_value_scalar("", false, ""), "null");
    ck_described(nnd_value_scalar(endless, false, ""), shown);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("value");
    TCase *tests = tcase_create("value");
    tcase_add_test(tests, numbers_are_read_in_every_spelling);
    tcase_add_test(tests, what_is_no_number_is_refused);
    tcase_add_test(tests, null_and_bool_only_without_quotes);
    tcase_add_test(tests, keys_are_put_replaced_and_removed);
    tcase_add_test(tests, a_copy_is_deep);
    tcase_add_test(tests, descriptions_fit_into_a_message);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
