/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Directions that few rows have: tables of attributes whose samples are known with and without. */
#include "theory/alignment_rare.h"

#include <math.h>

#include "support.h"

enum { FEW = 64, SOME = 32, ROWS = 2 * FEW * SOME };

/* An attribute of one of n, less its mean, of variance 1: its square is 1/(n - 1) without it. */
static double attribute(bool on, double n) {
    return on ? sqrt(n - 1.0) : -1.0 / sqrt(n - 1.0);
}

/* Of all combinations row i: an attribute of one of FEW, one of one of SOME, and a sign. */
static void combination(size_t i, double x[3]) {
    x[0] = attribute(i % FEW == 0, FEW);
    x[1] = attribute(i / FEW % SOME == 0, SOME);
    x[2] = i / FEW / SOME == 0 ? 1.0 : -1.0;
}

static double kurtosis(double n) {
    return n - 1.0 + 1.0 / (n - 1.0) - 1.0;
}

static double rare_noise(const nnd_alignment_rows *rows, double samples, double kappa) {
    nnd_context *ctx = nnd_context_new(NULL);
    double part = NAN;
    ck_assert_int_eq(nnd_alignment_rare_noise(ctx, rows, samples, kappa, &part), NND_OK);
    nnd_context_free(ctx);
    return part;
}

/* s H/(H + kappa)^2 of a direction of variance s, of which samples have H = v s. */
static double noise(double s, double v, double kappa) {
    return s * v * s / pow(v * s + kappa, 2.0);
}

/* Both attributes count, each as samples lack it; a direction that no measured row has counts as
 * one that is learned. Of the square of u 1e-8 is left along others, of a v of 1/63. */
START_TEST(noise_of_two_attributes_adds_up) {
    static double coordinate[4 * ROWS];
    const double eigenvalue[] = {1.5, 1.0, 0.5, 0.25}, kappa = 0.02, samples = 150.0;
    for (size_t i = 0; i < ROWS; i++)
        combination(i, coordinate + 4 * i);
    nnd_alignment_rows rows = {
        .rows = ROWS, .rank = 4, .eigenvalue = eigenvalue, .coordinate = coordinate};
    double all = 0.0, more = 0.0;
    for (size_t k = 0; k < 4; k++)
        all += noise(eigenvalue[k], 1.0, kappa);
    for (size_t k = 0; k < 2; k++) {
        double n = k == 0 ? FEW : SOME;
        more += exp(-samples / kurtosis(n)) *
                (noise(eigenvalue[k], 1.0 / (n - 1.0), kappa) - noise(eigenvalue[k], 1.0, kappa));
    }
    test_close("noise", rare_noise(&rows, samples, kappa), more / all, 1e-6);
}
END_TEST

/* tr S R H R with R = (H + kappa)^-1 for S = diag(s) and H = S^1/2 C S^1/2 of two directions, where
 * C has the diagonal (1 + v)/2 and beside it (v - 1)/2. */
static double noise_between(const double s[2], double v, double kappa) {
    double h[2][2], r[2][2], sum = 0.0;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            h[i][j] = sqrt(s[i] * s[j]) * (i == j ? 1.0 + v : v - 1.0) / 2.0;
    double a = h[0][0] + kappa, d = h[1][1] + kappa, det = a * d - h[0][1] * h[1][0];
    r[0][0] = d / det;
    r[1][1] = a / det;
    r[0][1] = r[1][0] = -h[0][1] / det;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            for (size_t k = 0; k < 2; k++)
                sum += s[i] * r[i][j] * h[j][k] * r[k][i];
    return sum;
}

/* Half way between two eigenvectors, along each of which kurtosis is about a quarter. To leading
 * order in kappa over s, which is 0.02, the direction is an eigenvector of C in any metric. */
START_TEST(an_attribute_across_eigenvectors_is_found) {
    static double coordinate[2 * ROWS];
    const double eigenvalue[] = {1.5, 0.5}, kappa = 0.01, samples = 200.0, v = 1.0 / (FEW - 1.0);
    double along = (kurtosis(FEW) + 6.0 + 1.0) / 4.0;
    for (size_t i = 0; i < ROWS; i++) {
        double x[3];
        combination(i, x);
        coordinate[2 * i] = (x[0] + x[2]) / sqrt(2.0);
        coordinate[2 * i + 1] = (x[0] - x[2]) / sqrt(2.0);
    }
    nnd_alignment_rows rows = {.rows = ROWS,
                               .rank = 2,
                               .eigenvalue = eigenvalue,
                               .coordinate = coordinate,
                               .kurtosis = (double[]){along, along}};
    double usual = noise_between(eigenvalue, 1.0, kappa);
    double more = exp(-samples / kurtosis(FEW)) * (noise_between(eigenvalue, v, kappa) - usual);
    test_close("noise", rare_noise(&rows, samples, kappa), more / usual, 0.02);
    ck_assert_double_gt(more / usual, 0.0125);
    ck_assert_double_lt(nnd_alignment_unseen(&rows, samples, kappa), 0.0125);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rare directions");
    TCase *tests = tcase_create("rare directions");
    tcase_add_test(tests, noise_of_two_attributes_adds_up);
    tcase_add_test(tests, an_attribute_across_eigenvectors_is_found);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
