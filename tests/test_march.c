/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The march engine by itself, on iterations that have nothing to do with neural networks. */
#include <math.h>
#include <stdlib.h>

#include "full/march.h"
#include "full/triangular.h"
#include "support.h"

START_TEST(triangular_products_equal_plain_loops) {
    enum { N = 77, LDA = 90 };
    double *a = calloc(N * LDA, sizeof *a), x[N], y[N], want[N];
    for (int i = 0; i < N; i++) {
        x[i] = sin(i + 1.0);
        for (int j = 0; j <= i; j++)
            a[i * LDA + j] = cos(i * 1.7 + j * j);
    }
    nnd_lower_times(N, a, LDA, x, y);
    for (int i = 0; i < N; i++) {
        want[i] = 0.0;
        for (int j = 0; j <= i; j++)
            want[i] += a[i * LDA + j] * x[j];
        ck_assert(fabs(y[i] - want[i]) < 1e-12);
    }
    for (int i = 0; i < N; i++)
        y[i] = 0.5;
    nnd_add_lower_transposed_times(N, a, LDA, x, y);
    for (int j = 0; j < N; j++) {
        want[j] = 0.5;
        for (int i = j; i < N; i++)
            want[j] += a[i * LDA + j] * x[i];
        ck_assert(fabs(y[j] - want[j]) < 1e-12);
    }
    nnd_symmetric_times(N, a, LDA, x, y);
    for (int i = 0; i < N; i++) {
        want[i] = 0.0;
        for (int j = 0; j < N; j++)
            want[i] += (j <= i ? a[i * LDA + j] : a[j * LDA + i]) * x[j];
        ck_assert(fabs(y[i] - want[i]) < 1e-12);
    }
    free(a);
}
END_TEST

/* Power iteration f_{q+1} = A^T A f_q from a fixed vector: |f_q|^2 is the moment of order 2q of the
 * Marchenko-Pastur law. For aspect 1, sigma = 1 these are Catalan numbers. */
START_TEST(power_iteration_gives_marchenko_pastur_moments) {
    enum { QUERIES = 8 };
    static const double catalan[] = {1,    1,    2,     5,     14,     42,     132,     429,
                                     1430, 4862, 16796, 58786, 208012, 742900, 2674440, 9694845};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_march *m;
    nnd_space in, out;
    nnd_field f, g, back;
    nnd_primitive start;
    nnd_matrix a;
    ck_assert_int_eq(nnd_march_new(ctx, QUERIES, &m), NND_OK);
    ck_assert_int_eq(nnd_march_add_space(m, &in), NND_OK);
    ck_assert_int_eq(nnd_march_add_space(m, &out), NND_OK);
    ck_assert_int_eq(nnd_march_add_field(m, in, &f), NND_OK);
    ck_assert_int_eq(nnd_march_add_field(m, in, &back), NND_OK);
    ck_assert_int_eq(nnd_march_add_field(m, out, &g), NND_OK);
    ck_assert_int_eq(nnd_march_add_vector(m, in, 1.0, &start), NND_OK);
    ck_assert_int_eq(nnd_march_add_matrix(m, 1.0, 1.0, f, g, &a), NND_OK);
    ck_assert_int_eq(nnd_march_ready(m), NND_OK);
    double row[QUERIES];
    for (size_t q = 0; q < QUERIES; q++) {
        nnd_march_begin(m, f);
        if (q == 0)
            nnd_march_add_vector_part(m, f, start, 1.0);
        else
            nnd_march_add_row(m, f, back, q - 1, 1.0);
        nnd_march_finish(m, f);
        nnd_march_begin(m, g);
        nnd_march_add_image(m, g, a, NND_FORWARD, q, 1.0);
        nnd_march_add_rows(m, g, g, nnd_march_response(m, a, NND_FORWARD, q, row), row);
        nnd_march_finish(m, g);
        nnd_march_begin(m, back);
        nnd_march_add_image(m, back, a, NND_BACKWARD, q, 1.0);
        nnd_march_add_rows(m, back, f, nnd_march_response(m, a, NND_BACKWARD, q, row), row);
        nnd_march_finish(m, back);
        nnd_march_advance(m);
    }
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t p = 0; p <= q; p++) {
            test_close("f_q . f_p", nnd_march_overlap(m, f, q, p), catalan[q + p], 1e-12);
            test_close("g_q . g_p", nnd_march_overlap(m, g, q, p), catalan[q + p + 1], 1e-12);
            test_close("f_q . back_p", nnd_march_cross(m, f, q, back, p), catalan[q + p + 1],
                       1e-12);
        }
    nnd_march_free(m);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(noise_is_new_at_every_query) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_march *m;
    nnd_space space;
    nnd_field f;
    nnd_primitive noise, fixed;
    ck_assert_int_eq(nnd_march_new(ctx, 3, &m), NND_OK);
    ck_assert_int_eq(nnd_march_add_space(m, &space), NND_OK);
    ck_assert_int_eq(nnd_march_add_field(m, space, &f), NND_OK);
    ck_assert_int_eq(nnd_march_add_vector(m, space, 4.0, &fixed), NND_OK);
    ck_assert_int_eq(nnd_march_add_noise(m, space, &noise), NND_OK);
    ck_assert_int_eq(nnd_march_ready(m), NND_OK);
    for (int q = 0; q < 3; q++) {
        nnd_march_begin(m, f);
        nnd_march_add_vector_part(m, f, fixed, 0.5);
        nnd_march_add_noise_part(m, f, noise, q + 1.0);
        nnd_march_finish(m, f);
        nnd_march_advance(m);
    }
    for (size_t q = 0; q < 3; q++)
        for (size_t p = 0; p <= q; p++)
            test_close("f . f", nnd_march_overlap(m, f, q, p),
                       1.0 + (q == p ? (double)q + 1.0 : 0.0), 1e-15);
    test_close("f . fixed", nnd_march_dot_vector(m, f, 2, fixed), 2.0, 1e-15);
    nnd_march_free(m);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(march_beyond_the_memory_limit_is_refused) {
    nnd_context_options options = {.memory_limit = 1000000};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_march *m;
    nnd_space space;
    nnd_field f;
    ck_assert_int_eq(nnd_march_new(ctx, 100000, &m), NND_OK);
    ck_assert_int_eq(nnd_march_add_space(m, &space), NND_OK);
    ck_assert_int_eq(nnd_march_add_field(m, space, &f), NND_OK);
    ck_assert_int_eq(nnd_march_ready(m), NND_E_LIMIT);
    nnd_march_free(m);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("march");
    TCase *tests = tcase_create("march");
    tcase_add_test(tests, triangular_products_equal_plain_loops);
    tcase_add_test(tests, power_iteration_gives_marchenko_pastur_moments);
    tcase_add_test(tests, noise_is_new_at_every_query);
    tcase_add_test(tests, march_beyond_the_memory_limit_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
