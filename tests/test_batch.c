/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "support.h"

START_TEST(every_epoch_deals_out_every_sample_once) {
    enum { SAMPLES = 11, SIZE = 4, EPOCHS = 5, PER_EPOCH = 3 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_schedule s;
    double weight[SAMPLES];
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){SIZE, 3}, SAMPLES, &s), NND_OK);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        int seen[SAMPLES] = {0};
        for (size_t b = 0; b < PER_EPOCH; b++) {
            double sum = 0.0, expected = b + 1 < PER_EPOCH ? 1.0 / SIZE : 1.0 / 3.0;
            nnd_schedule_weights(&s, epoch * PER_EPOCH + b, weight);
            for (size_t i = 0; i < SAMPLES; i++) {
                ck_assert(weight[i] == 0.0 || weight[i] == expected);
                seen[i] += weight[i] > 0.0;
                sum += weight[i];
            }
            test_close("sum of the weights", sum, 1.0, 1e-15);
        }
        for (size_t i = 0; i < SAMPLES; i++)
            ck_assert_int_eq(seen[i], 1);
    }
    nnd_schedule_clear(&s);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_step_has_the_same_batch_whenever_it_is_asked_for) {
    enum { SAMPLES = 6, STEPS = 20 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_schedule s, again;
    double weight[SAMPLES], other[SAMPLES];
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){1, 8}, SAMPLES, &s), NND_OK);
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){1, 8}, SAMPLES, &again), NND_OK);
    bool reordered = false;
    for (size_t t = 0; t < STEPS; t++)
        nnd_schedule_weights(&again, t, other);
    for (size_t t = STEPS; t-- > 0;) {
        nnd_schedule_weights(&s, t, weight);
        nnd_schedule_weights(&again, t, other);
        for (size_t i = 0; i < SAMPLES; i++)
            ck_assert(weight[i] == other[i]);
        nnd_schedule_weights(&s, t % SAMPLES, other);
        for (size_t i = 0; i < SAMPLES; i++)
            reordered |= weight[i] != other[i];
    }
    ck_assert(reordered);
    nnd_schedule_clear(&s);
    nnd_schedule_clear(&again);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(size_zero_and_sizes_beyond_the_samples_are_the_full_batch) {
    static const int64_t sizes[] = {0, 5, 100};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_schedule s;
    double weight[5];
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){sizes[_i], 1}, 5, &s), NND_OK);
    for (size_t t = 0; t < 3; t++) {
        nnd_schedule_weights(&s, t, weight);
        for (int i = 0; i < 5; i++)
            ck_assert(weight[i] == 1.0 / 5.0);
    }
    nnd_schedule_clear(&s);
    nnd_context_free(ctx);
}
END_TEST

/* Ranks of normals drawn with the key (3, 0, 0) of stream 77, index: the epoch. */
START_TEST(the_order_of_an_epoch_never_changes) {
    enum { SAMPLES = 11, PER_EPOCH = 3 };
    static const size_t order[2][SAMPLES] = {{6, 0, 9, 5, 2, 1, 3, 10, 4, 8, 7},
                                             {6, 1, 7, 5, 8, 9, 0, 2, 3, 4, 10}};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_schedule s;
    double weight[SAMPLES];
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){4, 3}, SAMPLES, &s), NND_OK);
    for (size_t step = 0; step < 2 * PER_EPOCH; step++) {
        size_t first = step % PER_EPOCH * 4, last = first + 4 < SAMPLES ? first + 4 : SAMPLES;
        nnd_schedule_weights(&s, step, weight);
        for (size_t i = first; i < last; i++)
            ck_assert_double_eq(weight[order[step / PER_EPOCH][i]], 1.0 / (double)(last - first));
    }
    nnd_schedule_clear(&s);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("batch");
    TCase *tests = tcase_create("batch");
    tcase_add_test(tests, every_epoch_deals_out_every_sample_once);
    tcase_add_test(tests, a_step_has_the_same_batch_whenever_it_is_asked_for);
    tcase_add_test(tests, the_order_of_an_epoch_never_changes);
    tcase_add_loop_test(tests, size_zero_and_sizes_beyond_the_samples_are_the_full_batch, 0, 3);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
