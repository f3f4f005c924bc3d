/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "flat_cases.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/flatness.h"
#include "nndmft/solvers/quadratic.h"

static nnd_chain chain_of(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                          const size_t *width, const double *readout) {
    nnd_chain chain;
    if (nnd_chain_make(ctx, q, depth, width, readout, &chain) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return chain;
}

/* W_k[i][j] = scale cos(1 + k + 2i + 3j), the weights of flat-minima.md#s8. */
static void set_cosines(nnd_chain *chain, double scale) {
    for (size_t k = 0; k < chain->depth; k++)
        for (size_t i = 0; i < chain->width[k + 1]; i++)
            for (size_t j = 0; j < chain->width[k]; j++)
                chain->matrix[k][i * chain->width[k] + j] =
                    scale * cos(1.0 + (double)k + 2.0 * (double)i + 3.0 * (double)j);
    nnd_chain_evaluate(chain);
}

static void set_random(nnd_chain *chain, uint64_t seed, double scale) {
    nnd_rng_normals((nnd_rng_key){seed, 0, 0}, 0, 0, chain->count, chain->weights);
    cblas_dscal((int)chain->count, scale, chain->weights, 1);
    nnd_chain_evaluate(chain);
}

static void descend(nnd_chain *chain, double rate, size_t steps) {
    double *gradient = calloc(chain->count, sizeof *gradient);
    for (size_t t = 0; t < steps; t++) {
        chain_gradient(chain, gradient);
        cblas_daxpy((int)chain->count, -rate, gradient, 1, chain->weights, 1);
        nnd_chain_evaluate(chain);
    }
    free(gradient);
}

START_TEST(hessian_of_the_reference_weights) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const size_t two[] = {3, 3, 1}, three[] = {3, 3, 3, 1};
    nnd_chain chain = chain_of(ctx, &q, 2, two, NULL);
    double value[2];
    set_cosines(&chain, .7);
    test_close("w_1", chain.alpha[0][0], -.26800128, 2e-8);
    test_close("w_2", chain.alpha[0][1], .27711753, 2e-8);
    test_close("w_3", chain.alpha[0][2], -.28068728, 2e-8);
    ck_assert_int_eq(nnd_chain_extremes(ctx, &chain, value), NND_OK);
    test_close("largest, L = 2", value[0], 6.0117413, 2e-8);
    test_close("smallest, L = 2", value[1], -3.4150542, 2e-8);
    test_close("trace, L = 2", chain_trace(&chain), 3.7672282, 2e-8);
    nnd_chain_clear(&chain);
    chain = chain_of(ctx, &q, 3, three, NULL);
    set_cosines(&chain, .6);
    ck_assert_int_eq(nnd_chain_extremes(ctx, &chain, value), NND_OK);
    test_close("largest, L = 3", value[0], 13.702495, 5e-8);
    test_close("smallest, L = 3", value[1], -5.6396468, 2e-8);
    test_close("trace, L = 3", chain_trace(&chain), 9.0111875, 2e-8);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* tr Theta: the trace of the Hessian with inputs of covariance 1, halved. */
START_TEST(trace_of_the_tangent_kernel) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double eye[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const size_t width[] = {3, 3, 1};
    nnd_quadratic q = flat_case(ctx, 3, eye, W3);
    nnd_chain chain = chain_of(ctx, &q, 2, width, NULL);
    set_cosines(&chain, .7);
    test_close("tr Theta", 0.5 * chain_trace(&chain), 2.4234458, 2e-8);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* Central differences of the gradient: their error falls as the square of the step. */
START_TEST(hessian_product_equals_differences_of_the_gradient) {
    nnd_context *ctx = nnd_context_new(NULL);
    const size_t width[] = {5, 4, 6, 3, 2};
    const double readout[] = {.3, -1.2};
    nnd_quadratic q = flat_random(ctx, 4, 20, 5);
    nnd_chain chain = chain_of(ctx, &q, 4, width, readout);
    size_t n = chain.count;
    double *v = calloc(n, sizeof *v), *hv = calloc(n, sizeof *hv), *at = calloc(n, sizeof *at);
    double *up = calloc(n, sizeof *up), *down = calloc(n, sizeof *down), error[2];
    set_random(&chain, 1, .6);
    memcpy(at, chain.weights, n * sizeof *at);
    nnd_rng_normals((nnd_rng_key){2, 0, 0}, 0, 0, n, v);
    nnd_chain_hessian(&chain, v, hv);
    for (int k = 0; k < 2; k++) {
        double step = k == 0 ? 2e-3 : 1e-3;
        for (int side = -1; side <= 1; side += 2) {
            memcpy(chain.weights, at, n * sizeof *at);
            cblas_daxpy((int)n, side * step, v, 1, chain.weights, 1);
            nnd_chain_evaluate(&chain);
            chain_gradient(&chain, side < 0 ? down : up);
        }
        error[k] = 0.0;
        for (size_t i = 0; i < n; i++)
            error[k] = fmax(error[k], fabs((up[i] - down[i]) / (2.0 * step) - hv[i]));
    }
    double size = fabs(hv[cblas_idamax((int)n, hv, 1)]);
    ck_assert_msg(error[1] < 1e-4 * size, "error %g of %g", error[1], size);
    test_close("order of the error", error[0] / error[1], 4.0, 0.02);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    free(v);
    free(hv);
    free(at);
    free(up);
    free(down);
    nnd_context_free(ctx);
}
END_TEST

/* tr(M S M') of an n x d matrix M. */
static double squared_length(size_t n, size_t d, const double *m, const double *covariance) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            sum += m[i * d + j] * cblas_ddot((int)d, m + i * d, 1, covariance + j * d, 1);
    return sum;
}

/* 2 tr(S Theta) = 2 sum_k |alpha_{k+1}|^2 tr(M_k S M_k') with M_k = W_k ... W_1. */
static double tangent_trace(const nnd_chain *c) {
    enum { WIDEST = 8 };
    double m[WIDEST * WIDEST] = {0}, next[WIDEST * WIDEST], sum = 0.0;
    size_t d = c->width[0];
    for (size_t i = 0; i < d; i++)
        m[i * d + i] = 1.0;
    for (size_t k = 0; k < c->depth; k++) {
        int rows = (int)c->width[k], up = (int)c->width[k + 1], n = (int)d;
        sum += cblas_ddot(up, c->alpha[k + 1], 1, c->alpha[k + 1], 1) *
               squared_length(c->width[k], d, m, c->loss->covariance);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, up, n, rows, 1.0, c->matrix[k], rows,
                    m, n, 0.0, next, n);
        memcpy(m, next, sizeof m);
    }
    return 2.0 * sum;
}

static void check_hessian(nnd_context *ctx, nnd_chain *chain) {
    size_t n = chain->count;
    double *h = dense_hessian(chain), *value = calloc(n, sizeof *value), extreme[2];
    double size = fabs(h[cblas_idamax((int)(n * n), h, 1)]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(fabs(h[i * n + j] - h[j * n + i]) <= 1e-13 * size);
    test_close("trace", chain_trace(chain), tangent_trace(chain), 1e-11);
    ck_assert_int_eq(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, h, (lapack_int)n, value), 0);
    ck_assert_int_eq(nnd_chain_extremes(ctx, chain, extreme), NND_OK);
    test_close("largest", extreme[0], value[n - 1], 1e-10);
    ck_assert(fabs(extreme[1] - value[0]) < 1e-10 * value[n - 1]);
    free(h);
    free(value);
}

START_TEST(hessian_is_symmetric_with_the_trace_and_the_ends_of_theory) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const size_t widths[][6] = {
        {5, 1}, {5, 5, 1}, {1, 1, 1, 1}, {5, 4, 7, 1}, {8, 3, 3, 3, 3, 2}};
    static const size_t depths[] = {1, 2, 3, 3, 5};
    for (uint64_t k = 0; k < 5; k++) {
        nnd_quadratic q = flat_random(ctx, k, k == 4 ? 6 : 30, widths[k][0]);
        nnd_chain chain = chain_of(ctx, &q, depths[k], widths[k], NULL);
        set_random(&chain, k, .7);
        check_hessian(ctx, &chain);
        nnd_chain_clear(&chain);
        nnd_quadratic_clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Random weights, and the last matrix so that the product is w*: W_L = p (p.p)^-1 w*' (rest)^-1. */
START_TEST(closed_form_equals_lanczos_at_minimisers) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (uint64_t seed = 0; seed < 12; seed++) {
        size_t dim = 2 + seed % 5, depth = 2 + seed % 6, width[9];
        for (size_t k = 0; k < 9; k++)
            width[k] = dim;
        width[depth] = 1;
        nnd_quadratic q = flat_random(ctx, seed, seed % 3 == 0 ? dim / 2 + 1 : 4 * dim, dim);
        nnd_chain chain = chain_of(ctx, &q, depth, width, NULL);
        double *rest = calloc(dim * dim, sizeof *rest), *next = calloc(dim * dim, sizeof *next);
        lapack_int pivot[8];
        set_random(&chain, seed, .5);
        int d = (int)dim;
        memcpy(rest, chain.matrix[0], dim * dim * sizeof *rest);
        for (size_t k = 1; k + 1 < depth; k++) {
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1.0, chain.matrix[k], d,
                        rest, d, 0.0, next, d);
            memcpy(rest, next, dim * dim * sizeof *rest);
        }
        /* W_L rest = w*': the transpose of rest, in column-major order, is rest in row-major. */
        memcpy(chain.matrix[depth - 1], q.minimizer, dim * sizeof(double));
        ck_assert_int_eq(
            LAPACKE_dgesv(LAPACK_COL_MAJOR, d, 1, rest, d, pivot, chain.matrix[depth - 1], d), 0);
        nnd_chain_evaluate(&chain);
        double value[2], sharpness;
        nnd_flatness f;
        ck_assert_int_eq(nnd_chain_extremes(ctx, &chain, value), NND_OK);
        ck_assert_int_eq(nnd_chain_sharpness(ctx, &chain, &sharpness), NND_OK);
        ck_assert_int_eq(nnd_flatness_find(ctx, &q, depth, &f, NULL), NND_OK);
        test_close("sharpness", sharpness, value[0], 1e-9);
        ck_assert(sharpness >= f.least * (1.0 - 1e-9));
        nnd_chain_clear(&chain);
        nnd_quadratic_clear(&q);
        free(rest);
        free(next);
    }
    nnd_context_free(ctx);
}
END_TEST

/* S_min is attained, by weights that are a minimiser, as the whole Hessian says. */
START_TEST(flattest_minimiser_attains_the_bound) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 6, S6, W6);
    for (size_t depth = 1; depth <= 10; depth += 3) {
        size_t width[11] = {6, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
        width[depth] = 1;
        nnd_chain chain = chain_of(ctx, &q, depth, width, NULL);
        nnd_flatness f;
        double value[2];
        ck_assert_int_eq(nnd_flatness_find(ctx, &q, depth, &f, NULL), NND_OK);
        set_flattest(&chain, f.c);
        nnd_chain_evaluate(&chain);
        for (size_t i = 0; i < 6; i++)
            test_close("w", chain.alpha[0][i], W6[i], 1e-13);
        ck_assert_int_eq(nnd_chain_extremes(ctx, &chain, value), NND_OK);
        test_close("S_min", value[0], f.least, 1e-9);
        ck_assert(value[1] > -1e-9);
        nnd_chain_clear(&chain);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(descent_of_the_reference_cases) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const size_t three[] = {3, 3, 3, 1}, residual[] = {3, 3, 3, 3, 3, 3};
    const double readout[] = {1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0};
    double value;
    nnd_chain chain = chain_of(ctx, &q, 3, three, NULL);
    set_cosines(&chain, .5);
    descend(&chain, .02, 4000);
    ck_assert_int_eq(nnd_chain_sharpness(ctx, &chain, &value), NND_OK);
    test_close("sharpness after descent", value, 8.0480258, 2e-8);
    nnd_chain_clear(&chain);
    chain = chain_of(ctx, &q, 5, residual, readout);
    for (size_t k = 0; k < 5; k++)
        for (size_t i = 0; i < 3; i++)
            chain.matrix[k][4 * i] = 1.0;
    nnd_chain_evaluate(&chain);
    descend(&chain, .02, 5000);
    ck_assert_int_eq(nnd_chain_sharpness(ctx, &chain, &value), NND_OK);
    test_close("sharpness from the identity", value, 20.981427, 5e-8);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* Started beside the flattest minimiser, descent returns to a minimum below 2/S_min, and is left on
 * a cycle at a distance above, where the simple bound would still promise convergence
 * (flat-minima.md#s3). */
START_TEST(threshold_of_the_learning_rate_is_that_of_the_flattest_minimiser) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 6, S6, W6);
    static const size_t depths[] = {2, 3, 6};
    for (size_t k = 0; k < 6; k++) {
        size_t depth = depths[k % 3], width[7] = {6, 6, 6, 6, 6, 6, 6};
        double factor = k < 3 ? 0.97 : 1.01;
        width[depth] = 1;
        nnd_flatness f;
        nnd_chain chain = chain_of(ctx, &q, depth, width, NULL);
        ck_assert_int_eq(nnd_flatness_find(ctx, &q, depth, &f, NULL), NND_OK);
        double *noise = calloc(chain.count, sizeof *noise), rate = factor * 2.0 / f.least;
        ck_assert(rate < 2.0 / f.simple);
        nnd_rng_normals((nnd_rng_key){k % 3, 0, 0}, 0, 0, chain.count, noise);
        set_flattest(&chain, f.c);
        cblas_daxpy((int)chain.count, 1e-3, noise, 1, chain.weights, 1);
        nnd_chain_evaluate(&chain);
        descend(&chain, rate, 6000);
        double distance = sqrt(nnd_quadratic_distance2(&q, chain.alpha[0]));
        if (factor < 1.0)
            ck_assert_msg(distance < 1e-6, "depth %zu: distance %g", depth, distance);
        else
            ck_assert_msg(distance > 1e-2 && distance < 0.3, "depth %zu: distance %g", depth,
                          distance);
        free(noise);
        nnd_chain_clear(&chain);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* The residual network is the plain one with last matrix p' W_L. */
START_TEST(readout_can_be_absorbed_into_the_last_matrix) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const size_t full[] = {3, 3, 3, 3}, plain[] = {3, 3, 3, 1};
    const double readout[] = {1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0};
    nnd_chain a = chain_of(ctx, &q, 3, full, readout), b = chain_of(ctx, &q, 3, plain, NULL);
    set_random(&a, 8, .5);
    memcpy(b.matrix[0], a.matrix[0], 9 * sizeof(double));
    memcpy(b.matrix[1], a.matrix[1], 9 * sizeof(double));
    cblas_dgemv(CblasRowMajor, CblasTrans, 3, 3, 1.0, a.matrix[2], 3, readout, 1, 0.0, b.matrix[2],
                1);
    nnd_chain_evaluate(&b);
    for (int t = 0; t < 40; t++) {
        double one[2], other[2];
        for (size_t i = 0; i < 3; i++)
            ck_assert(fabs(a.alpha[0][i] - b.alpha[0][i]) < 1e-13);
        ck_assert_int_eq(nnd_chain_extremes(ctx, &a, one), NND_OK);
        ck_assert_int_eq(nnd_chain_extremes(ctx, &b, other), NND_OK);
        test_close("sharpness", one[0], other[0], 1e-11);
        descend(&a, .02, 1);
        descend(&b, .02, 1);
    }
    nnd_chain_clear(&a);
    nnd_chain_clear(&b);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("chain");
    TCase *tests = tcase_create("chain");
    tcase_add_test(tests, hessian_of_the_reference_weights);
    tcase_add_test(tests, trace_of_the_tangent_kernel);
    tcase_add_test(tests, hessian_product_equals_differences_of_the_gradient);
    tcase_add_test(tests, hessian_is_symmetric_with_the_trace_and_the_ends_of_theory);
    tcase_add_test(tests, closed_form_equals_lanczos_at_minimisers);
    tcase_add_test(tests, flattest_minimiser_attains_the_bound);
    tcase_add_test(tests, descent_of_the_reference_cases);
    tcase_add_test(tests, threshold_of_the_learning_rate_is_that_of_the_flattest_minimiser);
    tcase_add_test(tests, readout_can_be_absorbed_into_the_last_matrix);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
