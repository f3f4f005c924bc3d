/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers are functions of key, stream, index and position, and are standard normal. */
#include <Random123/threefry.h>
#include <check.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "support.h"

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

/* Known answers that come with Random123: all bits 0, all bits 1, the first digits of pi. */
START_TEST(the_generator_gives_its_published_answers) {
    static const struct {
        uint64_t counter[4], key[4], want[4];
    } known[] = {
        {.want = {0x09218ebde6c85537, 0x55941f5266d86105, 0x4bd25e16282434dc, 0xee29ec846bd2e40b}},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         {0x29c24097942bba1b, 0x0371bbfb0f6f4e11, 0x3c231ffa33f83a1c, 0xcd29113fde32d168}},
        {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
         {0x452821e638d01377, 0xbe5466cf34e90c6c, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd},
         {0xa7e8fde591651bd9, 0xbaafd0c30138319b, 0x84a5c1a729e685b9, 0x901d406ccebc1ba4}},
    };
    for (size_t k = 0; k < 3; k++) {
        threefry4x64_ctr_t counter;
        threefry4x64_key_t key;
        for (size_t i = 0; i < 4; i++) {
            counter.v[i] = known[k].counter[i];
            key.v[i] = known[k].key[i];
        }
        threefry4x64_ctr_t got = threefry4x64(counter, key);
        for (size_t i = 0; i < 4; i++)
            ck_assert(got.v[i] == known[k].want[i]);
    }
    uint64_t zero[4];
    nnd_rng_words((nnd_rng_key){0, 0, 0}, 0, 0, 4, zero);
    ck_assert_mem_eq(zero, known[0].want, sizeof zero);
}
END_TEST

/* Key words: base seed, seed, size, stream; counter words: block, index, 0, 0. The answers are
 * those of another implementation of Threefry. */
START_TEST(every_word_of_key_and_counter_has_its_place) {
    static const uint64_t first[] = {0x80df0814c159623e, 0x71000dc775ae3110, 0xb26cfd98cdb42c8f,
                                     0xf00c59351fd323f0, 0x07f01db2943e64ec, 0x77a7c33730f71701,
                                     0xf6b031e47a850a0e, 0x2220997384b6407e};
    static const uint64_t wide[] = {0x2fd23e1bae9efd6f, 0x1e715d6f6f1473aa, 0xaf9d50fbf075df51,
                                    0x248b1226f9ff72fa};
    uint64_t word[8];
    nnd_rng_words((nnd_rng_key){1, 2, 3}, 4, 5, 8, word);
    ck_assert_mem_eq(word, first, sizeof first);
    nnd_rng_words((nnd_rng_key){0xfedcba9876543210, 0x0f1e2d3c4b5a6978, 0x8796a5b4c3d2e1f0},
                  0xdeadbeef, 0x123456789abcdef0, 4, word);
    ck_assert_mem_eq(word, wide, sizeof wide);
}
END_TEST

/* Words of 64 bits handed out as halves, the lower one first. */
typedef struct {
    uint64_t word[64];
    size_t used;
} halves;

static unsigned long next_half(void *state) {
    halves *h = state;
    ck_assert_uint_lt(h->used, 128);
    uint64_t word = h->word[h->used / 2] >> (h->used % 2 * 32);
    h->used++;
    return (unsigned long)(word & 0xffffffffU);
}

static double next_fraction(void *state) {
    return (double)next_half(state) / 4294967296.0;
}

static void no_seed(void *state, unsigned long seed) {
    (void)state;
    (void)seed;
}

START_TEST(normals_are_made_of_the_halves_of_the_words_in_order) {
    static const gsl_rng_type type = {"halves",  0xffffffffUL, 0, sizeof(halves), no_seed,
                                      next_half, next_fraction};
    halves state = {.used = 0};
    const gsl_rng rng = {&type, &state};
    double x[60];
    nnd_rng_words(KEY, 6, 7, 64, state.word);
    nnd_rng_normals(KEY, 6, 7, 60, x);
    for (size_t i = 0; i < 60; i++)
        ck_assert_double_eq(x[i], gsl_ran_gaussian_ziggurat(&rng, 1.0));
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
    tcase_add_test(tests, the_generator_gives_its_published_answers);
    tcase_add_test(tests, every_word_of_key_and_counter_has_its_place);
    tcase_add_test(tests, normals_are_made_of_the_halves_of_the_words_in_order);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
