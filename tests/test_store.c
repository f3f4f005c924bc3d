/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store in memory. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/store.h"
#include "support.h"

static nnd_context *ctx;
static nnd_store *store;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    store = nnd_memory_store_new();
    ck_assert_ptr_nonnull(store);
}

static void teardown(void) {
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}

static void put(const char *key, double x) {
    nnd_frame *frame;
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "x", x), NND_OK);
    ck_assert_int_eq(nnd_frame_set_text(frame, "x", "units", "1"), NND_OK);
    ck_assert_int_eq(store->put(store->self, ctx, key, frame), NND_OK);
    nnd_frame_free(frame); /* the store has a copy */
}

static bool has(const char *key) {
    bool found;
    ck_assert_int_eq(store->has(store->self, ctx, key, &found), NND_OK);
    return found;
}

static double get(const char *key) {
    nnd_frame *frame;
    ck_assert_int_eq(store->get(store->self, ctx, key, &frame), NND_OK);
    double x = nnd_frame_find(frame, "x")->data[0];
    ck_assert_str_eq(nnd_frame_find_attribute(frame, "x", "units")->text, "1");
    nnd_frame_free(frame);
    return x;
}

START_TEST(what_was_put_is_there_and_comes_back) {
    enum { KEYS = 100 };
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "block %d", i);
        ck_assert(!has(key));
        put(key, i);
        ck_assert(has(key));
    }
    ck_assert_double_eq(get("block 0"), 0.0);
    ck_assert_double_eq(get("block 73"), 73.0);
    ck_assert(!has("block"));
}
END_TEST

START_TEST(putting_again_replaces) {
    put("a", 1.0);
    put("b", 2.0);
    put("a", 3.0);
    ck_assert_double_eq(get("a"), 3.0);
    ck_assert_double_eq(get("b"), 2.0);
}
END_TEST

START_TEST(a_missing_key_fails_with_its_name) {
    nnd_frame *frame;
    ck_assert_int_eq(store->get(store->self, ctx, "nowhere", &frame), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "nowhere"));
}
END_TEST

START_TEST(free_takes_null) {
    nnd_memory_store_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_was_put_is_there_and_comes_back);
    tcase_add_test(tests, putting_again_replaces);
    tcase_add_test(tests, a_missing_key_fails_with_its_name);
    tcase_add_test(tests, free_takes_null);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
