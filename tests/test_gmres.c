/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Krylov's method: exact after as many products as there are eigenvalues, honest where it fails. */
#include "solvers/gmres.h"

#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "with_context.h"

enum { N = 40 };

typedef struct {
    double complex a[N * N];
    size_t products;
} matrix;

static void times(const double complex *x, double complex *y, void *data) {
    matrix *m = data;
    m->products++;
    for (size_t i = 0; i < N; i++) {
        y[i] = 0.0;
        for (size_t j = 0; j < N; j++)
            y[i] += m->a[i * N + j] * x[j];
    }
}

static double complex normal(size_t i) {
    double x[2];
    nnd_rng_normals((nnd_rng_key){7, 0, 0}, 0, i, 2, x);
    return CMPLX(x[0], x[1]);
}

static void fill(matrix *m, double complex *b) {
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < N * N; i++)
        m->a[i] = normal(i) / (4.0 * sqrt(N)) + (i % (N + 1) == 0 ? 1.0 : 0.0);
    for (size_t i = 0; i < N; i++)
        b[i] = normal(N * N + i);
}

static double residual(matrix *m, const double complex *x, const double complex *b) {
    double complex y[N];
    double left = 0.0, size = 0.0;
    times(x, y, m);
    for (size_t i = 0; i < N; i++) {
        left = hypot(left, cabs(y[i] - b[i]));
        size = hypot(size, cabs(b[i]));
    }
    return left / size;
}

/* The spectrum fills a disc of radius 0.25 sqrt 2 around 1: each product gains about that factor.
 */
START_TEST(what_is_left_falls_as_the_spectrum_says) {
    matrix m;
    double complex b[N], x[N];
    nnd_krylov k;
    fill(&m, b);
    ck_assert_int_eq(nnd_krylov_make(ctx, N, N, &k), NND_OK);
    for (double tolerance = 1e-2; tolerance > 1e-13; tolerance *= 1e-2) {
        m.products = 0;
        double left = nnd_gmres(&k, N, times, &m, b, tolerance, x);
        double steps = (double)m.products;
        ck_assert(left <= tolerance);
        ck_assert_msg(steps <= 3.0 + log(tolerance) / log(0.25 * sqrt(2.0)), "%g: %g products",
                      tolerance, steps);
        ck_assert(residual(&m, x, b) <= tolerance + 1e-14);
    }
    nnd_krylov_clear(&k);
}
END_TEST

/* 1 + a product of rank r: r + 1 products. */
START_TEST(low_rank_takes_few_products) {
    enum { RANK = 5 };
    matrix m;
    double complex b[N], x[N];
    nnd_krylov k;
    fill(&m, b);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            m.a[i * N + j] = i == j ? 1.0 : 0.0;
            for (size_t r = 0; r < RANK; r++)
                m.a[i * N + j] += normal(r * N + i) * normal(2 * N * N + r * N + j) / N;
        }
    ck_assert_int_eq(nnd_krylov_make(ctx, N, N, &k), NND_OK);
    ck_assert(nnd_gmres(&k, N, times, &m, b, 1e-10, x) <= 1e-10);
    ck_assert_uint_le(m.products, RANK + 1);
    nnd_krylov_clear(&k);
}
END_TEST

/* A row of zeros where b is not: what is left is b there, and is said to be. */
START_TEST(singular_matrices_leave_something) {
    matrix m;
    double complex b[N], x[N];
    nnd_krylov k;
    fill(&m, b);
    memset(m.a, 0, N * sizeof *m.a);
    double size = 0.0;
    for (size_t i = 0; i < N; i++)
        size = hypot(size, cabs(b[i]));
    ck_assert_int_eq(nnd_krylov_make(ctx, N, N, &k), NND_OK);
    double left = nnd_gmres(&k, N, times, &m, b, 1e-12, x);
    ck_assert_msg(left >= (1.0 - 1e-12) * cabs(b[0]) / size, "%g of %g", left, cabs(b[0]) / size);
    nnd_krylov_clear(&k);
}
END_TEST

START_TEST(zero_is_the_answer_to_zero) {
    matrix m;
    double complex b[N], x[N];
    nnd_krylov k;
    fill(&m, b);
    memset(b, 0, sizeof b);
    ck_assert_int_eq(nnd_krylov_make(ctx, N, N, &k), NND_OK);
    ck_assert(nnd_gmres(&k, N, times, &m, b, 1e-12, x) == 0.0);
    for (size_t i = 0; i < N; i++)
        ck_assert(x[i] == 0.0);
    nnd_krylov_clear(&k);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gmres");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, what_is_left_falls_as_the_spectrum_says);
    tcase_add_test(all, low_rank_takes_few_products);
    tcase_add_test(all, singular_matrices_leave_something);
    tcase_add_test(all, zero_is_the_answer_to_zero);
    suite_add_tcase(suite, all);
    return test_main(suite);
}
