/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CKA of hidden layers: reference cases and limits of alignment.md#s3. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/early_stopping.h"
#include "nndmft/solvers/equivalent.h"
#include "nndmft/solvers/representation.h"
#include "support.h"

static const double TABLE_RTOL = 1e-6;

START_TEST(finite_probes_reference_case) {
    test_close("uncentred", nnd_cka_probe(0.5, 20, false), 0.2705901, TABLE_RTOL);
    test_close("centred", nnd_cka_probe(0.5, 20, true), 0.2717731, TABLE_RTOL);
}
END_TEST

/* rho^2 for many probes, 1 for one; between them the integral that defines the mean. */
START_TEST(finite_probes_limits) {
    for (double rho = 0.0; rho <= 1.0; rho += 0.1) {
        ck_assert(nnd_cka_probe(rho, 1, false) == 1.0 && nnd_cka_probe(rho, 2, true) == 1.0);
        test_close("many", 1.0 + nnd_cka_probe(rho, 100000000, false), 1.0 + rho * rho, 1e-7);
        test_close("sign", nnd_cka_probe(-rho, 7, false), nnd_cka_probe(rho, 7, false), 1e-15);
    }
    /* rho = 0: the mean squared cosine of two random vectors is 1/n. */
    test_close("orthogonal", nnd_cka_probe(0.0, 5, false), 0.2, 1e-14);
    /* 2F1(1, 1; 2; x) = -log(1 - x)/x */
    double x = 0.81;
    test_close("two probes", nnd_cka_probe(0.9, 2, false), 1.0 + 0.5 * (1.0 - x) * log(1.0 - x) / x,
               1e-13);
    x = pow(0.9999999, 2.0);
    test_close("nearly parallel", nnd_cka_probe(0.9999999, 2, false),
               1.0 + 0.5 * (1.0 - x) * log(1.0 - x) / x, 1e-12);
}
END_TEST

static double normal_density(double x) {
    return exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0));
}

static double normal_distribution(double x) {
    return 0.5 * erfc(-x / sqrt(2.0));
}

/* 2 E[Phi(b + d) - Phi(b - d)], d = |b' - b|: b normal, b' normal about rho^2 b with variance
 * 1 - rho^4. Simpson's rule in b, and in d on either side, where the integrand is smooth. */
static double imbalance_integral(double rho, int steps) {
    const double reach = 9.0;
    double sd = sqrt(1.0 - pow(rho, 4)), sum = 0.0, h = reach / steps;
    for (int i = -steps; i <= steps; i++)
        for (int j = 0; j <= steps; j++) {
            double weight = (abs(i) == steps ? 1.0
                             : i & 1         ? 4.0
                                             : 2.0) *
                            (j == 0 || j == steps ? 1.0
                             : j & 1              ? 4.0
                                                  : 2.0) *
                            h * h / 9.0;
            double b = i * h, d = sd * j * h, mean = (rho * rho - 1.0) * b;
            double shell = (normal_density((d - mean) / sd) + normal_density((-d - mean) / sd));
            sum += weight * normal_density(b) * shell *
                   (normal_distribution(b + d) - normal_distribution(b - d));
        }
    return 2.0 * sum;
}

/* The closed form (similarity.md#eq14) against the integral that it stands for (eq13): Simpson's
 * error goes as h^4. */
START_TEST(imbalance_of_gaussian_columns) {
    static const double rhos[] = {0.0, 0.3, 0.5, 0.9, 0.99};
    for (size_t k = 0; k < sizeof rhos / sizeof *rhos; k++) {
        double law = nnd_gaussian_imbalance(rhos[k]);
        double coarse = imbalance_integral(rhos[k], 60) - law;
        double fine = imbalance_integral(rhos[k], 120) - law;
        ck_assert_msg(fabs(coarse) < 1e-4 && fabs(fine) < fabs(coarse) / 12.0 + 1e-12,
                      "rho %g: %g, integrals off by %g and %g", rhos[k], law, coarse, fine);
        ck_assert(nnd_gaussian_imbalance(-rhos[k]) == law);
    }
    test_close("unrelated", nnd_gaussian_imbalance(0.0), 1.0, 1e-15);
    test_close("half", nnd_gaussian_imbalance(0.5), 0.899, 2e-4); /* three digits */
    test_close(".9", nnd_gaussian_imbalance(0.9), 0.516, 1e-3);
    test_close(".99", nnd_gaussian_imbalance(0.99), 0.178, 3e-4);
    ck_assert(nnd_gaussian_imbalance(1.0) == 0.0);
    /* sqrt(8 (1 - rho)) 2/pi in leading order */
    test_close("nearly equal", nnd_gaussian_imbalance(1.0 - 1e-12), sqrt(8e-12) * 2.0 / acos(-1.0),
               1e-4); /* 1 - 1e-12 has as many digits */
    test_close("distances, equal", nnd_gaussian_rsa(1.0), 1.0, 1e-15);
    ck_assert(nnd_gaussian_rsa(0.0) == 0.0 && nnd_gaussian_rsa(-0.4) == nnd_gaussian_rsa(0.4));
}
END_TEST

START_TEST(two_outputs_reference_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double alpha[] = {0.5, 2.0}, want[] = {0.1692308, 0.3333333}, b2[] = {1.0, 0.25};
    for (int i = 0; i < 2; i++) {
        double cross[4] = {0}, self[4] = {0}, cka;
        for (int c = 0; c < 2; c++) {
            static const double one[] = {1.0};
            nnd_eigenmodes p = {1, one, one, &b2[c]};
            nnd_pair_task task = {.samples = alpha[i], .label_noise = 0.5};
            nnd_pair_overlaps o;
            nnd_pair_ridge(&p, &task, 0.0, &o);
            cross[c * 3] = o.cross[1];
            self[c * 3] = o.self[1];
        }
        ck_assert_int_eq(nnd_cka_outputs(ctx, 2, cross, self, self, &cka), NND_OK);
        test_close("CKA", cka, want[i], TABLE_RTOL);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Outputs that are alike: the squared cosine of one; a rotation of the outputs changes nothing. */
START_TEST(outputs_alike_or_rotated) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s[] = {0.6, 0, 0, 0.6}, g[] = {1.5, 0, 0, 1.5};
    double cka, turned;
    ck_assert_int_eq(nnd_cka_outputs(ctx, 2, s, g, g, &cka), NND_OK);
    test_close("alike", cka, 0.16, 1e-14);
    const double a = cos(0.3), b = sin(0.3), r[] = {a, -b, b, a};
    const double in[3][4] = {{0.6, 0.1, 0.1, 0.2}, {1.5, 0.2, 0.2, 0.7}, {1.2, -0.1, -0.1, 0.9}};
    double out[3][4] = {{0}};
    for (int m = 0; m < 3; m++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                out[m][i] += r[i / 2 * 2 + j / 2] * in[m][j] * r[i % 2 * 2 + j % 2];
    ck_assert_int_eq(nnd_cka_outputs(ctx, 2, in[0], in[1], in[2], &cka), NND_OK);
    ck_assert_int_eq(nnd_cka_outputs(ctx, 2, out[0], out[1], out[2], &turned), NND_OK);
    test_close("rotated", turned, cka, 1e-13);
    const double singular[] = {1, 1, 1, 1};
    ck_assert_int_eq(nnd_cka_outputs(ctx, 2, s, g, singular, &cka), NND_E_INPUT);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(initial_features) {
    const nnd_gaussian_features same = {0.1, 0.5, 400.0, true}, own = {0.1, 0.5, 400.0, false};
    test_close("same features, before", nnd_cka_gaussian(&same, 0.0, 0.3), 1.0, 1e-15);
    test_close("own features, before", nnd_cka_gaussian(&own, 0.0, 0.3), 0.5 / 1.5, 1e-14);
    const nnd_gaussian_features small = {1e-9, 0.5, 400.0, false};
    test_close("rich", nnd_cka_gaussian(&small, 1.3, 0.3), 0.09, 1e-7);
    const double self[] = {1.3, 1.3, 1.3};
    test_close("white, lazy", nnd_cka_white(1e6, 100.0, self, 0.5), 1.0, 1e-10);
    test_close("white, rich", nnd_cka_white(1e-9, 100.0, self, 0.5), pow(0.5 / 1.3, 2), 1e-7);
    const double none[] = {0.0, 0.0, 0.0};
    ck_assert(nnd_cka_white(0.3, 100.0, none, 0.0) == 1.0);
    /* isotropic form */
    double w2 = 0.4, delta = nnd_white_growth(w2, 1.3), d = 120.0, rho = 0.6;
    test_close("growth", delta, 0.5 * (sqrt(w2 * w2 + 4 * 1.3) - w2), 1e-14);
    double common = d * w2 * w2 + 2 * w2 * delta;
    test_close("white", nnd_cka_white(w2, d, self, rho * 1.3),
               (common + delta * delta * rho * rho) / (common + delta * delta), 1e-14);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("representation");
    TCase *cases = tcase_create("CKA");
    tcase_add_test(cases, finite_probes_reference_case);
    tcase_add_test(cases, finite_probes_limits);
    tcase_add_test(cases, imbalance_of_gaussian_columns);
    tcase_add_test(cases, two_outputs_reference_case);
    tcase_add_test(cases, outputs_alike_or_rotated);
    tcase_add_test(cases, initial_features);
    suite_add_tcase(suite, cases);
    return test_main(suite);
}
