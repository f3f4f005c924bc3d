/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a case may be written in: UTF-8, each character in its shortest form, no surrogates. */
#include <string.h>

#include "core/utf8.h"
#include "support.h"
#include "with_context.h"

/* Whether a case that holds these bytes is refused as no UTF-8. */
static bool refused(const char *bytes) {
    char text[32];
    nnd_value *tree = NULL;
    snprintf(text, sizeof text, "name: \"%s\"\n", bytes);
    nnd_status status = nnd_yaml_read_text(ctx, "test", text, &tree);
    nnd_value_free(tree);
    return status != NND_OK && strstr(nnd_context_message(ctx), "test:1:8: not UTF-8") != NULL;
}

/* The definition: lead byte and continuation bytes spell a number that needs that many bytes, is no
 * surrogate and at most 0x10ffff. */
static bool sound(size_t n, const unsigned char *c) {
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned long value = c[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if (c[i] >> 6 != 2)
            return false;
        value = value << 6 | (c[i] & 0x3fU);
    }
    return value >= least[n] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

START_TEST(well_known_overlong_forms_are_refused) {
    static const char *const overlong[] = {
        "\xc0\xaf",         "\xc1\xbf",         "\xe0\x80\xaf",         "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf",
        "\xed\xa0\x80",     "\xf4\x90\x80\x80",
    };
    for (size_t i = 0; i < sizeof overlong / sizeof *overlong; i++)
        ck_assert_msg(refused(overlong[i]), "sequence %zu is accepted", i);
    ck_assert(!refused("\xc3\xa4\xe2\x82\xac\xf0\x9d\x9b\xbe"));
}
END_TEST

/* Every lead byte with the bytes at and beside the ends of each range after it. */
START_TEST(exactly_what_is_no_utf_8_is_refused) {
    static const unsigned char at[] = {0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};
    enum { SECONDS = sizeof at, ENDS = 4 };
    static const unsigned char end[ENDS] = {0x7f, 0x80, 0xbf, 0xc0};
    for (unsigned lead = 0x80; lead < 0x100; lead++) {
        size_t n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        size_t last = n == 4 ? ENDS : 1, third = n > 2 ? ENDS : 1;
        for (size_t i = 0; i < SECONDS * third * last; i++) {
            unsigned char c[5] = {(unsigned char)lead, at[i / (third * last)]};
            if (n > 2)
                c[2] = end[i / last % ENDS];
            if (n > 3)
                c[3] = end[i % ENDS];
            bool wrong = lead < 0xc0 || lead > 0xf7 || !sound(n, c);
            ck_assert_msg(refused((const char *)c) == wrong, "%02x %02x %02x %02x is %s", c[0],
                          c[1], c[2], c[3], wrong ? "accepted" : "refused");
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("utf8");
    TCase *tests = tcase_create("utf8");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, well_known_overlong_forms_are_refused);
    tcase_add_test(tests, exactly_what_is_no_utf_8_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
