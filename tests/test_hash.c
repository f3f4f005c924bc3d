/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/hash.h"

#include <string.h>

#include "support.h"

/* Published values: of nothing and of a text, Collet's xxHash; Fowler, Noll and Vo. */
START_TEST(hashes_are_the_published_ones) {
    ck_assert_uint_eq(nnd_hash(0, "", 0), UINT64_C(0xef46db3751d8e999));
    ck_assert_uint_eq(nnd_hash(0, "abc", 3), UINT64_C(0x44bc2cf5ad770999));
    ck_assert_uint_eq(nnd_hash_fnv(NND_FNV_START, "", 0), UINT64_C(0xcbf29ce484222325));
    ck_assert_uint_eq(nnd_hash_fnv(NND_FNV_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
}
END_TEST

/* A hash goes on from the one before: order and places of cuts count. */
START_TEST(every_part_of_a_chain_counts) {
    uint64_t ab = nnd_hash(nnd_hash(0, "a", 2), "b", 2), ba = nnd_hash(nnd_hash(0, "b", 2), "a", 2);
    ck_assert_uint_ne(ab, ba);
    ck_assert_uint_ne(ab, nnd_hash(0, "a\0b", 4));
    ck_assert_uint_ne(nnd_hash(ab, "", 0), ab);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hash");
    TCase *tests = tcase_create("hash");
    tcase_add_test(tests, hashes_are_the_published_ones);
    tcase_add_test(tests, every_part_of_a_chain_counts);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
