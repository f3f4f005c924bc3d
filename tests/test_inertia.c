/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting and searching in block tridiagonal matrices against dense ones. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/inertia.h"
#include "nndmft/solvers/unknown.h"
#include "support.h"

enum { BLOCKS = 3, SIZE = 9 };
static const size_t ROWS[BLOCKS] = {2, 4, 3};
static const size_t FIRST[BLOCKS] = {0, 2, 6};

/* F(x) = x D - H with a diagonal D > 0: its roots are the eigenvalues of D^-1/2 H D^-1/2, as many
 * above x as F(x) has negative ones. */
static double entry(size_t i, size_t j) {
    size_t high = i > j ? i : j, low = i > j ? j : i;
    return sin(1.0 + 3.0 * (double)high + 7.0 * (double)low) + (high == low ? 1.0 : 0.0);
}

static double diagonal_of(size_t i) {
    return 1.0 + 0.25 * (double)(i % 3);
}

static void fill(void *data, double x, size_t b, double *diagonal, double *below) {
    (void)data;
    size_t n = ROWS[b], at = FIRST[b];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            diagonal[i * n + j] = (i == j ? x * diagonal_of(at + i) : 0.0) - entry(at + i, at + j);
    for (size_t i = 0; below != NULL && i < ROWS[b + 1]; i++)
        for (size_t j = 0; j < n; j++)
            below[i * n + j] = -entry(FIRST[b + 1] + i, at + j);
}

static double derivative(void *data, double x, const double *y) {
    (void)data;
    (void)x;
    double sum = 0.0;
    for (size_t i = 0; i < SIZE; i++)
        sum += diagonal_of(i) * y[i] * y[i];
    return sum;
}

static size_t block_of(size_t i) {
    return i < FIRST[1] ? 0 : i < FIRST[2] ? 1 : 2;
}

/* Roots, descending, and F(x) y. */
static void dense(double *root, const double *vector, double x, double *image) {
    double h[SIZE * SIZE], value[SIZE];
    memset(image, 0, SIZE * sizeof *image);
    for (size_t i = 0; i < SIZE; i++)
        for (size_t j = 0; j < SIZE; j++) {
            bool near = block_of(i) <= block_of(j) + 1 && block_of(j) <= block_of(i) + 1;
            double e = near ? entry(i, j) : 0.0;
            h[i * SIZE + j] = e / sqrt(diagonal_of(i) * diagonal_of(j));
            image[i] += ((i == j ? x * diagonal_of(i) : 0.0) - e) * vector[j];
        }
    ck_assert_int_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', SIZE, h, SIZE, value), 0);
    for (size_t i = 0; i < SIZE; i++)
        root[i] = value[SIZE - 1 - i];
}

static const nnd_inertia_problem PROBLEM = {BLOCKS, ROWS, fill, derivative, NULL};

START_TEST(negative_eigenvalues_are_counted) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_inertia *f;
    double root[SIZE], image[SIZE];
    const double zero[SIZE] = {0.0};
    ck_assert_int_eq(nnd_inertia_new(ctx, &PROBLEM, &f), NND_OK);
    ck_assert_uint_eq(nnd_inertia_size(f), SIZE);
    dense(root, zero, 0.0, image);
    for (int i = -40; i <= 60; i++) {
        double x = 0.1 * i + 0.01;
        size_t count, want = 0;
        for (size_t k = 0; k < SIZE; k++)
            want += root[k] > x;
        ck_assert_int_eq(nnd_inertia_count(f, x, &count), NND_OK);
        ck_assert_msg(count == want, "at %g: %zu, not %zu", x, count, want);
    }
    nnd_inertia_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(roots_and_their_null_vectors_are_found) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_inertia *f;
    double root[SIZE], image[SIZE], y[SIZE] = {0.0}, x;
    ck_assert_int_eq(nnd_inertia_new(ctx, &PROBLEM, &f), NND_OK);
    dense(root, y, 0.0, image);
    size_t positive = 0;
    while (root[positive] > 0.05)
        positive++;
    ck_assert_uint_ge(positive, 4);
    const nnd_inertia_bracket bracket = {0.05, 2.0 * root[0], positive, 0};
    for (size_t k = 0; k < positive; k++) {
        ck_assert_int_eq(nnd_inertia_root(f, k, &bracket, &x, y), NND_OK);
        test_close("root", x, root[k], 1e-11);
        double length = 0.0, residue = 0.0;
        dense(root, y, x, image);
        for (size_t i = 0; i < SIZE; i++) {
            length += y[i] * y[i];
            residue += image[i] * image[i];
        }
        test_close("length", length, 1.0, 1e-12);
        ck_assert_msg(residue < 1e-16, "residue %g", sqrt(residue));
    }
    const nnd_inertia_bracket at_root = {root[0] * (1.0 - 1e-13), 2.0 * root[0], 1, 0};
    ck_assert_int_eq(nnd_inertia_root(f, 0, &at_root, &x, y), NND_OK);
    ck_assert(isnan(x));
    nnd_inertia_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- what is unknown ---- */

enum { N = 5, M = 3, UNKNOWN = 2 };

/* (a + b N^T N)^-1 by dense algebra. */
static void dense_inverse(const double *rows, double a, double b, double *inverse) {
    double f[N * N] = {0.0};
    lapack_int pivot[N];
    memset(inverse, 0, N * N * sizeof *inverse);
    for (int i = 0; i < N; i++) {
        inverse[i * N + i] = 1.0;
        f[i * N + i] = a;
        for (int j = 0; j < N; j++)
            for (int k = 0; k < UNKNOWN; k++)
                f[i * N + j] += b * rows[k * N + i] * rows[k * N + j];
    }
    ck_assert_int_eq(LAPACKE_dgesv(LAPACK_ROW_MAJOR, N, N, f, N, pivot, inverse, N), 0);
}

/* Of orthonormal rows in the middle of a longer array. */
START_TEST(inverses_beside_what_is_unknown_equal_dense_ones) {
    enum { STRIDE = N + 2 };
    static const double rows[UNKNOWN * N] = {0.6, 0, 0.8, 0, 0, 0, 0.8, 0, 0, 0.6};
    double spaced[UNKNOWN * STRIDE];
    const double a = 1.7, b = -0.9, scale = 0.7;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_unknown_side side = {N, UNKNOWN, STRIDE, spaced, NULL};
    nnd_unknown_sandwich s;
    double x[M * N], inverse[N * N], sum[M * M] = {0.0}, half[M * N] = {0.0}, own[N * N] = {0.0};
    for (int i = 0; i < M * N; i++)
        x[i] = cos(2.0 * i);
    for (int i = 0; i < UNKNOWN * STRIDE; i++)
        spaced[i] = i % STRIDE < N ? rows[i / STRIDE * N + i % STRIDE] : NAN;
    ck_assert_int_eq(nnd_unknown_side_square(ctx, &side), NND_OK);
    ck_assert_int_eq(nnd_unknown_sandwich_make(ctx, &side, M, x, N, false, &s), NND_OK);
    dense_inverse(rows, a, b, inverse);
    nnd_unknown_sandwich_add(&s, scale, a, b, sum);
    nnd_unknown_sandwich_half(&s, scale, a, b, half);
    nnd_unknown_inverse_add(&side, scale, a, b, own);
    for (int i = 0; i < M; i++) {
        double solved[N], want[N] = {0.0};
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                want[j] += inverse[j * N + k] * x[i * N + k];
        nnd_unknown_solve(&side, a, b, x + i * N, solved);
        for (int j = 0; j < N; j++) {
            ck_assert(fabs(solved[j] - want[j]) < 1e-14);
            ck_assert(fabs(half[i * N + j] - scale * want[j]) < 1e-14);
        }
        for (int k = 0; k <= i; k++) {
            double product = 0.0;
            for (int j = 0; j < N; j++)
                product += want[j] * x[k * N + j];
            ck_assert(fabs(sum[i * M + k] - scale * product) < 1e-14);
        }
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            ck_assert(fabs(own[i * N + j] - scale * inverse[i * N + j]) < 1e-14);
    nnd_unknown_sandwich_clear(&s);
    nnd_unknown_side_clear(&side);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("inertia");
    TCase *tests = tcase_create("inertia");
    tcase_add_test(tests, negative_eigenvalues_are_counted);
    tcase_add_test(tests, roots_and_their_null_vectors_are_found);
    tcase_add_test(tests, inverses_beside_what_is_unknown_equal_dense_ones);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
