/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deterministic equivalents against the reference cases alignment.md#s8, closed forms and
 * the checks alignment.md#s6. */
#include <complex.h>
#include <math.h>

#include "nndmft/solvers/equivalent.h"
#include "power_law.h"
#include "support.h"

/* alignment.md#s8 has seven digits. */
static const double TABLE_RTOL = 1e-6;

static const double ONE[] = {1.0};

static nnd_pair_overlaps isotropic(double alpha, double snr, double lambda) {
    nnd_eigenmodes p = {1, ONE, ONE, ONE};
    nnd_pair_task task = {.samples = alpha, .label_noise = 1.0 / snr};
    nnd_pair_overlaps o;
    nnd_pair_ridge(&p, &task, lambda, &o);
    return o;
}

/* g(alpha, lambda) of alignment.md#eq4. */
static double isotropic_gain(double alpha, double lambda) {
    double h = 0.5 * (1.0 - lambda - 1.0 / alpha), root = sqrt(h * h + lambda);
    /* kappa = -h + root, without cancellation */
    double kappa = h > 0.0 ? lambda / (h + root) : root - h;
    return alpha - (1.0 - kappa) / (1.0 + kappa);
}

START_TEST(isotropic_reference_cases) {
    nnd_pair_overlaps o = isotropic(0.5, 2.0, 0.0);
    test_close("kappa", o.kappa, 1.0, 1e-14);
    test_close("cosine", o.cosine[1], 0.5, 1e-14);
    test_close("E_g", o.gen_error, 1.0, 1e-14);
    o = isotropic(1.0, 2.0, 0.05);
    test_close("kappa", o.kappa, 0.25, 1e-14);
    test_close("g", isotropic_gain(1.0, 0.05), 0.4, 1e-14);
    test_close("cosine", o.cosine[1], 0.4444444, TABLE_RTOL);
    test_close("E_g", o.gen_error, 1.0, TABLE_RTOL);
    test_close("S", o.cross[1], 0.7111111, TABLE_RTOL);
    test_close("N", o.self[1] - o.cross[1], 0.8888889, TABLE_RTOL);
    o = isotropic(1.5, 2.0, 0.1);
    test_close("kappa", o.kappa, 0.2203958, TABLE_RTOL);
    test_close("g", isotropic_gain(1.5, 0.1), 0.8611874, TABLE_RTOL);
    test_close("cosine", o.cosine[1], 0.6326737, TABLE_RTOL);
    test_close("E_g", o.gen_error, 0.4642129, TABLE_RTOL);
}
END_TEST

START_TEST(power_law_reference_cases) {
    nnd_eigenmodes p = power_law();
    nnd_pair_task task = {.samples = 50.0, .label_noise = 0.25};
    nnd_pair_overlaps o;
    nnd_pair_ridge(&p, &task, 0.01, &o);
    test_close("kappa", o.kappa, 0.04301303, TABLE_RTOL);
    test_close("Q_aa", o.self[1], 0.7711489, TABLE_RTOL);
    test_close("Q_ab", o.cross[1], 0.625727, TABLE_RTOL);
    test_close("cosine", o.cosine[1], 0.8114218, TABLE_RTOL);
    test_close("E_g", o.gen_error, 0.4075597, TABLE_RTOL);
    nnd_pair_ridge(&p, &task, 0.0, &o);
    test_close("kappa", o.kappa, 0.02471896, TABLE_RTOL);
    test_close("Q_aa", o.self[1], 1.089059, TABLE_RTOL);
    test_close("cosine", o.cosine[1], 0.6994474, TABLE_RTOL);
    test_close("E_g", o.gen_error, 0.5655801, TABLE_RTOL);
    task.samples = 200.0;
    task.input_noise = 0.05;
    nnd_pair_ridge(&p, &task, 0.01, &o);
    test_close("kappa", o.kappa, 0.0169865, TABLE_RTOL);
    test_close("cosine", o.cosine[1], 0.8224175, TABLE_RTOL);
    test_close("E_g", o.gen_error, 0.3420368, TABLE_RTOL);
}
END_TEST

START_TEST(input_noise_reference_cases) {
    nnd_eigenmodes p = {1, ONE, ONE, ONE};
    nnd_pair_task task = {.samples = 0.5, .input_noise = 0.3};
    nnd_pair_overlaps o;
    nnd_pair_ridge(&p, &task, 0.0, &o);
    test_close("cosine", o.cosine[1], 0.6486345, TABLE_RTOL);
    test_close("Q_aa", o.self[1], 0.4733728, TABLE_RTOL);
    task.samples = 2.0;
    nnd_pair_ridge(&p, &task, 0.0, &o);
    test_close("cosine", o.cosine[1], 0.7983193, TABLE_RTOL);
    test_close("Q_aa", o.self[1], 0.7692308, TABLE_RTOL);
}
END_TEST

START_TEST(weight_decay_reference_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_eigenmodes p = {1, ONE, ONE, ONE};
    nnd_pair_task task = {.samples = 1.5, .label_noise = 0.5};
    double lambda;
    ck_assert_int_eq(nnd_weight_decay_ridge(ctx, &p, &task, 0.1, &lambda), NND_OK);
    test_close("lambda", lambda, 0.09421636, TABLE_RTOL);
    test_close("cosine", isotropic(1.5, 2.0, lambda).cosine[1], 0.6287782, TABLE_RTOL);
    /* |c|^2 = b^2 (1 + 1/alpha) + sigma^2/alpha = 2: beyond that there is nothing left */
    ck_assert_int_eq(nnd_weight_decay_ridge(ctx, &p, &task, sqrt(2.0) + 1e-12, &lambda), NND_OK);
    ck_assert(isinf(lambda));
    ck_assert_int_eq(nnd_weight_decay_ridge(ctx, &p, &task, sqrt(2.0) - 1e-6, &lambda), NND_OK);
    ck_assert(lambda > 1e3 && isfinite(lambda));
    ck_assert_int_eq(nnd_weight_decay_ridge(ctx, &p, &task, 0.0, &lambda), NND_OK);
    ck_assert(lambda == 0.0);
    nnd_context_free(ctx);
}
END_TEST

/* Checks 1 and 2 of alignment.md#s6: the sums reduce to the closed form, at every alpha, lambda and
 * SNR. */
START_TEST(isotropic_closed_form) {
    const double alpha[] = {0.05, 0.5, 0.99, 1.01, 3.0, 20.0};
    const double lambda[] = {0.0, 1e-6, 0.01, 1.0, 100.0}, snr[] = {0.1, 2.0, 50.0};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 5; j++)
            for (size_t k = 0; k < 3; k++) {
                double x = snr[k] * isotropic_gain(alpha[i], lambda[j]);
                nnd_pair_overlaps o = isotropic(alpha[i], snr[k], lambda[j]);
                /* g is a difference of order alpha: 1e-16 of it remain */
                test_close("cosine", o.cosine[1], x / (1.0 + x), 1e-11);
                if (lambda[j] == 0.0)
                    test_close("g", isotropic_gain(alpha[i], 0.0), fabs(1.0 - alpha[i]), 1e-13);
            }
}
END_TEST

/* Checks 3 and 4 of alignment.md#s6. */
START_TEST(limits_without_independent_noise) {
    nnd_eigenmodes p = power_law();
    for (double samples = 20.0; samples < 300.0; samples *= 1.7)
        for (double lambda = 0.0; lambda < 1.0; lambda = 10.0 * lambda + 1e-3) {
            nnd_pair_overlaps o;
            nnd_pair_task same_noise = {
                .samples = samples, .label_noise = 0.7, .noise_correlation = 1.0};
            nnd_pair_ridge(&p, &same_noise, lambda, &o);
            test_close("equal label noise", o.cosine[1], 1.0, 1e-14);
            nnd_pair_task none = {.samples = samples};
            nnd_pair_ridge(&p, &none, lambda, &o);
            test_close("no noise", o.cosine[0], 1.0, 1e-14);
        }
    nnd_eigenmodes one = {1, ONE, ONE, ONE};
    for (double alpha = 0.1; alpha < 0.95; alpha += 0.2) {
        nnd_pair_task independent = {.samples = alpha, .independent = true};
        nnd_pair_overlaps o;
        nnd_pair_ridge(&one, &independent, 0.0, &o);
        test_close("independent inputs", o.cosine[1], alpha, 1e-13);
        independent.label_noise = 0.5;
        nnd_pair_ridge(&one, &independent, 0.0, &o);
        double x = 2.0 * (1.0 - alpha);
        test_close("and label noise", o.cosine[1], alpha * x / (1.0 + x), 1e-13);
    }
}
END_TEST

/* At the threshold the noise diverges and the alignment vanishes, as a limit. */
START_TEST(interpolation_threshold) {
    nnd_pair_overlaps o = isotropic(1.0, 2.0, 0.0);
    ck_assert(o.cosine[1] == 0.0 && isinf(o.self[1]) && isinf(o.gen_error));
    test_close("S", o.cross[1], 1.0, 1e-15);
    ck_assert(o.train_error == 0.0);
    ck_assert(isotropic(1.0 + 1e-9, 2.0, 0.0).cosine[1] < 1e-8);
    ck_assert(isotropic(1.0 - 1e-9, 2.0, 0.0).cosine[1] < 1e-8);
    nnd_eigenmodes p = power_law();
    nnd_pair_task task = {.samples = D, .label_noise = 0.25};
    nnd_pair_ridge(&p, &task, 0.0, &o);
    ck_assert(o.cosine[0] == 0.0 && o.cosine[1] == 0.0 && o.kappa == 0.0);
    task.noise_correlation = 0.3;
    nnd_pair_ridge(&p, &task, 0.0, &o);
    test_close("correlated noise", o.cosine[1], 0.3, 1e-12);
    task.label_noise = 0.0;
    nnd_pair_ridge(&p, &task, 0.0, &o);
    test_close("no noise", o.cosine[1], 1.0, 1e-14);
}
END_TEST

/* Training error: |y - X beta|^2/P = sigma^2 (1 - 1/alpha) for least squares, 0 if interpolating.
 */
START_TEST(training_error) {
    test_close("alpha = 4", isotropic(4.0, 2.0, 0.0).train_error, 0.5 * 0.75, 1e-14);
    ck_assert(isotropic(0.5, 2.0, 0.0).train_error == 0.0);
    /* lambda -> inf: beta = 0 */
    test_close("lambda = 1e8", isotropic(2.0, 2.0, 1e8).train_error, 1.5, 1e-7);
}
END_TEST

/* The same with random projections besides samples: the root solves its equation, is on the side of
 * infinity, and near the real axis is the real one. */
START_TEST(kappa_of_two_spaces) {
    nnd_eigenmodes p = power_law();
    const double sizes[][2] = {{1, 1},    {50, 50},  {50, 20},       {20, 50}, {100, 100},
                               {80, 1e3}, {1e3, 80}, {INFINITY, 30}, {3, 1e4}, {1e6, 1e6}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
        for (double lambda = 1e-9; lambda < 1e5; lambda *= 40.0) {
            nnd_resolvent x = {&p, sizes[n][0], sizes[n][1], 0.0};
            double complex at[] = {lambda * cexp(1e-3 * I), lambda * cexp(1.5 * I),
                                   lambda * cexp(2.7 * I)},
                           from = 1e3 * cexp(1e-3 * I), k[3];
            double kappa;
            ck_assert_int_eq(nnd_kappa_along(ctx, &x, from, from, 3, at, k), NND_OK);
            ck_assert_int_eq(nnd_kappa_real(ctx, &x, lambda, &kappa), NND_OK);
            test_close("near", creal(k[0]), kappa, 1e-2);
            for (int j = 0; j < 3; j++) {
                double complex df = 0.0;
                for (int i = 0; i < D; i++)
                    df += eigenvalue[i] / (eigenvalue[i] + k[j]);
                double complex s = k[j] * (1.0 - df / x.samples) * (1.0 - df / x.width);
                ck_assert_msg(cabs(s - at[j]) < 1e-13 * cabs(k[j]) && cimag(k[j]) > 0.0 &&
                                  carg(k[j]) <= carg(at[j]) + 1e-9,
                              "P %g N %g lambda %g angle %d", x.samples, x.width, lambda, j);
            }
        }
    nnd_context_free(ctx);
}
END_TEST

/* kappa solves its equation, and the complex root continues the real one. */
START_TEST(kappa_real_and_complex) {
    nnd_eigenmodes p = power_law();
    const double samples[] = {1.0, 50.0, 99.9, 100.0, 100.1, 1000.0};
    for (size_t n = 0; n < 6; n++)
        for (double lambda = 1e-12; lambda < 1e7; lambda *= 30.0) {
            double kappa = nnd_kappa(&p, samples[n], 0.1, lambda), sum = 0.0;
            for (int i = 0; i < D; i++)
                sum += kappa * (eigenvalue[i] + 0.1) / (eigenvalue[i] + 0.1 + kappa);
            ck_assert_msg(fabs(kappa - sum / samples[n] - lambda) < 1e-13 * kappa,
                          "P = %g, lambda = %g", samples[n], lambda);
            /* A little off the real axis: the same root, and it solves the equation. */
            double complex off = lambda * cexp(-1e-3 * I), far = -100.0 * I, rest = 0.0;
            double complex k =
                nnd_kappa_complex(&(nnd_resolvent){&p, samples[n], INFINITY, 0.1}, off, far, far);
            for (int i = 0; i < D; i++)
                rest += k * (eigenvalue[i] + 0.1) / (eigenvalue[i] + 0.1 + k);
            test_close("near", creal(k), kappa, 1e-2);
            ck_assert(cabs(k - rest / samples[n] - off) < 1e-13 * cabs(k) && cimag(k) < 0.0);
        }
}
END_TEST

/* alignment.md#eq5, and the search finds the same place; for the power law a finer scan agrees. */
typedef struct {
    nnd_eigenmodes p;
    double per_sample, lambda, noise;
} curve;

static double alignment(double alpha, void *data) {
    const curve *c = data;
    nnd_pair_task task = {.samples = alpha * c->per_sample, .label_noise = c->noise};
    nnd_pair_overlaps o;
    nnd_pair_ridge(&c->p, &task, c->lambda, &o);
    return o.cosine[1];
}

START_TEST(minimum_over_alpha) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double lambda[] = {0.01, 0.1, 1.0};
    const double want[] = {0.9724344, 0.7915166, 0.2886751};
    const double gain[] = {0.1883052, 0.4981986, 0.8660254};
    double x, value;
    bool inside;
    for (int i = 0; i < 3; i++) {
        nnd_isotropic_minimum(lambda[i], &x, &value);
        test_close("alpha_min", x, want[i], TABLE_RTOL);
        test_close("g_min", value, gain[i], TABLE_RTOL);
        curve c = {{1, ONE, ONE, ONE}, 1.0, lambda[i], 0.5};
        ck_assert_int_eq(nnd_minimize(ctx, alignment, &c, 0.05, 20.0, 65, &x, &value, &inside),
                         NND_OK);
        ck_assert(inside);
        /* a parabola is flat to sqrt(epsilon) */
        test_close("found", x, want[i], 3e-7);
        test_close("value", value, 2.0 * gain[i] / (1.0 + 2.0 * gain[i]), TABLE_RTOL);
    }
    curve c = {power_law(), D, 1e-3, 0.25};
    ck_assert_int_eq(nnd_minimize(ctx, alignment, &c, 0.05, 20.0, 65, &x, &value, &inside), NND_OK);
    ck_assert(inside);
    double best = 0.0, lowest = INFINITY;
    for (double a = 0.05; a < 20.0; a *= 1.001)
        if (alignment(a, &c) < lowest) {
            lowest = alignment(a, &c);
            best = a;
        }
    test_close("power law", x, best, 1e-3);
    ck_assert(value <= lowest);
    /* without ridge the minimum is the threshold */
    nnd_isotropic_minimum(0.0, &x, &value);
    ck_assert(x == 1.0 && value == 0.0);
    nnd_context_free(ctx);
}
END_TEST

/* Multiplicities stand for repeated eigenvalues, and all sums scale with the samples. */
START_TEST(multiplicities_are_repetitions) {
    const double s[] = {2.0, 2.0, 0.5, 0.5, 0.5}, one[] = {1, 1, 1, 1, 1}, b[] = {1, 2, 3, 1, 1};
    const double s2[] = {2.0, 0.5}, m2[] = {4.0, 6.0}, b2[] = {3.0, 5.0};
    nnd_eigenmodes p = {5, s, one, b}, q = {2, s2, m2, b2};
    nnd_pair_task task = {3.0, 0.2, 0.4, 0.3, false}, twice = {6.0, 0.2, 0.4, 0.3, false};
    nnd_pair_overlaps x, y;
    nnd_pair_ridge(&p, &task, 0.05, &x);
    nnd_pair_ridge(&q, &twice, 0.05, &y);
    for (int k = 0; k < NND_METRICS; k++) {
        test_close("Q_aa", y.self[k], x.self[k], 1e-14);
        test_close("Q_ab", y.cross[k], x.cross[k], 1e-14);
    }
    test_close("kappa", y.kappa, x.kappa, 1e-14);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("equivalent");
    TCase *table = tcase_create("reference cases");
    tcase_add_test(table, isotropic_reference_cases);
    tcase_add_test(table, power_law_reference_cases);
    tcase_add_test(table, input_noise_reference_cases);
    tcase_add_test(table, weight_decay_reference_case);
    tcase_add_test(table, minimum_over_alpha);
    suite_add_tcase(suite, table);
    TCase *checks = tcase_create("checks");
    tcase_add_test(checks, isotropic_closed_form);
    tcase_add_test(checks, limits_without_independent_noise);
    tcase_add_test(checks, interpolation_threshold);
    tcase_add_test(checks, training_error);
    tcase_add_test(checks, kappa_real_and_complex);
    tcase_add_test(checks, kappa_of_two_spaces);
    tcase_add_test(checks, multiplicities_are_repetitions);
    suite_add_tcase(suite, checks);
    return test_main(suite);
}
