/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contours against transforms that are known, and series against the circle's double integral. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/contour.h"
#include "nndmft/solvers/power_series.h"
#include "nndmft/solvers/random_features.h"
#include "support.h"

enum { NODES = 28 };
/* exp(-1.085 times 28 nodes) = 6e-14, times the integrand on the contour, which is above 1. */
static const double CONTOUR = 1e-12;

/* Transforms with singularities on the negative real axis. */
static double complex transform(int kind, double complex x) {
    return kind == 0 ? 1.0 / x : kind == 1 ? 1.0 / csqrt(x) : 1.0 / (x * (1.0 + x));
}

static double original(int kind, double t) {
    return kind == 0 ? 1.0 : kind == 1 ? 1.0 / sqrt(M_PI * t) : -expm1(-t);
}

static double invert(int kind, double from, double t, size_t nodes) {
    double complex x[64], weight[64], sum = 0.0;
    nnd_hyperbola(nodes, from, x, weight);
    for (size_t j = 0; j < nodes; j++)
        sum += weight[j] * cexp(t * x[j]) * transform(kind, x[j]);
    return 2.0 * creal(sum);
}

START_TEST(hyperbolas_invert_laplace_transforms) {
    const double from[] = {1e-6, 1.0, 1e9}, later[] = {1.0, 2.5, 8.0};
    for (int kind = 0; kind < 3; kind++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double t = from[i] * later[j];
                double want = original(kind, t), got = invert(kind, from[i], t, NODES);
                ck_assert_msg(fabs(got - want) <= CONTOUR * fmax(1.0, want), "%d at %g: %g, %g",
                              kind, t, got, want);
            }
}
END_TEST

/* The error falls by exp(-1.09) with each node. */
START_TEST(hyperbolas_converge_as_fast_as_they_can) {
    double error[2];
    for (int i = 0; i < 2; i++) {
        error[i] = 0.0;
        for (double t = 1.0; t <= 8.0; t *= 1.1)
            error[i] = fmax(error[i], fabs(invert(0, 1.0, t, i == 0 ? 8 : 20) - original(0, t)));
    }
    double rate = log(error[0] / error[1]) / 12.0;
    ck_assert_msg(fabs(rate - 1.085) < 0.05, "%g", rate);
}
END_TEST

START_TEST(heights_and_depths_are_those_of_the_last_node) {
    double complex x[NODES], weight[NODES];
    nnd_hyperbola(NODES, 3.0, x, weight);
    test_close("height", nnd_hyperbola_height(NODES), 3.0 * cimag(x[NODES - 1]), 1e-12);
    test_close("depth", nnd_hyperbola_depth(NODES), -3.0 * creal(x[NODES - 1]), 1e-12);
}
END_TEST

/* 1/(1 - q/z) has the coefficients q^t. */
START_TEST(coefficients_of_power_series) {
    enum { COUNT = 400, TERMS = COUNT / 4 + 1 };
    const double q[] = {1.0, 0.97, -0.8, 0.0};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_power_series *series;
    double complex x[COUNT / 2], weight[COUNT / 2], value[COUNT / 2];
    double got[TERMS];
    ck_assert_int_eq(nnd_power_series_new(ctx, COUNT, &series), NND_OK);
    nnd_circle(COUNT, NND_SERIES_ALIAS, x, weight);
    for (int i = 0; i < 4; i++) {
        for (size_t j = 0; j < COUNT / 2; j++)
            value[j] = 1.0 / (1.0 - q[i] * cexp(-x[j]));
        nnd_power_series_of(series, value, TERMS, got);
        for (int t = 0; t < TERMS; t++)
            ck_assert_double_eq_tol(got[t], pow(q[i], t), 5e-12);
    }
    nnd_power_series_free(series);
    nnd_context_free(ctx);
}
END_TEST

/* One number among many has one frequency. */
START_TEST(sums_over_a_circle_have_the_frequency_of_each_node) {
    enum { COUNT = 60, NODE = 7 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_power_series *series;
    double complex value[COUNT] = {[NODE] = 2.0 - 3.0 * I}, x = 0.01 + 0.3 * I;
    double got[COUNT];
    ck_assert_int_eq(nnd_power_series_new(ctx, COUNT, &series), NND_OK);
    nnd_power_series_sum(series, x, value, COUNT, got);
    for (int t = 0; t < COUNT; t++) {
        double angle = t * (0.3 + 2.0 * M_PI * NODE / COUNT);
        double want = exp(0.01 * t) * (2.0 * cos(angle) + 3.0 * sin(angle));
        ck_assert_double_eq_tol(got[t], want, 1e-13);
    }
    nnd_power_series_free(series);
    nnd_context_free(ctx);
}
END_TEST

/* ---- short times in the time domain ---- */

/* Modes of descent at finite P and N; steps beyond those of the first circle. */
enum { M = 60, STEPS = 80, CIRCLE = 8 * 2 * STEPS };
static double eigenvalue[M], multiplicity[M], teacher2[M];

/* Coefficients of 1/R1, of g (z - m)^2/(z lr) and of g (z - m)/lr: 2 STEPS + 1 each. */
typedef struct {
    double response[2 * STEPS + 1], inside[2 * STEPS + 1], edge[2 * STEPS + 1];
} coefficients;

static void series_of(nnd_context *ctx, const nnd_features *f, const nnd_feature_training *how,
                      coefficients *c) {
    enum { N = CIRCLE / 2 };
    nnd_power_series *series;
    double complex x[N], weight[N], s[N], kappa[N], inverse[N], inside[N], edge[N];
    nnd_circle(CIRCLE, NND_SERIES_ALIAS, x, weight);
    for (int j = 0; j < N; j++) {
        double complex z = cexp(x[j]);
        s[j] = (z - 1.0) * (z - how->momentum) / (z * how->lr);
    }
    nnd_resolvent r = {&f->modes, f->samples, f->width, 0.0};
    double complex far = 1e3 * s[0];
    ck_assert_int_eq(nnd_kappa_along(ctx, &r, far, far, N, s, kappa), NND_OK);
    for (int j = 0; j < N; j++) {
        double complex df = 0.0, signal = 0.0, z = cexp(x[j]);
        for (int k = 0; k < M; k++) {
            df += eigenvalue[k] / (eigenvalue[k] + kappa[j]);
            signal += eigenvalue[k] * teacher2[k] / (eigenvalue[k] + kappa[j]);
        }
        double complex r1 = 1.0 - df / f->samples;
        inverse[j] = 1.0 / r1;
        edge[j] = r1 * (kappa[j] * signal + f->label_noise) / s[j] * (z - how->momentum) / how->lr;
        inside[j] = edge[j] * (z - how->momentum) / z;
    }
    ck_assert_int_eq(nnd_power_series_new(ctx, CIRCLE, &series), NND_OK);
    nnd_power_series_of(series, inverse, 2 * STEPS + 1, c->response);
    nnd_power_series_of(series, inside, 2 * STEPS + 1, c->inside);
    nnd_power_series_of(series, edge, 2 * STEPS + 1, c->edge);
    nnd_power_series_free(series);
}

/* s' - s = (z' - z)(1 - m/(z z'))/lr, so that residuals are sum_k m^k B(t - k, t' - k), of which
 * this is B. */
static double residual(const coefficients *c, int i, int j) {
    return i > 0 && j > 0 ? c->inside[i + j] : c->edge[i + j];
}

/* What coefficients have of rounding and aliasing, once, and summed over products of two responses.
 */
static const double SINGLE = 2e-12, CONVOLUTION = 2e-11;

/* scaling-laws.md#eq10: responses in the time domain instead of functions of two frequencies.
 * `stability` is lr x_max over the most that is stable: from 0.45 on two arms are taken. */
static void compare_with_convolutions(double stability, double momentum) {
    double time[STEPS], test = 0.0, train = 0.0, edge;
    nnd_features f = {{M, eigenvalue, multiplicity, teacher2}, 25.0, 40.0, 0.1};
    nnd_feature_training how = {.momentum = momentum, .nodes = 24};
    nnd_feature_losses o[STEPS];
    nnd_context *ctx = nnd_context_new(NULL);
    static coefficients c;
    ck_assert_int_eq(nnd_feature_edge(ctx, &f, &edge), NND_OK);
    how.lr = stability * 2.0 * (1.0 + momentum) / edge;
    series_of(ctx, &f, &how, &c);
    for (int t = 0; t < STEPS; t++)
        time[t] = t + 1.0;
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, STEPS, time, o), NND_OK);
    for (int t = 0; t <= STEPS; t++) {
        double sum = 0.0;
        for (int a = 0; a <= t; a++)
            for (int b = 0; b <= t; b++)
                sum += c.response[a] * c.response[b] * residual(&c, t - a, t - b);
        test = momentum * test + sum;
        train = momentum * train + residual(&c, t, t);
        if (t == 0)
            continue;
        ck_assert_double_eq_tol(o[t - 1].value[NND_FEATURES_TEST], test, CONVOLUTION);
        ck_assert_double_eq_tol(o[t - 1].value[NND_FEATURES_TRAIN], train, SINGLE);
    }
    nnd_context_free(ctx);
}

START_TEST(convolutions_of_responses_give_the_losses_of_short_times) {
    for (int k = 0; k < M; k++) {
        eigenvalue[k] = pow(k + 1.0, -1.3);
        multiplicity[k] = 1.0;
        teacher2[k] = pow(k + 1.0, -0.6);
    }
    compare_with_convolutions(0.3, 0.0);
    compare_with_convolutions(0.95, 0.0);
    compare_with_convolutions(0.95, 0.1);
    compare_with_convolutions(0.4, 0.6);
    compare_with_convolutions(0.3, 0.99);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("contours");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, hyperbolas_invert_laplace_transforms);
    tcase_add_test(tests, hyperbolas_converge_as_fast_as_they_can);
    tcase_add_test(tests, heights_and_depths_are_those_of_the_last_node);
    tcase_add_test(tests, coefficients_of_power_series);
    tcase_add_test(tests, sums_over_a_circle_have_the_frequency_of_each_node);
    tcase_add_test(tests, convolutions_of_responses_give_the_losses_of_short_times);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
