/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pencils of networks and of other polynomials against matrices of two sizes, extrapolated in 1/N:
 * what remains is the scatter, of which 5 standard errors are allowed. */
#include <cblas.h>
#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/solvers/dyson_program.h"
#include "solvers/cmplx.h"
#include "support.h"
#include "theory/many_outputs_program.h"
#include "with_context.h"

#define OK(call) ck_assert_msg((call) == NND_OK, "%s", nnd_context_message(ctx))

enum { SAMPLES = 24, SMALL = 60 };

/* Re m, Im m, risk. */
enum { RE, IM, RISK, QUANTITIES };

/* A rows x cols matrix of variance v/n, or of zeros. */
static double *matrix(size_t rows, size_t cols, double variance, uint64_t sample, uint32_t which,
                      size_t n) {
    double *a = calloc(rows * cols, sizeof *a);
    nnd_rng_normals((nnd_rng_key){11, sample, n}, 0, which, rows * cols, a);
    cblas_dscal((int)(rows * cols), sqrt(variance / (double)n), a, 1);
    return a;
}

/* c += factor a^(T) b^(T), row-major; rows x cols. */
static void add_product(size_t rows, size_t inner, size_t cols, double factor, bool ta,
                        const double *a, bool tb, const double *b, double *c) {
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (int)rows, (int)cols, (int)inner, factor, a, (int)(ta ? rows : inner), b,
                (int)(tb ? inner : cols), 1.0, c, (int)cols);
}

/* m(z) of a rows x cols matrix. */
static double complex transform(size_t rows, size_t cols, const double *w, double complex z) {
    double *m = calloc(cols * cols, sizeof *m), *eigenvalue = calloc(cols, sizeof *eigenvalue);
    add_product(cols, rows, cols, 1.0, true, w, false, w, m);
    ck_assert_int_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)cols, m,
                                   (lapack_int)cols, eigenvalue),
                     0);
    double complex sum = 0.0;
    for (size_t i = 0; i < cols; i++)
        sum += 1.0 / (eigenvalue[i] - z);
    free(m);
    free(eigenvalue);
    return sum / (double)cols;
}

/* ---- networks ---- */

/* E = gamma W_* - A W. */
static double *error_of(const nnd_outputs_program *q, size_t n, size_t c, size_t d,
                        const double *target, const double *a, const double *w) {
    double *e = calloc(c * d, sizeof *e);
    cblas_daxpy((int)(c * d), q->gamma, target, 1, e, 1);
    add_product(c, n, d, -1.0, false, a, false, w, e);
    return e;
}

static double *target_of(const nnd_outputs_program *q, size_t n, size_t c, size_t d,
                         uint64_t sample) {
    double *target = matrix(c, d, q->tau2 / q->d, sample, 2, n);
    size_t at = 0;
    for (size_t k = 0; k < q->atoms; k++)
        for (size_t i = 0; i < (size_t)lround(q->weight[k] * (double)n); i++, at++)
            target[at * d + at] += q->s[k];
    return target;
}

static void train(const nnd_outputs_program *q, size_t n, uint64_t sample, double complex z,
                  double *x) {
    size_t c = (size_t)lround(q->c * (double)n), d = (size_t)lround(q->d * (double)n);
    double *w = matrix(n, d, q->sigma2, sample, 0, n), *a = matrix(c, n, q->readout2, sample, 1, n);
    double *target = target_of(q, n, c, d, sample);
    for (size_t t = 0; t < q->steps; t++) {
        double *e = error_of(q, n, c, d, target, a, w), *before = calloc(c * n, sizeof *before);
        memcpy(before, a, c * n * sizeof *before);
        add_product(c, d, n, q->readout_rate, false, e, true, w, a);
        add_product(n, c, d, q->rate, true, before, false, e, w);
        free(e);
        free(before);
    }
    double *e = error_of(q, n, c, d, target, a, w), norm = cblas_dnrm2((int)(c * d), e, 1);
    double complex m = transform(n, d, w, z);
    x[RE] = creal(m);
    x[IM] = cimag(m);
    x[RISK] = norm * norm / (q->gamma * q->gamma * (double)c);
    free(e);
    free(w);
    free(a);
    free(target);
}

typedef void (*draw)(const void *what, size_t n, uint64_t sample, double complex z, double *x);

static void draw_network(const void *what, size_t n, uint64_t sample, double complex z, double *x) {
    train(what, n, sample, z, x);
}

/* 2 <x at 2N> - <x at N> is `want` but for 5 standard errors. */
static void agree(draw sample, const void *what, double complex z, size_t quantities,
                  const double *want) {
    double mean[2][QUANTITIES] = {{0}}, square[2][QUANTITIES] = {{0}};
    for (size_t size = 0; size < 2; size++)
        for (uint64_t k = 0; k < SAMPLES; k++) {
            double x[QUANTITIES] = {0};
            sample(what, (size_t)SMALL << size, k, z, x);
            for (size_t i = 0; i < quantities; i++) {
                mean[size][i] += x[i] / SAMPLES;
                square[size][i] += x[i] * x[i] / SAMPLES;
            }
        }
    for (size_t i = 0; i < quantities; i++) {
        double variance = 0.0, got = 2.0 * mean[1][i] - mean[0][i];
        for (size_t size = 0; size < 2; size++)
            variance += (size == 1 ? 4.0 : 1.0) *
                        (square[size][i] - mean[size][i] * mean[size][i]) / (SAMPLES - 1);
        ck_assert_msg(fabs(got - want[i]) <= 5.0 * sqrt(variance) && sqrt(variance) < 0.02,
                      "quantity %zu: theory %.6g, matrices %.6g with standard error %.2g", i,
                      want[i], got, sqrt(variance));
    }
}

static void network_agrees(const nnd_outputs_program *q) {
    const double complex z = CMPLX(1.0, 0.7);
    nnd_dyson *w = nnd_outputs_program_weights(q), *e = nnd_outputs_program_residual(q);
    double complex m;
    double moment, error;
    OK(nnd_dyson_stieltjes(ctx, w, 1, &z, &m, NULL));
    OK(nnd_dyson_moment(ctx, e, 1, &moment, &error));
    const double want[] = {creal(m), cimag(m), moment * q->d / (q->c * q->gamma * q->gamma)};
    agree(draw_network, q, z, QUANTITIES, want);
    nnd_dyson_free(w);
    nnd_dyson_free(e);
}

START_TEST(both_layers_after_two_steps) {
    nnd_outputs_program q = {.c = 0.5,
                             .d = 0.8,
                             .sigma2 = 0.8,
                             .readout2 = 1.2,
                             .tau2 = 1.0,
                             .gamma = 1.5,
                             .rate = 0.2,
                             .readout_rate = 0.3,
                             .steps = 2};
    network_agrees(&q);
}
END_TEST

START_TEST(both_layers_and_a_target_of_two_values) {
    const double s[] = {1.0, 2.0}, weight[] = {0.25, 0.15};
    nnd_outputs_program q = {.c = 0.5,
                             .d = 0.8,
                             .sigma2 = 1.0,
                             .readout2 = 1.0,
                             .tau2 = 0.2,
                             .gamma = 1.2,
                             .rate = 0.2,
                             .readout_rate = 0.1,
                             .steps = 2,
                             .structured = true,
                             .atoms = 2,
                             .s = s,
                             .weight = weight};
    network_agrees(&q);
    q.readout_rate = 0.0;
    q.steps = 4;
    network_agrees(&q);
}
END_TEST

/* ---- other polynomials and inverses ---- */

/* W = A (1 + B)^-1 C + 0.5 D, B square without symmetry, all of them with entries of their own. */
static void draw_rational(const void *what, size_t n, uint64_t sample, double complex z,
                          double *x) {
    (void)what;
    size_t d = n / 2;
    double *a = matrix(n, n, 1.0, sample, 0, n), *b = matrix(n, n, 0.1, sample, 1, n);
    double *c = matrix(n, d, 1.0, sample, 2, n), *w = matrix(n, d, 0.25, sample, 3, n);
    lapack_int *pivot = calloc(n, sizeof *pivot);
    for (size_t i = 0; i < n; i++)
        b[i * (n + 1)] += 1.0;
    ck_assert_int_eq(LAPACKE_dgesv(LAPACK_ROW_MAJOR, (lapack_int)n, (lapack_int)d, b, (lapack_int)n,
                                   pivot, c, (lapack_int)d),
                     0);
    add_product(n, n, d, 1.0, false, a, false, c, w);
    double complex m = transform(n, d, w, z);
    x[RE] = creal(m);
    x[IM] = cimag(m);
    free(a);
    free(b);
    free(c);
    free(w);
    free(pivot);
}

START_TEST(rational_function_of_matrices) {
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), inputs = nnd_dyson_space(p, 0.5);
    size_t a = nnd_dyson_random(p, n, n, 1.0), b = nnd_dyson_random(p, n, n, 0.1);
    size_t c = nnd_dyson_random(p, n, inputs, 1.0), e = nnd_dyson_random(p, n, inputs, 0.25);
    size_t v = nnd_dyson_input(p, inputs), h = nnd_dyson_unknown(p, n);
    nnd_dyson_add(p, h, 1.0, c, v); /* C v - h - B h = 0 */
    nnd_dyson_add(p, h, -1.0, NND_DYSON_IDENTITY, h);
    nnd_dyson_add(p, h, -1.0, b, h);
    size_t u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, u, 1.0, a, h);
    nnd_dyson_add(p, u, 1.0, e, v);
    const double complex z = CMPLX(1.0, 0.7);
    double complex m;
    OK(nnd_dyson_stieltjes(ctx, p, 1, &z, &m, NULL));
    const double want[] = {creal(m), cimag(m)};
    agree(draw_rational, NULL, z, 2, want);
    nnd_dyson_free(p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("outputs_matrices");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, both_layers_after_two_steps);
    tcase_add_test(all, both_layers_and_a_target_of_two_values);
    tcase_add_test(all, rational_function_of_matrices);
    suite_add_tcase(suite, all);
    return test_main(suite);
}
