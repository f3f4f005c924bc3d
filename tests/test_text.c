/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts built in arrays: lists, and what does not fit. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "support.h"

START_TEST(lists_have_separators_between_their_items) {
    char array[64];
    nnd_text text = nnd_text_in(sizeof array, array);
    ck_assert_str_eq(array, "");
    nnd_text_add(&text, "allowed: ");
    for (int i = 0; i < 3; i++)
        nnd_text_item(&text, ", ", "%c%d", 'a' + i, i);
    ck_assert_str_eq(array, "allowed: a0, b1, c2");
    ck_assert_uint_eq(text.used, strlen(array));
    ck_assert(!text.cut);
}
END_TEST

/* Arrays on the heap, so that a sanitizer sees a letter too many. */
START_TEST(a_text_that_does_not_fit_is_cut_and_says_so) {
    for (size_t size = 1; size <= 64; size++) {
        char *array = malloc(size);
        nnd_text text = nnd_text_in(size, array);
        for (int i = 0; i < 20; i++)
            nnd_text_item(&text, ",", "%s", "name");
        ck_assert(text.cut);
        ck_assert_uint_eq(strlen(array), size - 1);
        ck_assert_uint_eq(text.used, size - 1);
        if (size > 4)
            ck_assert_str_eq(array + size - 4, "...");
        free(array);
    }
}
END_TEST

START_TEST(a_text_that_just_fits_is_not_cut) {
    char array[8];
    nnd_text text = nnd_text_in(sizeof array, array);
    nnd_text_item(&text, ",", "abc");
    nnd_text_item(&text, ",", "def");
    ck_assert_str_eq(array, "abc,def");
    ck_assert(!text.cut);
    nnd_text_add(&text, "%s", "");
    ck_assert(!text.cut);
    nnd_text_add(&text, "g");
    ck_assert_str_eq(array, "abc,...");
    ck_assert(text.cut);
}
END_TEST

/* U+00E9 is two bytes: no half of it stays. */
START_TEST(a_character_is_not_cut_in_two) {
    char array[9];
    for (int before = 0; before < 4; before++) {
        nnd_text text = nnd_text_in(sizeof array, array);
        nnd_text_add(&text, "%.*s%s", before, "xxxx", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
        ck_assert(text.cut);
        const char *dots = strstr(array, "...");
        ck_assert_ptr_nonnull(dots);
        ck_assert_uint_eq((size_t)(dots - array - before) % 2, 0);
        ck_assert_uint_ge((size_t)(dots - array), 4);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, lists_have_separators_between_their_items);
    tcase_add_test(tests, a_text_that_does_not_fit_is_cut_and_says_so);
    tcase_add_test(tests, a_text_that_just_fits_is_not_cut);
    tcase_add_test(tests, a_character_is_not_cut_in_two);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
