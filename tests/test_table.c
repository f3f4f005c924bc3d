/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of every type: defaults, ranges, messages, and the way back to a tree. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rows.h"
#include "nndmft/io.h"
#include "nndmft/table.h"
#include "support.h"

typedef struct {
    double alpha, lr, any;
    int64_t depth;
    bool center;
    int training;
    char *file;
    nnd_reals sigma, schedule;
    nnd_integers record, seeds;
    nnd_texts vars;
    nnd_dense gram;
    struct law {
        int kind;
        double width;
        char *text;
    } law;
} params;

#define FIELD(type, name) NND_FIELD(type, params, name)

static const char *const TRAININGS[] = {"fixed", "online", NULL};

static const char *const LAWS[] = {"flat", "steep", NULL};
static const nnd_param LAW_PARAMS[] = {
    {"kind", NND_FIELD(CHOICE, struct law, kind), "steep", NND_ANY, "", .choices = LAWS},
    {"width", NND_FIELD(REAL, struct law, width), "1", NND_POSITIVE, ""},
    {"text", NND_FIELD(TEXT, struct law, text), "null", NND_ANY, ""},
};
static const nnd_param_table LAW = {LAW_PARAMS, sizeof LAW_PARAMS / sizeof *LAW_PARAMS,
                                    sizeof(struct law)};

static const nnd_param PARAMS[] = {
    {"alpha", FIELD(REAL, alpha), "2", {.max = INFINITY, .min_open = true}, ""},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, ""},
    {"any", FIELD(REAL, any), "-0.5", NND_ANY, ""},
    {"depth", FIELD(INTEGER, depth), "1", NND_BETWEEN(1, 1000), ""},
    {"center", FIELD(BOOL, center), "true", NND_ANY, ""},
    {"training", FIELD(CHOICE, training), "online", NND_ANY, "", .choices = TRAININGS},
    {"file", FIELD(TEXT, file), "null", NND_ANY, ""},
    {"sigma", FIELD(REALS, sigma), "1", NND_NON_NEGATIVE, ""},
    {"schedule", FIELD(REALS, schedule), "null", NND_POSITIVE, ""},
    {"record", FIELD(INTEGERS, record), "null", {.max = 1e6}, "", .word = "log"},
    {"seeds", FIELD(INTEGERS, seeds), "32", NND_BETWEEN(1, 1e9), ""},
    {"vars", FIELD(TEXTS, vars), "null", NND_ANY, ""},
    {"gram", FIELD(DENSE, gram), "null", NND_ANY, ""},
    {"law", FIELD(GROUP, law), "null", NND_ANY, "", .group = &LAW, .shorthand = "kind"},
};
static const nnd_param_table TABLE = NND_TABLE(PARAMS, params);

static nnd_context *ctx;
static nnd_value *map;
static params p;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    map = nnd_value_map("case.yaml:3:1");
    memset(&p, 0, sizeof p);
}

static void teardown(void) {
    nnd_params_clear(&TABLE, &p);
    nnd_value_free(map);
    nnd_context_free(ctx);
}

static void put(const char *key, const char *text) {
    ck_assert(nnd_value_put(map, key, nnd_value_scalar(text, false, "case.yaml:4:9")));
}

static void put_list(const char *key, size_t n, const char *const *text) {
    nnd_value *list = nnd_value_list("case.yaml:5:9");
    for (size_t i = 0; i < n; i++)
        ck_assert(nnd_value_append(list, nnd_value_scalar(text[i], false, "case.yaml:5:12")));
    ck_assert(nnd_value_put(map, key, list));
}

/* Reads the map and expects success. */
static void read_map(void) {
    nnd_params_clear(&TABLE, &p);
    ck_assert_msg(nnd_params_read(ctx, &TABLE, map, "params", &p) == NND_OK, "%s",
                  nnd_context_message(ctx));
}

/* Reads the map and expects a message with all the parts (place, key, value, what is allowed). */
static void ck_refused(const char *where, const char *key, const char *value, const char *allowed) {
    const char *const part[] = {where, key, value, allowed};
    ck_assert_int_eq(nnd_params_read(ctx, &TABLE, map, "params", &p), NND_E_INPUT);
    const char *message = nnd_context_message(ctx);
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        ck_assert_msg(strstr(message, part[i]) != NULL, "no \"%s\" in: %s", part[i], message);
    ck_assert_msg(strncmp(message, where, strlen(where)) == 0, "%s", message);
    static const params zero;
    ck_assert_mem_eq(&p, &zero, sizeof p); /* cleared on failure */
}

static void ck_one_refused(const char *key, const char *text, const char *allowed) {
    char place[64];
    put(key, text);
    snprintf(place, sizeof place, "params.%s", key);
    ck_refused("case.yaml:4:9", place, text[0] != '\0' ? text : "null", allowed);
    nnd_value_remove(map, key);
}

START_TEST(without_a_mapping_all_defaults_hold) {
    ck_assert_int_eq(nnd_params_read(ctx, &TABLE, NULL, "params", &p), NND_OK);
    ck_assert_double_eq(p.alpha, 2.0);
    ck_assert_double_nan(p.lr); /* absent */
    ck_assert_double_eq(p.any, -0.5);
    ck_assert_int_eq(p.depth, 1);
    ck_assert(p.center);
    ck_assert_int_eq(p.training, 1);
    ck_assert_ptr_null(p.file);
    ck_assert_uint_eq(p.sigma.count, 1);
    ck_assert_double_eq(p.sigma.value[0], 1.0);
    ck_assert_uint_eq(p.schedule.count, 0);
    ck_assert_uint_eq(p.record.count, 0);
    ck_assert_uint_eq(p.seeds.count, 1);
    ck_assert_int_eq(p.seeds.value[0], 32);
    ck_assert_uint_eq(p.vars.count, 0);
}
END_TEST

START_TEST(every_type_is_read) {
    static const char *const reals[] = {"1", "0.5", "0"}, *const integers[] = {"3", "1e2"};
    static const char *const texts[] = {"loss", "null"};
    put("alpha", "1e-3");
    put("lr", "0.1");
    put("any", "-7");
    put("depth", "1e3");
    put("center", "False");
    put("training", "fixed");
    put("file", "digits.h5");
    put_list("sigma", 3, reals);
    put("schedule", "0.5");
    put_list("record", 2, integers);
    put("seeds", "9");
    put_list("vars", 2, texts);
    read_map();
    ck_assert_double_eq(p.alpha, 1e-3);
    ck_assert_double_eq(p.lr, 0.1);
    ck_assert_double_eq(p.any, -7.0);
    ck_assert_int_eq(p.depth, 1000);
    ck_assert(!p.center);
    ck_assert_int_eq(p.training, 0);
    ck_assert_str_eq(p.file, "digits.h5");
    ck_assert_uint_eq(p.sigma.count, 3);
    ck_assert_double_eq(p.sigma.value[1], 0.5);
    ck_assert_uint_eq(p.schedule.count, 1);
    ck_assert_double_eq(p.schedule.value[0], 0.5);
    ck_assert_uint_eq(p.record.count, 2);
    ck_assert_int_eq(p.record.value[1], 100);
    ck_assert_int_eq(p.seeds.value[0], 9);
    ck_assert_uint_eq(p.vars.count, 2);
    ck_assert_str_eq(p.vars.value[0], "loss");
}
END_TEST

/* Read, and written again. */
START_TEST(a_word_may_stand_for_a_list) {
    put("record", "log");
    read_map();
    ck_assert_uint_eq(p.record.count, 1);
    ck_assert_int_eq(p.record.value[0], NND_WORD);
    nnd_value *value = nnd_param_value(nnd_param_find(&TABLE, "record"), &p);
    ck_assert_str_eq(value->text, "log");
    nnd_value_free(value);
    ck_assert_int_eq(nnd_params_check(ctx, &TABLE, &p, "params"), NND_OK);
}
END_TEST

START_TEST(null_makes_absent_what_may_be_absent) {
    static const char *const absent[] = {"lr", "file", "schedule", "record", "vars"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        put(absent[i], "null");
    read_map();
    ck_assert_double_nan(p.lr);
    ck_assert_ptr_null(p.file);
    ck_assert_uint_eq(p.schedule.count, 0);
    nnd_params_clear(&TABLE, &p);
    ck_one_refused("alpha", "null", "a number > 0");
    ck_one_refused("depth", "", "an integer");
}
END_TEST

START_TEST(infinity_is_read_only_where_the_range_is_closed_at_it) {
    put("alpha", "inf");
    read_map();
    ck_assert_double_infinite(p.alpha);
    nnd_params_clear(&TABLE, &p);
    nnd_value_remove(map, "alpha");
    ck_one_refused("lr", "inf", "a number > 0");
    ck_one_refused("any", "inf", "a number");
    ck_one_refused("any", "-inf", "a number");
    ck_one_refused("sigma", ".inf", "a number >= 0");
    ck_one_refused("depth", "inf", "an integer");
}
END_TEST

START_TEST(nan_is_never_in_range) {
    ck_one_refused("alpha", "nan", "a number > 0, or inf");
    ck_one_refused("lr", ".nan", "a number > 0");
    ck_one_refused("any", ".NaN", "a number");
    ck_one_refused("depth", "nan", "an integer");
    ck_one_refused("sigma", "nan", "a number");
}
END_TEST

START_TEST(values_out_of_range_are_refused_with_the_range) {
    ck_one_refused("alpha", "0", "is out of range: a number > 0, or inf");
    ck_one_refused("alpha", "-1", "> 0");
    ck_one_refused("depth", "0", "is out of range: an integer >= 1 and <= 1000");
    ck_one_refused("depth", "1001", ">= 1 and <= 1000");
    ck_one_refused("sigma", "-1e-300", ">= 0");
    ck_one_refused("seeds", "0", "an integer >= 1 and <= 1000000000, or a list of such");
    static const char *const list[] = {"1", "-2"};
    put_list("sigma", 2, list);
    ck_refused("case.yaml:5:12", "params.sigma", "-2", "a number >= 0");
}
END_TEST

START_TEST(wrong_types_are_refused_with_what_is_allowed) {
    ck_one_refused("alpha", "large", "is not a number");
    ck_one_refused("alpha", "true", "is not a number");
    ck_one_refused("depth", "1.5", "is not an integer");
    ck_one_refused("depth", "1e17", "is out of range: an integer");
    ck_one_refused("record", "2.5", "is not an integer");
    ck_one_refused("center", "1", "is not true or false");
    ck_one_refused("center", "yes", "is not true or false");
    ck_one_refused("training", "sometimes", "one of fixed, online");
    static const char *const list[] = {"1", "2"};
    static const char *const scalars[] = {"alpha", "depth", "center", "training", "file"};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        put_list(scalars[i], 2, list);
        ck_refused("case.yaml:5:9", scalars[i], "a list of 2", "is not");
        nnd_value_remove(map, scalars[i]);
    }
    static const char *const lists[] = {"sigma", "record", "vars"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ck_assert(nnd_value_put(map, lists[i], nnd_value_map("case.yaml:6:9")));
        ck_refused("case.yaml:6:9", lists[i], "a mapping", "or a list of such");
        nnd_value_remove(map, lists[i]);
    }
}
END_TEST

START_TEST(quoted_numbers_are_no_numbers) {
    ck_assert(nnd_value_put(map, "alpha", nnd_value_scalar("1", true, "case.yaml:4:9")));
    ck_refused("case.yaml:4:9", "params.alpha", "\"1\"", "a number");
}
END_TEST

START_TEST(unknown_keys_are_refused_with_those_there_are) {
    put("dept", "3");
    ck_refused("case.yaml:4:9", "params.dept", "unknown key", "alpha, lr, any, depth, center");
}
END_TEST

START_TEST(what_is_no_mapping_is_refused) {
    nnd_value *list = nnd_value_list("case.yaml:2:9");
    ck_assert_int_eq(nnd_params_read(ctx, &TABLE, list, "params", &p), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "case.yaml:2:9: params"));
    nnd_value_free(list);
}
END_TEST

/* Writes every parameter of `p` into a new map. */
static void write_map(void) {
    nnd_value_free(map);
    map = nnd_value_map("again");
    for (size_t i = 0; i < TABLE.count; i++)
        ck_assert(nnd_value_put(map, PARAMS[i].name, nnd_param_value(&PARAMS[i], &p)));
}

static void ck_same(const params *a, const params *b) {
    ck_assert(a->lr == b->lr || (isnan(a->lr) && isnan(b->lr)));
    ck_assert_double_eq(a->alpha, b->alpha);
    ck_assert_double_eq(a->any, b->any);
    ck_assert_int_eq(a->depth, b->depth);
    ck_assert(a->center == b->center);
    ck_assert_int_eq(a->training, b->training);
    ck_assert_pstr_eq(a->file, b->file);
    ck_assert_uint_eq(a->sigma.count, b->sigma.count);
    for (size_t i = 0; i < a->sigma.count; i++)
        ck_assert_double_eq(a->sigma.value[i], b->sigma.value[i]);
    ck_assert_uint_eq(a->record.count, b->record.count);
    for (size_t i = 0; i < a->record.count; i++)
        ck_assert_int_eq(a->record.value[i], b->record.value[i]);
    ck_assert_uint_eq(a->vars.count, b->vars.count);
    for (size_t i = 0; i < a->vars.count; i++)
        ck_assert_str_eq(a->vars.value[i], b->vars.value[i]);
}

static void ck_round_trip(void) {
    read_map();
    write_map();
    params again;
    ck_assert_msg(nnd_params_read(ctx, &TABLE, map, "params", &again) == NND_OK, "%s",
                  nnd_context_message(ctx));
    ck_same(&p, &again);
    nnd_params_clear(&TABLE, &again);
}

START_TEST(parameters_survive_being_written_and_read) {
    static const char *const reals[] = {"0.1", "3.3333333333333335", "1e-300"};
    static const char *const integers[] = {"0", "123456"}, *const texts[] = {"a", "b"};
    static const char *const one[] = {"null"};
    ck_round_trip(); /* the defaults */
    put("alpha", "inf");
    put("lr", "0.30000000000000004");
    put("any", "-1e-310");
    put("training", "fixed");
    put("file", "true");
    put_list("sigma", 3, reals);
    put_list("record", 2, integers);
    put_list("vars", 2, texts);
    ck_round_trip();
    put_list("vars", 1, one); /* a name that reads as null without quotes */
    ck_round_trip();
}
END_TEST

START_TEST(parameters_are_found_by_name) {
    ck_assert_ptr_eq(nnd_param_find(&TABLE, "depth"), &PARAMS[3]);
    ck_assert_ptr_null(nnd_param_find(&TABLE, "dep"));
}
END_TEST

START_TEST(clearing_twice_does_no_harm) {
    put("file", "x");
    read_map();
    nnd_params_clear(&TABLE, &p);
    ck_assert_ptr_null(p.file);
    ck_assert_uint_eq(p.sigma.count, 0);
    nnd_params_clear(&TABLE, &p);
}
END_TEST

/* Puts what a line of YAML says under a key. */
static void put_yaml(const char *key, const char *yaml) {
    nnd_value *tree = NULL;
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "case.yaml", yaml, &tree), NND_OK);
    ck_assert(nnd_value_put(map, key, tree));
}

START_TEST(a_matrix_is_rows_a_column_a_number_or_a_name) {
    put_yaml("gram", "[[1, 2, 3], [4, 5, -6e-1]]");
    read_map();
    ck_assert_uint_eq(p.gram.rows, 2);
    ck_assert_uint_eq(p.gram.cols, 3);
    ck_assert_double_eq(p.gram.value[5], -0.6);
    put_yaml("gram", "[7, 8]");
    read_map();
    ck_assert_uint_eq(p.gram.rows, 2);
    ck_assert_uint_eq(p.gram.cols, 1);
    ck_assert_double_eq(p.gram.value[1], 8.0);
    put("gram", "0.5");
    read_map();
    ck_assert_uint_eq(p.gram.rows * p.gram.cols, 1);
    put("gram", "kernel");
    read_map();
    ck_assert_uint_eq(p.gram.rows, 0);
    ck_assert_str_eq(p.gram.name, "kernel");
}
END_TEST

START_TEST(a_list_without_elements_is_refused) {
    put_yaml("sigma", "[]");
    ck_refused("case.yaml:1:", "params.sigma", "a list of 0", "or a list of such");
}
END_TEST

START_TEST(ragged_rows_and_what_is_no_number_are_refused_in_a_matrix) {
    put_yaml("gram", "[[1, 2], [3]]");
    ck_refused("case.yaml:1:", "params.gram", "a list of 1", "as long as the first");
    put_yaml("gram", "[[1, x]]");
    ck_refused("case.yaml:1:", "params.gram", "x is not", "rows of numbers");
    put_yaml("gram", "[[1, inf]]");
    ck_refused("case.yaml:1:", "params.gram", "inf is not", "rows of numbers");
    put_yaml("gram", "[]");
    ck_refused("case.yaml:1:", "params.gram", "a list of 0", "rows of numbers");
    put_yaml("gram", "[[], []]");
    ck_refused("case.yaml:1:", "params.gram", "a list of 0", "rows of numbers");
}
END_TEST

START_TEST(a_group_is_a_mapping_or_what_its_shorthand_takes) {
    read_map();
    ck_assert_int_eq(p.law.kind, 1);
    ck_assert_double_eq(p.law.width, 1.0);
    put("law", "flat");
    read_map();
    ck_assert_int_eq(p.law.kind, 0);
    put_yaml("law", "{width: 3, text: hello}");
    read_map();
    ck_assert_int_eq(p.law.kind, 1);
    ck_assert_double_eq(p.law.width, 3.0);
    ck_assert_str_eq(p.law.text, "hello");
}
END_TEST

START_TEST(members_of_a_group_are_checked_under_their_full_name) {
    put_yaml("law", "{width: -1}");
    ck_refused("case.yaml:1:", "params.law.width", "-1", "a number > 0");
    put_yaml("law", "{breadth: 1}");
    ck_refused("case.yaml:1:", "params.law.breadth", "unknown key", "kind, width, text");
    put("law", "round");
    ck_refused("case.yaml:4:9", "params.law.kind", "round", "flat, steep");
}
END_TEST

START_TEST(matrices_and_groups_survive_being_written_and_read) {
    put_yaml("gram", "[[1, 0.1], [0.1, 3]]");
    put_yaml("law", "{kind: flat, text: hello}");
    read_map();
    for (const char *const *key = (const char *const[]){"gram", "law", NULL}; *key != NULL; key++)
        ck_assert(nnd_value_put(map, *key, nnd_param_value(nnd_param_find(&TABLE, *key), &p)));
    read_map();
    ck_assert_double_eq(p.gram.value[1], 0.1);
    ck_assert_int_eq(p.law.kind, 0);
    ck_assert_str_eq(p.law.text, "hello");
}
END_TEST

START_TEST(an_objection_carries_its_key_and_text) {
    nnd_objection objection;
    ck_assert(!nnd_object(&objection, "sigma", "%d values, %d needed", 2, 3));
    ck_assert_str_eq(objection.key, "sigma");
    ck_assert_str_eq(objection.text, "2 values, 3 needed");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, without_a_mapping_all_defaults_hold);
    tcase_add_test(tests, every_type_is_read);
    tcase_add_test(tests, a_word_may_stand_for_a_list);
    tcase_add_test(tests, null_makes_absent_what_may_be_absent);
    tcase_add_test(tests, infinity_is_read_only_where_the_range_is_closed_at_it);
    tcase_add_test(tests, nan_is_never_in_range);
    tcase_add_test(tests, values_out_of_range_are_refused_with_the_range);
    tcase_add_test(tests, wrong_types_are_refused_with_what_is_allowed);
    tcase_add_test(tests, quoted_numbers_are_no_numbers);
    tcase_add_test(tests, unknown_keys_are_refused_with_those_there_are);
    tcase_add_test(tests, what_is_no_mapping_is_refused);
    tcase_add_test(tests, parameters_survive_being_written_and_read);
    tcase_add_test(tests, a_list_without_elements_is_refused);
    tcase_add_test(tests, parameters_are_found_by_name);
    tcase_add_test(tests, clearing_twice_does_no_harm);
    tcase_add_test(tests, a_matrix_is_rows_a_column_a_number_or_a_name);
    tcase_add_test(tests, ragged_rows_and_what_is_no_number_are_refused_in_a_matrix);
    tcase_add_test(tests, a_group_is_a_mapping_or_what_its_shorthand_takes);
    tcase_add_test(tests, members_of_a_group_are_checked_under_their_full_name);
    tcase_add_test(tests, matrices_and_groups_survive_being_written_and_read);
    tcase_add_test(tests, an_objection_carries_its_key_and_text);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
