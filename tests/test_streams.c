/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/streams.h"

#include <math.h>

#include "support.h"

typedef struct {
    const char *owner, *name;
    long first, count;
} range;

static const range RANGES[] = {
#define ROW(owner, name, first, count) {#owner, #name, first, count},
    NND_STREAMS(ROW)
#undef ROW
};
enum { COUNT = sizeof RANGES / sizeof *RANGES };

START_TEST(streams_of_one_owner_are_disjoint) {
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++) {
            const range *a = &RANGES[i], *b = &RANGES[j];
            bool apart = a->first >= b->first + b->count || b->first >= a->first + a->count;
            ck_assert_msg(apart || strcmp(a->owner, b->owner) != 0, "%s: %s meets %s", a->owner,
                          a->name, b->name);
        }
}
END_TEST

static double deepest(const char *model) {
    return nnd_param_find(nnd_model_find(model)->params, "depth")->range.max;
}

/* As deep as the tables allow. */
START_TEST(every_layer_has_a_stream) {
    ck_assert_double_eq(deepest("deep-linear") + 1.0,
                        NND_STREAMS_DEEP_LINEAR_WEIGHTS + NND_STREAMS_DEEP_LINEAR_MORE_WEIGHTS);
    ck_assert_double_eq(deepest("flat-minima"), NND_STREAMS_FLAT_MINIMA_WEIGHTS);
    ck_assert_double_eq(deepest("flat-minima"), NND_STREAMS_FLAT_MINIMA_ALIGNED);
    ck_assert_double_eq(deepest("lazy-fluctuations") + 1.0, NND_STREAMS_LAZY_WEIGHTS);
    ck_assert_double_eq(deepest("wide-mlp") + 1.0, NND_STREAMS_WIDE_MLP_WEIGHTS);
    ck_assert_double_eq(deepest("wide-mlp"), NND_STREAMS_WIDE_MLP_THEORY_LAYERS);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("streams");
    TCase *tests = tcase_create("streams");
    tcase_add_test(tests, streams_of_one_owner_are_disjoint);
    tcase_add_test(tests, every_layer_has_a_stream);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
