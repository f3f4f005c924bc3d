/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "nndmft/solvers/tracy_widom.h"
#include "support.h"

/* Printed digits of published tables, 12 after the point. */
static const double DIGITS = 5e-13;

static void check_absolute(const char *what, double x, double got, double want, double atol) {
    ck_assert_msg(fabs(got - want) <= atol, "%s at %.17g: want %.17g, got %.17g (%.2g)", what, x,
                  want, got, got - want);
}

START_TEST(values_of_other_programs_are_met) {
    static const double one[][2] = {
        {-3.0, 0.069600118867}, {0.0, 0.831908066203}, {1.0, 0.951421236912}};
    static const double two[][2] = {{-2.0, 0.413224142505}, {0.0, 0.969372828355}};
    for (size_t i = 0; i < 3; i++)
        check_absolute("F1", one[i][0], nnd_tracy_widom_cdf(1, one[i][0]), one[i][1], DIGITS);
    for (size_t i = 0; i < 2; i++)
        check_absolute("F2", two[i][0], nnd_tracy_widom_cdf(2, two[i][0]), two[i][1], DIGITS);
}
END_TEST

/* The sum over equidistant points of an analytic function that falls off at both ends is its
 * integral, here to 1e-14. Published: 13 digits of each moment. */
START_TEST(moments_of_the_density_are_the_published_ones) {
    const double h = 0.2;
    for (int beta = 1; beta <= 2; beta++) {
        double sum[3] = {0.0, 0.0, 0.0};
        for (double x = -11.0; x < 16.0; x += h) {
            double f = h * nnd_tracy_widom_density(beta, x);
            sum[0] += f;
            sum[1] += f * x;
            sum[2] += f * x * x;
        }
        check_absolute("mass", beta, sum[0], 1.0, 1e-12);
        check_absolute("mean", beta, nnd_tracy_widom_mean(beta), sum[1], 1e-11);
        double variance = sum[2] - sum[1] * sum[1], sd = nnd_tracy_widom_sd(beta);
        check_absolute("variance", beta, sd * sd, variance, 1e-11);
    }
}
END_TEST

/* By Simpson's rule with steps h = .1, whose error is h^5/90 times the fourth derivative, < 2. */
START_TEST(density_is_the_derivative_of_the_distribution_function) {
    for (int beta = 1; beta <= 2; beta++)
        for (double x = -6.0; x < 3.0; x += 0.6) {
            double area =
                0.1 / 3.0 *
                (nnd_tracy_widom_density(beta, x) + 4.0 * nnd_tracy_widom_density(beta, x + 0.1) +
                 nnd_tracy_widom_density(beta, x + 0.2));
            double step = nnd_tracy_widom_cdf(beta, x + 0.2) - nnd_tracy_widom_cdf(beta, x);
            check_absolute("step of F", x, step, area, 1e-5 / 90.0 * 2.0);
        }
}
END_TEST

/* Far up the determinant is 1 - tr B: the tail is the integral of Ai(2u + s), which is
 * (1/2) int_s^inf Ai, or (4 pi)^(-1/2) s^(-3/4) exp(-(2/3) s^(3/2))/2 (1 - 41/(48 s^(3/2)) ...). */
START_TEST(upper_tail_keeps_its_digits) {
    for (double s = 10.0; s < 45.0; s *= 1.5) {
        double power = pow(s, 1.5);
        double want = exp(-2.0 / 3.0 * power) / (4.0 * sqrt(M_PI) * pow(s, 0.75)) *
                      (1.0 - 41.0 / (48.0 * power) + 9241.0 / (4608.0 * power * power));
        double got = nnd_tracy_widom_tail(1, s);
        /* The next term of the series. */
        test_close("tail", got, want, 8.0 / (power * power * power));
    }
    ck_assert_double_eq(nnd_tracy_widom_tail(1, 1e6), 0.0);
    ck_assert_double_eq(nnd_tracy_widom_cdf(2, 1e6), 1.0);
}
END_TEST

/* log F_beta = -beta |s|^3/24 - ... : F_1 = tau_1 exp(-|s|^3/24 - |s|^(3/2)/(3 sqrt 2))
 * |s|^(-1/16), tau_1 = 2^(-11/48) exp(zeta'(-1)/2), with corrections of order |s|^(-3/2) (Baik,
 * Buckingham and DiFranco 2008). */
START_TEST(lower_tail_is_the_known_one) {
    static const double zeta = -0.16542114370045092;
    for (double s = 3.0; s < 7.5; s += 1.0) {
        double want = pow(2.0, -11.0 / 48.0) * exp(0.5 * zeta) *
                      exp(-s * s * s / 24.0 - pow(s, 1.5) / (3.0 * sqrt(2.0))) *
                      pow(s, -1.0 / 16.0);
        test_close("F1", nnd_tracy_widom_cdf(1, -s), want, 0.3 / pow(s, 1.5));
    }
}
END_TEST

START_TEST(quantiles_lead_back) {
    static const double p[] = {1e-6, 0.001, 0.3, 0.5, 0.95, 1.0 - 0x1p-20};
    for (int beta = 1; beta <= 2; beta++)
        for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
            double x = nnd_tracy_widom_quantile(beta, p[i]);
            check_absolute("F(quantile)", x, nnd_tracy_widom_cdf(beta, x), p[i], 1e-13);
        }
    ck_assert(isinf(nnd_tracy_widom_quantile(1, 0.0)) && isinf(nnd_tracy_widom_quantile(1, 1.0)));
}
END_TEST

START_TEST(nonsense_is_no_number) {
    ck_assert(isnan(nnd_tracy_widom_cdf(4, 0.0)) && isnan(nnd_tracy_widom_tail(0, 0.0)));
    ck_assert(isnan(nnd_tracy_widom_cdf(1, NAN)) && isnan(nnd_tracy_widom_density(2, NAN)));
    ck_assert(isnan(nnd_tracy_widom_quantile(1, 1.5)) && isnan(nnd_tracy_widom_quantile(3, 0.5)));
    ck_assert(isnan(nnd_tracy_widom_mean(3)) && isnan(nnd_tracy_widom_sd(0)));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tracy_widom");
    TCase *tests = tcase_create("tracy_widom");
    tcase_add_test(tests, values_of_other_programs_are_met);
    tcase_add_test(tests, moments_of_the_density_are_the_published_ones);
    tcase_add_test(tests, density_is_the_derivative_of_the_distribution_function);
    tcase_add_test(tests, upper_tail_keeps_its_digits);
    tcase_add_test(tests, lower_tail_is_the_known_one);
    tcase_add_test(tests, quantiles_lead_back);
    tcase_add_test(tests, nonsense_is_no_number);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
