/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "nndmft/solvers/lanczos.h"
#include "support.h"

typedef struct {
    size_t n;
    double *a;
} dense;

static void apply(void *data, const double *x, double *y) {
    const dense *m = data;
    cblas_dsymv(CblasRowMajor, CblasLower, (int)m->n, 1.0, m->a, (int)m->n, x, 1, 0.0, y, 1);
}

/* X^T X / rows of a random X: its top lies at the edge of a continuum, the hard case. */
static dense wishart(size_t n, size_t rows) {
    dense m = {n, calloc(n * n, sizeof(double))};
    double *x = calloc(rows * n, sizeof *x);
    nnd_rng_normals((nnd_rng_key){1, 2, n}, 0, 0, rows * n, x);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)n, (int)rows,
                1.0 / (double)rows, x, (int)n, x, (int)n, 0.0, m.a, (int)n);
    free(x);
    return m;
}

static void check(size_t n, size_t count) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_lanczos *l;
    dense m = wishart(n, 2 * n);
    double *copy = calloc(n * n, sizeof *copy), *want = calloc(n, sizeof *want);
    double *start = calloc(n, sizeof *start), *value = calloc(count, sizeof *value);
    double *vector = calloc(count * n, sizeof *vector), *image = calloc(n, sizeof *image);
    cblas_dcopy((int)(n * n), m.a, 1, copy, 1);
    ck_assert_int_eq(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, copy, (lapack_int)n, want), 0);
    for (size_t i = 0; i < n; i++)
        start[i] = 1.0 + 0.01 * (double)i;
    size_t taken;
    ck_assert_int_eq(nnd_lanczos_new(ctx, n, n, &l), NND_OK);
    ck_assert_int_eq(nnd_lanczos_largest(l, apply, &m, start, count, 1e-7, value, vector, &taken),
                     NND_OK);
    ck_assert_uint_le(taken, n);
    for (size_t k = 0; k < count; k++) {
        if (k >= n) {
            ck_assert(isnan(value[k]));
            continue;
        }
        /* The error of a value is at most the residual, 1e-7, and mostly its square over a gap. */
        test_close("eigenvalue", value[k], want[n - 1 - k], 1e-9);
        apply(&m, vector + k * n, image);
        cblas_daxpy((int)n, -value[k], vector + k * n, 1, image, 1);
        ck_assert(cblas_dnrm2((int)n, image, 1) < 1e-6 * value[0]);
    }
    nnd_lanczos_free(l);
    free(m.a);
    free(copy);
    free(want);
    free(start);
    free(value);
    free(vector);
    free(image);
    nnd_context_free(ctx);
}

START_TEST(top_of_a_continuum_equals_the_full_decomposition) {
    check(200, 3);
}
END_TEST

START_TEST(small_operators_are_exhausted) {
    check(1, 2);
    check(2, 2);
    check(5, 5);
}
END_TEST

START_TEST(too_few_steps_are_said_to_be_too_few) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_lanczos *l;
    dense m = wishart(100, 200);
    double start[100], value[1];
    for (int i = 0; i < 100; i++)
        start[i] = 1.0;
    ck_assert_int_eq(nnd_lanczos_new(ctx, 100, 5, &l), NND_OK);
    ck_assert_int_eq(nnd_lanczos_largest(l, apply, &m, start, 1, 1e-8, value, NULL, NULL),
                     NND_NOT_CONVERGED);
    ck_assert(value[0] > 0.0);
    nnd_lanczos_free(l);
    free(m.a);
    nnd_context_free(ctx);
}
END_TEST

/* Eigenvalues given: 3 thrice, 2, 1 twice, and below 0 the more the further down; in the basis of a
 * reflection. */
static double apply_known_at(size_t i) {
    static const double top[] = {3.0, 3.0, 3.0, 2.0, 1.0, 1.0};
    return i < 6 ? top[i] : -0.2 * (double)(i - 5);
}

static void apply_known(void *data, const double *x, double *y) {
    size_t n = *(const size_t *)data;
    double along = 0.0, back = 0.0;
    for (size_t i = 0; i < n; i++)
        along += x[i] * 2.0 / (double)n;
    for (size_t i = 0; i < n; i++) {
        y[i] = apply_known_at(i) * (x[i] - along);
        back += y[i] * 2.0 / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        y[i] -= back;
}

/* Up to the last one, where what is found lies below all the rest, too. */
START_TEST(multiple_eigenvalues_count_as_often_as_they_are) {
    enum { N = 24 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_lanczos *l;
    size_t n = N, count = _i == 0 ? 8 : N;
    double start[N * N], value[N + 1], vector[(N + 1) * N], error;
    nnd_rng_normals((nnd_rng_key){5, 0, 0}, 0, 0, count * N, start);
    ck_assert_int_eq(nnd_lanczos_new(ctx, n, n, &l), NND_OK);
    ck_assert_int_eq(
        nnd_lanczos_leading(l, apply_known, &n, count, start, 1e-9, value, vector, &error), NND_OK);
    /* Residuals are at most the tolerance times 3.6 or 7.2 each. */
    ck_assert_double_le(error, 1e-9 * 7.2 * sqrt((double)count + 1.0));
    for (size_t k = 0; k < count; k++)
        test_close("eigenvalue", value[k], apply_known_at(k), 1e-9 * 7.2);
    test_close("smallest", value[count], apply_known_at(N - 1), 1e-9);
    nnd_lanczos_free(l);
    nnd_context_free(ctx);
}
END_TEST

/* The Wishart matrix less a multiple of the identity has both signs. */
static void apply_shifted(void *data, const double *x, double *y) {
    apply(data, x, y);
    cblas_daxpy((int)((dense *)data)->n, -2.0, x, 1, y, 1);
}

static void check_extremes(size_t n) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_lanczos *l;
    dense m = wishart(n, 2 * n);
    double *copy = calloc(n * n, sizeof *copy), *want = calloc(n, sizeof *want), value[2];
    double *start = calloc(n, sizeof *start), *vector = calloc(2 * n, sizeof *vector);
    double *image = calloc(n, sizeof *image);
    cblas_dcopy((int)(n * n), m.a, 1, copy, 1);
    ck_assert_int_eq(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, copy, (lapack_int)n, want), 0);
    for (size_t i = 0; i < n; i++)
        start[i] = 1.0 + 0.01 * (double)i;
    ck_assert_int_eq(nnd_lanczos_new(ctx, n, n, &l), NND_OK);
    ck_assert_int_eq(nnd_lanczos_extremes(l, apply_shifted, &m, start, 1e-7, value, vector, NULL),
                     NND_OK);
    test_close("largest", value[0], want[n - 1] - 2.0, 1e-9);
    test_close("smallest", value[1], want[0] - 2.0, 1e-9);
    for (size_t k = 0; k < 2; k++) {
        apply_shifted(&m, vector + k * n, image);
        cblas_daxpy((int)n, -value[k], vector + k * n, 1, image, 1);
        ck_assert(cblas_dnrm2((int)n, image, 1) < 1e-6 * fmax(fabs(value[0]), fabs(value[1])));
    }
    nnd_lanczos_free(l);
    free(m.a);
    free(copy);
    free(want);
    free(start);
    free(vector);
    free(image);
    nnd_context_free(ctx);
}

START_TEST(both_ends_of_an_indefinite_operator) {
    check_extremes(200);
    check_extremes(2);
    check_extremes(1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("lanczos");
    TCase *tests = tcase_create("lanczos");
    tcase_add_test(tests, top_of_a_continuum_equals_the_full_decomposition);
    tcase_add_test(tests, small_operators_are_exhausted);
    tcase_add_loop_test(tests, multiple_eigenvalues_count_as_often_as_they_are, 0, 2);
    tcase_add_test(tests, too_few_steps_are_said_to_be_too_few);
    tcase_add_test(tests, both_ends_of_an_indefinite_operator);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
