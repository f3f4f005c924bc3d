/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "flat_cases.h"
#include "nndmft/solvers/aligned_layers.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/ode.h"
#include "nndmft/solvers/quadratic.h"

static nnd_aligned aligned_of(nnd_context *ctx, const nnd_quadratic *q, size_t depth, double s0) {
    nnd_aligned a;
    if (nnd_aligned_make(ctx, q, depth, &a) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    for (size_t i = 0; i < q->dim; i++)
        a.b[i] = s0 / sqrt((double)q->dim);
    if (depth > 1)
        a.s = s0;
    nnd_aligned_evaluate(&a);
    return a;
}

static void descend(nnd_aligned *a, double rate, size_t steps) {
    for (size_t t = 0; t < steps; t++) {
        nnd_aligned_step(a, rate);
        nnd_aligned_evaluate(a);
    }
}

/* Sharpness of the matrices that an aligned state stands for. */
static double sharpness_of(nnd_context *ctx, const nnd_aligned *a) {
    size_t width[12];
    nnd_chain chain;
    double value;
    for (size_t k = 0; k <= a->depth; k++)
        width[k] = k == 0 ? a->loss->dim : k == a->depth ? 1 : 2;
    ck_assert_int_eq(nnd_chain_make(ctx, a->loss, a->depth, width, NULL, &chain), NND_OK);
    nnd_chain_set_aligned(&chain, a->b, a->s);
    nnd_chain_evaluate(&chain);
    ck_assert_int_eq(nnd_chain_sharpness(ctx, &chain, &value), NND_OK);
    nnd_chain_clear(&chain);
    return value;
}

START_TEST(descent_of_the_reference_cases) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    nnd_aligned a = aligned_of(ctx, &q, 3, .5);
    descend(&a, .05, 10);
    test_close("w_1(10)", a.w[0], .36750228, 2e-8);
    test_close("w_2(10)", a.w[1], .22896463, 2e-8);
    test_close("w_3(10)", a.w[2], .25761418, 2e-8);
    test_close("s(10)", a.s, .79534016, 2e-8);
    descend(&a, .05, 1990);
    test_close("s(2000)", a.s, .99877581, 2e-8);
    test_close("S(2000)", sharpness_of(ctx, &a), 8.0276665, 2e-8);
    nnd_aligned_clear(&a);
    a = aligned_of(ctx, &q, 2, .3);
    descend(&a, .1, 2000);
    test_close("s(2000), L = 2", a.s, .99653475, 2e-8);
    test_close("S(2000), L = 2", sharpness_of(ctx, &a), 6.1145422, 2e-8);
    nnd_aligned_clear(&a);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* The map and descent of the matrices themselves, step by step. */
static void check_matrices(nnd_context *ctx, const nnd_quadratic *q, size_t depth) {
    size_t width[12];
    nnd_chain chain;
    nnd_aligned a = aligned_of(ctx, q, depth, .6);
    for (size_t k = 0; k <= depth; k++)
        width[k] = k == 0 ? q->dim : k == depth ? 1 : 3;
    ck_assert_int_eq(nnd_chain_make(ctx, q, depth, width, NULL, &chain), NND_OK);
    double *gradient = calloc(chain.count, sizeof *gradient);
    nnd_chain_set_aligned(&chain, a.b, a.s);
    nnd_chain_evaluate(&chain);
    for (size_t t = 0; t < 200; t++) {
        for (size_t i = 0; i < q->dim; i++)
            ck_assert_msg(fabs(a.w[i] - chain.alpha[0][i]) < 1e-13, "step %zu: %g", t,
                          a.w[i] - chain.alpha[0][i]);
        test_close("trace", nnd_aligned_trace(&a), chain_trace(&chain), 1e-12);
        chain_gradient(&chain, gradient);
        cblas_daxpy((int)chain.count, -.03, gradient, 1, chain.weights, 1);
        nnd_chain_evaluate(&chain);
        descend(&a, .03, 1);
    }
    free(gradient);
    nnd_chain_clear(&chain);
    nnd_aligned_clear(&a);
}

START_TEST(map_is_descent_of_the_matrices) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    static const size_t depths[] = {1, 2, 3, 7};
    for (size_t k = 0; k < 4; k++)
        check_matrices(ctx, &q, depths[k]);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

typedef struct {
    const nnd_quadratic *loss;
    size_t depth;
    double scratch[16];
} flow;

static bool flow_rate(double t, const double *x, double *rate, void *user) {
    flow *f = user;
    (void)t;
    nnd_balanced_flow(f->loss, f->depth, x, rate, f->scratch);
    return true;
}

/* w at the given times, from w0 = length (1, 1, 1)/sqrt(3). */
static void run_flow(nnd_context *ctx, const nnd_quadratic *q, size_t depth, double length,
                     bool stiff, size_t count, const double *t, double *w) {
    flow f = {.loss = q, .depth = depth};
    nnd_ode_options options = {
        .dim = 4, .rhs = flow_rate, .user = &f, .stiff = stiff, .rtol = 1e-11, .atol = 1e-12};
    nnd_ode *ode;
    double each = (depth == 1 ? length : 1.0) / sqrt(3.0), y[64];
    double start[] = {depth == 1 ? 0.0 : log(length), each, each, each};
    ck_assert_int_eq(nnd_ode_new(ctx, &options, &ode), NND_OK);
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, count, t, y), NND_OK);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < 3; i++)
            w[3 * k + i] = exp(y[4 * k]) * y[4 * k + 1 + i];
    nnd_ode_free(ode);
}

START_TEST(flow_of_the_reference_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const double t[] = {1.0, 3.0};
    double w[6];
    for (int stiff = 0; stiff < 2; stiff++) {
        run_flow(ctx, &q, 2, .01, stiff, 2, t, w);
        test_close("w_1(1)", w[0], .42029202, 2e-8);
        test_close("w_2(1)", w[1], .16701325, 3e-8);
        test_close("w_3(1)", w[2], .21138739, 2e-8);
        test_close("w_1(3)", w[3], .59108997, 2e-8);
        test_close("w_2(3)", w[4], .057845333, 2e-8);
        test_close("w_3(3)", w[5], .68933388, 2e-8);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* At depth 1 the flow is linear: w* + exp(-2 S t) (w0 - w*). */
START_TEST(flow_of_one_matrix_is_an_exponential) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const double t[] = {0.7};
    double w[3], w0 = .2 / sqrt(3.0);
    run_flow(ctx, &q, 1, .2, false, 1, t, w);
    for (size_t i = 0; i < 3; i++) {
        double want = q.minimizer[i];
        for (size_t k = 0; k < 3; k++) {
            double along = 0.0;
            for (size_t j = 0; j < 3; j++)
                along += q.mode[3 * k + j] * (w0 - q.minimizer[j]);
            want += exp(-2.0 * q.eigenvalue[k] * t[0]) * along * q.mode[3 * k + i];
        }
        test_close("w", w[i], want, 1e-9);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* Balanced descent with a small step approaches the flow, in proportion to the step. */
START_TEST(map_approaches_flow_with_the_step) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    const double time[] = {2.0};
    for (size_t depth = 2; depth < 5; depth++) {
        double s0 = .5, error[2], want[3];
        run_flow(ctx, &q, depth, pow(s0, (double)depth), false, 1, time, want);
        for (int k = 0; k < 2; k++) {
            double rate = k == 0 ? 2e-3 : 1e-3;
            nnd_aligned a = aligned_of(ctx, &q, depth, s0);
            descend(&a, rate, (size_t)lround(time[0] / rate));
            error[k] = 0.0;
            for (size_t i = 0; i < 3; i++)
                error[k] = fmax(error[k], fabs(a.w[i] - want[i]));
            nnd_aligned_clear(&a);
        }
        ck_assert(error[1] < 5e-3);
        test_close("order of the error", error[0] / error[1], 2.0, 0.02);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("aligned");
    TCase *tests = tcase_create("aligned");
    tcase_add_test(tests, descent_of_the_reference_cases);
    tcase_add_test(tests, map_is_descent_of_the_matrices);
    tcase_add_test(tests, flow_of_the_reference_case);
    tcase_add_test(tests, flow_of_one_matrix_is_an_exponential);
    tcase_add_test(tests, map_approaches_flow_with_the_step);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
