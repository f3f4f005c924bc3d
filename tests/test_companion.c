/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/companion.h"

#include "support.h"

START_TEST(companions_are_found_from_either_side) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "x", 1.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "x_se", 2.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "lone_se", 3.0), NND_OK);
    ck_assert_ptr_eq(nnd_companion(frame, "x", NND_SE), nnd_frame_find(frame, "x_se"));
    ck_assert_ptr_null(nnd_companion(frame, "x", NND_MIN_SIZE));
    ck_assert_ptr_eq(nnd_companion_owner(frame, "x_se", NND_SE), nnd_frame_find(frame, "x"));
    ck_assert_ptr_null(nnd_companion_owner(frame, "lone_se", NND_SE));
    ck_assert_ptr_null(nnd_companion_owner(frame, "x", NND_SE));
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_name_that_is_an_ending_alone_is_no_companion) {
    ck_assert_uint_eq(nnd_companion_of("delta_se", NND_SE), 5);
    ck_assert_uint_eq(nnd_companion_of("_se", NND_SE), 0);
    ck_assert_uint_eq(nnd_companion_of("se", NND_SE), 0);
    ck_assert_uint_eq(nnd_companion_of("delta_min_size", NND_SE), 0);
    ck_assert_uint_eq(nnd_companion_of("delta_min_size", NND_MIN_SIZE), 5);
}
END_TEST

START_TEST(a_name_that_is_cut_short_finds_nothing) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = NULL;
    char longest[NND_COMPANION_SIZE + 8], small[5];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, longest, 1.0), NND_OK);
    ck_assert_ptr_null(nnd_companion(frame, longest, NND_SE));
    ck_assert(nnd_companion_name("x", NND_SE, sizeof small, small));
    ck_assert(!nnd_companion_name("xy", NND_SE, sizeof small, small));
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(accounts_of_a_run_are_told_from_variables) {
    ck_assert(nnd_is_account("status") && nnd_is_account("diverged_at"));
    ck_assert(nnd_is_account("diverged_fraction"));
    ck_assert(!nnd_is_account("diverged") && !nnd_is_account("status_se"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("companion");
    TCase *tests = tcase_create("companion");
    tcase_add_test(tests, companions_are_found_from_either_side);
    tcase_add_test(tests, a_name_that_is_an_ending_alone_is_no_companion);
    tcase_add_test(tests, a_name_that_is_cut_short_finds_nothing);
    tcase_add_test(tests, accounts_of_a_run_are_told_from_variables);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
