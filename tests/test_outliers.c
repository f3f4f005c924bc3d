/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outlier engine by itself: dressed systems against dense algebra, spikes against the matrices
 * they stand for, counting and searching in a case that is known in closed form. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "full/dressed.h"
#include "full/spike_system.h"
#include "full/spikes.h"
#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/outliers.h"
#include "nndmft/solvers/pencil.h"
#include "support.h"

enum { FIELDS = 3, ROWS = 37, RANK = 4, COLUMNS = 5, SIZE = FIELDS * ROWS };

static double wave(size_t i) {
    return sin(1.0 + 1.3 * (double)i) * cos(0.7 * (double)i * (double)i);
}

/* A system with four responses and two spaces (fields 0 and 2 share one), and the same, dense. */
typedef struct {
    nnd_dressed *d;
    double r[4][ROWS * ROWS], coords[FIELDS][ROWS * RANK];
    double t[4], g[4];
    double lower[SIZE * SIZE], gram[SIZE * SIZE];
} fixture;

static const size_t RESPONSE[4][2] = {{0, 1}, {1, 0}, {2, 1}, {0, 2}};

static fixture *make(nnd_context *ctx) {
    fixture *f = calloc(1, sizeof *f);
    ck_assert_int_eq(nnd_dressed_new(ctx, FIELDS, ROWS, &f->d), NND_OK);
    for (size_t i = 0; i < SIZE; i++)
        f->lower[i * SIZE + i] = 1.0;
    for (size_t c = 0; c < 4; c++) {
        size_t of = RESPONSE[c][0], to = RESPONSE[c][1];
        f->t[c] = 0.2 + 0.1 * (double)c;
        for (size_t p = 0; p < ROWS; p++)
            for (size_t q = 0; q < ROWS; q++) {
                f->r[c][p * ROWS + q] = 0.3 * wave(c * 5000 + p * ROWS + q);
                if (q < p || (q == p && to < of))
                    f->lower[(of * ROWS + p) * SIZE + to * ROWS + q] -=
                        f->t[c] * f->r[c][p * ROWS + q];
            }
        ck_assert_int_eq(nnd_dressed_add_response(f->d, of, to, f->r[c], ROWS), NND_OK);
    }
    const double g[4] = {0.9, -0.4, 0.7, 1.1}; /* aa, ab, bb of the pair; the single one */
    for (size_t i = 0; i < FIELDS * ROWS * RANK; i++)
        f->coords[i / (ROWS * RANK)][i % (ROWS * RANK)] = wave(90000 + i);
    ck_assert_int_eq(nnd_dressed_add_space(f->d, 0, f->coords[0], 2, f->coords[2], RANK), NND_OK);
    ck_assert_int_eq(nnd_dressed_add_space(f->d, 1, f->coords[1], 1, NULL, RANK), NND_OK);
    ck_assert_int_eq(nnd_dressed_ready(f->d, COLUMNS), NND_OK);
    for (size_t i = 0; i < 4; i++)
        f->g[i] = g[i];
    for (size_t i = 0; i < SIZE; i++)
        for (size_t j = 0; j < SIZE; j++) {
            size_t a = i / ROWS, b = j / ROWS;
            double weight = a == 1 || b == 1 ? (a == b ? g[3] : 0.0)
                            : a == b         ? g[a == 0 ? 0 : 2]
                                             : g[1];
            f->gram[i * SIZE + j] = weight * cblas_ddot(RANK, f->coords[a] + i % ROWS * RANK, 1,
                                                        f->coords[b] + j % ROWS * RANK, 1);
        }
    return f;
}

static double largest_difference(size_t n, const double *a, const double *b) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

START_TEST(dressed_system_equals_dense_algebra) {
    nnd_context *ctx = nnd_context_new(NULL);
    fixture *f = make(ctx);
    double b[SIZE * COLUMNS], s[SIZE * COLUMNS], y[SIZE * COLUMNS], want[SIZE * COLUMNS];
    double k[COLUMNS * COLUMNS], dense_k[COLUMNS * COLUMNS];
    const double rounding = 1e-10;
    for (size_t i = 0; i < SIZE * COLUMNS; i++)
        b[i] = s[i] = y[i] = wave(777 + i);
    nnd_dressed_solve_transposed(f->d, f->t, COLUMNS, s);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, SIZE, COLUMNS, SIZE, 1.0, f->lower, SIZE,
                s, COLUMNS, 0.0, want, COLUMNS);
    ck_assert(largest_difference(SIZE * COLUMNS, want, b) < rounding);
    nnd_dressed_solve(f->d, f->t, COLUMNS, y);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, COLUMNS, SIZE, 1.0, f->lower, SIZE,
                y, COLUMNS, 0.0, want, COLUMNS);
    ck_assert(largest_difference(SIZE * COLUMNS, want, b) < rounding);
    nnd_dressed_gram_times(f->d, f->g, COLUMNS, b, y);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, COLUMNS, SIZE, 1.0, f->gram, SIZE,
                b, COLUMNS, 0.0, want, COLUMNS);
    ck_assert(largest_difference(SIZE * COLUMNS, want, y) < rounding);
    nnd_dressed_compress(f->d, f->g, COLUMNS, b, k);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, COLUMNS, COLUMNS, SIZE, 1.0, b, COLUMNS, y,
                COLUMNS, 0.0, dense_k, COLUMNS);
    ck_assert(largest_difference(COLUMNS * COLUMNS, k, dense_k) < rounding);
    nnd_dressed_free(f->d);
    free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(factors_reproduce_gram_matrices_of_different_scales) {
    enum { N = 30, DIM = 6 };
    nnd_context *ctx = nnd_context_new(NULL);
    double a[N * DIM], b[N * DIM], aa[N * N], bb[N * N], ab[N * N], got[N * N];
    for (int i = 0; i < N * DIM; i++) {
        a[i] = 1e4 * wave((size_t)i);
        b[i] = 1e-4 * wave(4000 + (size_t)i);
    }
    const struct {
        const double *x, *y;
        double *out;
    } products[] = {{a, a, aa}, {b, b, bb}, {a, b, ab}};
    for (int i = 0; i < 3; i++)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, DIM, 1.0, products[i].x, DIM,
                    products[i].y, DIM, 0.0, products[i].out, N);
    nnd_factor fa, fb;
    ck_assert_int_eq(nnd_factor_gram(ctx, N, aa, bb, N, ab, &fa, &fb), NND_OK);
    ck_assert_uint_le(fa.rank, 2 * DIM);
    const nnd_factor *const pairs[][2] = {{&fa, &fa}, {&fb, &fb}, {&fa, &fb}};
    const double scale[] = {1e8, 1e-8, 1.0};
    for (int i = 0; i < 3; i++) {
        int rank = (int)fa.rank;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, rank, 1.0, pairs[i][0]->coords,
                    rank, pairs[i][1]->coords, rank, 0.0, got, N);
        ck_assert(largest_difference(N * N, got, products[i].out) < 1e-12 * scale[i] * DIM);
    }
    free(fa.coords);
    free(fb.coords);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(spikes_reproduce_the_sum_they_stand_for) {
    enum { N = 25, DIM = 4 };
    nnd_context *ctx = nnd_context_new(NULL);
    double g[N * DIM], h[N * DIM], weight[N], want[DIM * DIM] = {0}, got[DIM * DIM] = {0};
    for (size_t i = 0; i < N * DIM; i++) {
        g[i] = wave(i);
        h[i] = wave(900 + i);
    }
    for (size_t p = 0; p < N; p++)
        weight[p] = wave(5000 + p);
    const nnd_factor fg = {DIM, g}, fh = {DIM, h};
    nnd_spikes s;
    ck_assert_int_eq(nnd_spikes_make(ctx, N, &fg, &fh, weight, &s), NND_OK);
    ck_assert_uint_eq(s.rank, DIM);
    for (size_t p = 0; p < N; p++)
        cblas_dger(CblasRowMajor, DIM, DIM, weight[p], g + p * DIM, 1, h + p * DIM, 1, want, DIM);
    for (size_t k = 0; k < s.rank; k++) {
        double left[DIM] = {0}, right[DIM] = {0};
        for (size_t p = 0; p < N; p++) {
            cblas_daxpy(DIM, s.left[p * s.rank + k], g + p * DIM, 1, left, 1);
            cblas_daxpy(DIM, s.right[p * s.rank + k], h + p * DIM, 1, right, 1);
        }
        test_close("left", cblas_dnrm2(DIM, left, 1), 1.0, 1e-12);
        test_close("right", cblas_dnrm2(DIM, right, 1), 1.0, 1e-12);
        cblas_dger(CblasRowMajor, DIM, DIM, s.sigma[k], left, 1, right, 1, got, DIM);
    }
    ck_assert(largest_difference(DIM * DIM, want, got) < 1e-12);
    nnd_spikes_clear(&s);
    nnd_context_free(ctx);
}
END_TEST

/* Two independent spikes theta_1 > theta_2 on a square matrix of unit variance: each one above 1
 * gives an outlier at theta + 1/theta (Baik, Ben Arous, Peche), the others none. */
static void unit_bulk(const void *data, double z, double *t, double *g) {
    (void)data;
    (void)t;
    nnd_bulk_resolvent m = nnd_bulk_resolvent_at(1.0, 1.0, z);
    g[0] = m.m_out;
    g[1] = m.m_in;
}

START_TEST(independent_spikes_give_the_known_outliers) {
    static const double theta[][2] = {{3.0, 1.5}, {1.2, 0.9}, {0.8, 0.5}, {2.0, 2.0}};
    nnd_context *ctx = nnd_context_new(NULL);
    double identity[4] = {1, 0, 0, 1};
    const nnd_factor unit = {2, identity};
    nnd_dressed *d;
    nnd_spikes spikes;
    nnd_spike_system system;
    ck_assert_int_eq(nnd_dressed_new(ctx, 2, 2, &d), NND_OK);
    ck_assert_int_eq(nnd_dressed_add_space(d, 0, identity, 0, NULL, 2), NND_OK);
    ck_assert_int_eq(nnd_dressed_add_space(d, 1, identity, 1, NULL, 2), NND_OK);
    ck_assert_int_eq(nnd_spikes_make(ctx, 2, &unit, &unit, theta[_i], &spikes), NND_OK);
    const nnd_spike_place place = {&spikes, 0, 1};
    ck_assert_int_eq(nnd_spike_system_make(ctx, d, 0, 2, 2, 1, &place, unit_bulk, NULL, &system),
                     NND_OK);
    nnd_outlier_problem problem = nnd_spike_system_problem(&system);
    size_t count, want = (size_t)(theta[_i][0] > 1.0) + (size_t)(theta[_i][1] > 1.0);
    ck_assert_int_eq(nnd_outlier_count(ctx, &problem, 2.0 * (1.0 + 1e-9), &count), NND_OK);
    ck_assert_uint_eq(count, want);
    for (size_t j = 0; j < count; j++) {
        double z;
        ck_assert_int_eq(nnd_outlier_find(ctx, &problem, j, 2.0 * (1.0 + 1e-9), 9.0, &z, NULL),
                         NND_OK);
        test_close("outlier", z, theta[_i][j] + 1.0 / theta[_i][j], 1e-11);
    }
    double indicator[5];
    ck_assert_int_eq(nnd_spike_system_indicators(&system, 2.0, 5, indicator), NND_OK);
    for (size_t j = 0; j < 2; j++)
        test_close("indicator", indicator[j], theta[_i][j], 1e-7);
    ck_assert_double_eq(indicator[4], 0.0);
    nnd_spikes_clear(&spikes);
    nnd_spike_system_clear(&system);
    nnd_context_free(ctx);
}
END_TEST

/* L = 1, k_0 = 0: Z A^T A Z^T / ... reduces to k_1 A^T A for 1/alpha = 0, of edge k_1 s (1 + sqrt
 * aspect)^2; and with A dropped (k_1 -> 0) to k_0 times Marchenko-Pastur. */
START_TEST(pencil_edges_are_those_of_marchenko_pastur) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s = 0.7, aspect = 2.5, k[2] = {1e-12, 1.3};
    nnd_pencil pencil = {1, &s, &aspect, k, 0.0};
    double x, lambda;
    ck_assert_int_eq(nnd_pencil_edge(ctx, &pencil, &x, &lambda), NND_OK);
    test_close("A^T A", lambda, 1.3 * 0.7 * pow(1.0 + sqrt(2.5), 2), 1e-9);
    const double only[2] = {2.0, 1e-10};
    nnd_pencil data = {1, &s, &aspect, only, 0.5};
    ck_assert_int_eq(nnd_pencil_edge(ctx, &data, &x, &lambda), NND_OK);
    test_close("Z Z^T", lambda, 2.0 * pow(1.0 + sqrt(0.5), 2), 1e-6);
    nnd_context_free(ctx);
}
END_TEST

/* lambda = k_0 (1 + sqrt(1/alpha))^2 whatever is left of A_0: what 1 - d e_0 loses in rounding. */
START_TEST(a_matrix_that_has_decayed_leaves_the_data_edge) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double aspect[2] = {1.5, 1.0}, k[3] = {2.0, 1e-3, 1.0};
    for (double left = 1.0; left > 1e-100; left *= 1e-20) {
        const double s[2] = {left, 0.5};
        nnd_pencil data = {2, s, aspect, k, 0.25};
        double x, lambda;
        ck_assert_int_eq(nnd_pencil_edge(ctx, &data, &x, &lambda), NND_OK);
        if (left < 0.5)
            test_close("Z Z^T", lambda, 2.0 * pow(1.0 + 0.5, 2), 1e-12);
    }
    nnd_context_free(ctx);
}
END_TEST

/* At the edge the root vanishes: m_out = 1/sqrt(aspect) in units of s. */
START_TEST(bulk_resolvents_are_exact_at_the_edge_and_for_any_variance) {
    for (double aspect = 0.25; aspect < 5.0; aspect *= 2.0) {
        double edge = nnd_bulk_upper_edge(1.0, aspect);
        test_close("edge", nnd_bulk_resolvent_at(1.0, aspect, edge).m_out, 1.0 / sqrt(aspect),
                   1e-15);
        nnd_bulk_resolvent unit = nnd_bulk_resolvent_at(1.0, aspect, 3.0 * edge);
        for (double s = 1e-240; s < 1e250; s *= 1e80) {
            nnd_bulk_resolvent at = nnd_bulk_resolvent_at(s, aspect, 3.0 * edge * sqrt(s));
            test_close("m_out", at.m_out * sqrt(s), unit.m_out, 1e-14);
            test_close("m_in", at.m_in * sqrt(s), unit.m_in, 1e-14);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("outliers");
    TCase *tests = tcase_create("outliers");
    tcase_add_test(tests, dressed_system_equals_dense_algebra);
    tcase_add_test(tests, factors_reproduce_gram_matrices_of_different_scales);
    tcase_add_test(tests, spikes_reproduce_the_sum_they_stand_for);
    tcase_add_loop_test(tests, independent_spikes_give_the_known_outliers, 0, 4);
    tcase_add_test(tests, a_matrix_that_has_decayed_leaves_the_data_edge);
    tcase_add_test(tests, bulk_resolvents_are_exact_at_the_edge_and_for_any_variance);
    tcase_add_test(tests, pencil_edges_are_those_of_marchenko_pastur);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
