/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a misspelt name may have meant. */

#include "support.h"

#include "core/suggest.h"

static const char *const NAMES[] = {"depth", "lr", "gamma0", "steps", "base_seed"};

static const char *suggested(const char *word) {
    static nnd_suggestion near;
    near = (nnd_suggestion){.word = word};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        nnd_suggest(&near, "params.", NAMES[i]);
    return near.text;
}

START_TEST(one_slip_of_each_kind_is_recognised) {
    static const char *const slips[] = {"detph", "dept", "deepth", "dapth", "depth"};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
        ck_assert_str_eq(suggested(slips[i]), "did you mean params.depth? ");
    ck_assert_str_eq(suggested("lrr"), "did you mean params.lr? ");
    ck_assert_str_eq(suggested("baseseed"), "did you mean params.base_seed? ");
}
END_TEST

START_TEST(another_word_is_not_taken_for_a_slip) {
    static const char *const words[] = {"", "x", "wd", "momentum", "width", "stop"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_str_eq(suggested(words[i]), "");
    char endless[300];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    ck_assert_str_eq(suggested(endless), "");
}
END_TEST

START_TEST(the_nearest_wins_and_of_equals_the_first) {
    nnd_suggestion near = {.word = "step"};
    nnd_suggest(&near, "", "stop");
    nnd_suggest(&near, "", "steps");
    ck_assert_str_eq(near.text, "did you mean stop? ");
    nnd_suggest(&near, "", "step");
    ck_assert_str_eq(near.text, "did you mean step? ");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("suggest");
    TCase *tests = tcase_create("suggest");
    tcase_add_test(tests, one_slip_of_each_kind_is_recognised);
    tcase_add_test(tests, another_word_is_not_taken_for_a_slip);
    tcase_add_test(tests, the_nearest_wins_and_of_equals_the_first);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
