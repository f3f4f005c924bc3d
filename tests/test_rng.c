/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers are functions of key, stream, index and position, and are standard normal. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/rng.h"

enum { MANY = 1000000 };

static const double FIVE_SIGMA = 5.0;
static const nnd_rng_key KEY = {1, 2, 512};

START_TEST(a_number_does_not_depend_on_how_many_are_drawn) {
    enum { N = 1000 };
    double all[N], some[N];
    nnd_rng_normals(KEY, 3, 4, N, all);
    for (size_t n = 1; n < N; n += 37) {
        nnd_rng_normals(KEY, 3, 4, n, some);
        for (size_t i = 0; i < n; i++)
            ck_assert_double_eq(some[i], all[i]);
    }
}
END_TEST

START_TEST(words_do_not_depend_on_how_many_are_drawn_and_their_bits_are_fair) {
    enum { N = 4099, FEW = 5 };
    uint64_t *all = malloc(N * sizeof *all), few[FEW];
    size_t ones[64] = {0};
    nnd_rng_words(KEY, 3, 4, N, all);
    nnd_rng_words(KEY, 3, 4, FEW, few);
    for (size_t i = 0; i < FEW; i++)
        ck_assert(few[i] == all[i]);
    for (size_t i = 0; i < N; i++)
        for (int bit = 0; bit < 64; bit++)
            ones[bit] += all[i] >> bit & 1;
    for (int bit = 0; bit < 64; bit++)
        ck_assert(fabs((double)ones[bit] - N / 2.0) < FIVE_SIGMA * sqrt(N / 4.0));
    free(all);
}
END_TEST

/* 5 sigma of the mean product of n independent pairs. */
static void ck_uncorrelated(size_t n, const double *x, const double *y, const char *what) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    ck_assert_msg(fabs(sum / (double)n) < FIVE_SIGMA / sqrt((double)n), "%s: correlation %g", what,
                  sum / (double)n);
}

START_TEST(every_part_of_the_key_gives_other_numbers) {
    enum { N = 100000 };
    static const struct {
        const char *what;
        nnd_rng_key key;
        uint32_t stream;
        uint64_t index;
    } other[] = {
        {"base seed", {2, 2, 512}, 3, 4},
        {"seed", {1, 3, 512}, 3, 4},
        {"size", {1, 2, 1024}, 3, 4},
        {"stream", {1, 2, 512}, 4, 4},
        {"index", {1, 2, 512}, 3, 5},
        {"swapped seeds", {2, 1, 512}, 3, 4},
        {"swapped stream and index", {1, 2, 512}, 4, 3},
        {"large index", {1, 2, 512}, 3, UINT64_C(4) + (UINT64_C(1) << 40)},
        {"large seed", {1, UINT64_C(2) + (UINT64_C(1) << 32), 512}, 3, 4},
    };
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    nnd_rng_normals(KEY, 3, 4, N, x);
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
        nnd_rng_normals(other[k].key, other[k].stream, other[k].index, N, y);
        size_t equal = 0;
        for (size_t i = 0; i < N; i++)
            equal += x[i] == y[i];
        /* Of some 2^31 values, nearly equally likely, hardly one pair in 1e5 is equal. */
        ck_assert_msg(equal < 10, "%s: %zu equal numbers", other[k].what, equal);
        ck_uncorrelated(N, x, y, other[k].what);
        ck_uncorrelated(N - 1, x, y + 1, other[k].what);
        ck_uncorrelated(N - 1, x + 1, y, other[k].what);
    }
    free(x);
    free(y);
}
END_TEST

START_TEST(moments_are_those_of_a_standard_normal) {
    double *x = malloc(MANY * sizeof *x), m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
    nnd_rng_normals(KEY, 0, 0, MANY, x);
    for (size_t i = 0; i < MANY; i++) {
        m1 += x[i] / MANY;
        m2 += x[i] * x[i] / MANY;
        m3 += x[i] * x[i] * x[i] / MANY;
        m4 += x[i] * x[i] * x[i] * x[i] / MANY;
    }
    /* Variances of x, x^2, x^3, x^4 are 1, 2, 15, 96. */
    double root = sqrt((double)MANY);
    ck_assert_double_eq_tol(m1, 0.0, FIVE_SIGMA * 1.0 / root);
    ck_assert_double_eq_tol(m2, 1.0, FIVE_SIGMA * sqrt(2.0) / root);
    ck_assert_double_eq_tol(m3, 0.0, FIVE_SIGMA * sqrt(15.0) / root);
    ck_assert_double_eq_tol(m4, 3.0, FIVE_SIGMA * sqrt(96.0) / root);
    ck_uncorrelated(MANY - 1, x, x + 1, "neighbours");
    ck_uncorrelated(MANY - 4, x, x + 4, "numbers of neighbouring blocks");
    free(x);
}
END_TEST

START_TEST(the_distribution_function_is_that_of_a_standard_normal) {
    static const double at[] = {-4.0, -3.0, -1.0, -0.1, 0.0, 0.5, 2.0, 3.4};
    double *x = malloc(MANY * sizeof *x);
    nnd_rng_normals(KEY, 1, 0, MANY, x);
    for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
        double below = 0.0, p = 0.5 * erfc(-at[k] / sqrt(2.0));
        for (size_t i = 0; i < MANY; i++)
            below += x[i] < at[k];
        ck_assert_double_eq_tol(below / MANY, p, FIVE_SIGMA * sqrt(p * (1.0 - p) / MANY));
    }
    free(x);
}
END_TEST

START_TEST(first_numbers_of_many_indices_are_independent) {
    enum { N = 20000 };
    double *x = malloc(N * sizeof *x), sum2 = 0.0;
    for (uint64_t i = 0; i < N; i++) {
        nnd_rng_normals(KEY, 0, i, 1, x + i);
        sum2 += x[i] * x[i] / N;
    }
    ck_assert_double_eq_tol(sum2, 1.0, FIVE_SIGMA * sqrt(2.0 / N));
    ck_uncorrelated(N - 1, x, x + 1, "neighbouring indices");
    free(x);
}
END_TEST

/* Results of others can only be repeated if these never change. */
START_TEST(the_stream_never_changes) {
    double x[1000];
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, 4, 5, 1000, x);
    ck_assert_double_eq(x[0], -0x1.25cd9835c0b2ap+0);
    ck_assert_double_eq(x[1], -0x1.d724be1fe52b1p-2);
    ck_assert_double_eq(x[999], -0x1.5bddd232544ecp-3);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rng");
    TCase *tests = tcase_create("rng");
    tcase_add_test(tests, words_do_not_depend_on_how_many_are_drawn_and_their_bits_are_fair);
    tcase_add_test(tests, a_number_does_not_depend_on_how_many_are_drawn);
    tcase_add_test(tests, every_part_of_the_key_gives_other_numbers);
    tcase_add_test(tests, moments_are_those_of_a_standard_normal);
    tcase_add_test(tests, the_distribution_function_is_that_of_a_standard_normal);
    tcase_add_test(tests, first_numbers_of_many_indices_are_independent);
    tcase_add_test(tests, the_stream_never_changes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
