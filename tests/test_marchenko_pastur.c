/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>

#include <lapacke.h>

#include "core/rng.h"
#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/tracy_widom.h"
#include "support.h"

/* Eight digits printed by another program. */
START_TEST(density_and_share_of_ratio_two_thirds) {
    static const double want[][3] = {{0.1, 1.09978254, 0.07114487},
                                     {0.5, 0.54555566, 0.36975132},
                                     {1.0, 0.35588127, 0.5881608},
                                     {2.0, 0.19082007, 0.85147539},
                                     {3.0, 0.07502636, 0.98529589}};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_eq_tol(nnd_mp_density(2.0 / 3.0, 1.0, want[i][0]), want[i][1], 6e-9);
        ck_assert_double_eq_tol(nnd_mp_cdf(2.0 / 3.0, 1.0, want[i][0]), want[i][2], 6e-9);
    }
}
END_TEST

/* With z = mean - radius cos(x) the density times dz/dx is periodic and analytic, and its sum over
 * midpoints is the integral; the integrand has poles at |Im x| = |log sqrt c|. */
static double share(double ratio, double sigma2, double z) {
    const int n = 4000;
    double a = nnd_mp_lower(ratio, sigma2), b = nnd_mp_upper(ratio, sigma2), sum = 0.0;
    double end = acos(fmax(-1.0, fmin(1.0, (a + b - 2.0 * z) / (b - a))));
    for (int i = 0; i < n; i++) {
        double x = end * (i + 0.5) / n;
        sum += end / n * 0.5 * (b - a) * sin(x) *
               nnd_mp_density(ratio, sigma2, 0.5 * (a + b) - 0.5 * (b - a) * cos(x));
    }
    return sum + fmax(0.0, 1.0 - 1.0 / ratio);
}

/* Not over a whole period: the error of the midpoints is (end/n)^2/24 times the derivative there,
 * which stays below 20 for these ratios. */
START_TEST(share_is_the_integral_of_the_density) {
    static const double ratio[] = {1e-4, 0.005, 0.02, 0.3, 0.7, 1.5, 40.0};
    for (size_t i = 0; i < sizeof ratio / sizeof *ratio; i++)
        for (int k = 0; k <= 10; k++) {
            double a = nnd_mp_lower(ratio[i], 1.7), b = nnd_mp_upper(ratio[i], 1.7);
            double z = a + (b - a) * k / 10.0;
            double got = nnd_mp_cdf(ratio[i], 1.7, z), want = share(ratio[i], 1.7, z);
            ck_assert_msg(fabs(got - want) < 20.0 * M_PI * M_PI / 24.0 / 16e6,
                          "ratio %g, z %g: want %.12g, got %.12g", ratio[i], z, want, got);
        }
}
END_TEST

/* Thin matrices: the semicircle, of which ratio r^2 differs by O(r). Both ways of summing meet. */
START_TEST(share_is_smooth_in_the_ratio) {
    for (int k = 1; k < 10; k++) {
        double u = cos(M_PI * k / 10.0),
               semicircle = 1.0 - (k / 10.0 - sin(M_PI * k / 5.0) / (2.0 * M_PI));
        double r = 1e-6, z = 1.0 + r * r + 2.0 * r * u;
        ck_assert_double_eq_tol(nnd_mp_cdf(r * r, 1.0, z), semicircle, 1e-6);
        double below = 0.1 * (1.0 - 1e-13), above = 0.1 * (1.0 + 1e-13);
        ck_assert_double_eq_tol(nnd_mp_cdf(below * below, 1.0, 1.01 + 0.2 * u),
                                nnd_mp_cdf(above * above, 1.0, 1.01 + 0.2 * u), 1e-12);
    }
}
END_TEST

START_TEST(quantiles_lead_back) {
    static const double ratio[] = {1e-4, 0.3, 1.0, 2.5};
    for (size_t i = 0; i < 4; i++)
        for (double p = 0.05; p < 1.0; p += 0.1) {
            double atom = fmax(0.0, 1.0 - 1.0 / ratio[i]);
            double z = nnd_mp_quantile(ratio[i], 0.4, p);
            if (p < atom)
                ck_assert_double_eq(z, 0.0);
            else
                ck_assert_double_eq_tol(nnd_mp_cdf(ratio[i], 0.4, z), p, 1e-12);
        }
    test_close("last", nnd_mp_quantile(0.3, 0.4, 1.0), nnd_mp_upper(0.3, 0.4), 1e-14);
    test_close("first", nnd_mp_quantile(0.3, 0.4, 0.0), nnd_mp_lower(0.3, 0.4), 1e-14);
    ck_assert(isnan(nnd_mp_quantile(0.3, 1.0, 1.1)) && isnan(nnd_mp_cdf(0.3, 1.0, NAN)));
}
END_TEST

/* Extreme eigenvalues of many small matrices: their means are those of the law of Tracy and Widom
 * to order n^(-2/3) of its width, 1/20 here, and 5 standard errors. */
START_TEST(extreme_eigenvalues_of_small_matrices) {
    enum { ROWS = 90, COLS = 40, COUNT = 250 };
    double *x = calloc(ROWS * COLS, sizeof *x), s[COLS], unused[1], sum[4] = {0.0};
    for (size_t k = 0; k < COUNT; k++) {
        nnd_rng_normals((nnd_rng_key){5, k, ROWS}, 0, 0, ROWS * COLS, x);
        ck_assert_int_eq(LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', COLS, ROWS, x, COLS, s, unused, COLS,
                                        unused, ROWS),
                         0);
        nnd_mp_edge top = nnd_mp_largest(ROWS, COLS), low = nnd_mp_smallest(COLS, ROWS);
        double a = (s[0] * s[0] - top.centre) / top.scale;
        double b = (low.centre - s[COLS - 1] * s[COLS - 1]) / low.scale;
        sum[0] += a / COUNT;
        sum[1] += a * a / COUNT;
        sum[2] += b / COUNT;
        sum[3] += b * b / COUNT;
    }
    double mean = nnd_tracy_widom_mean(1), sd = nnd_tracy_widom_sd(1);
    double sampling = 5.0 * sd / sqrt(COUNT);
    ck_assert_double_eq_tol(sum[0], mean, sampling + 0.05 * sd);
    ck_assert_double_eq_tol(sqrt(sum[1] - sum[0] * sum[0]), sd, sampling + 0.05 * sd);
    /* The lower edge is known to order n^(-1/3) only. */
    ck_assert_double_eq_tol(sum[2], mean, sampling + 0.3 * sd);
    free(x);
    ck_assert(isnan(nnd_mp_smallest(7, 7).centre));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("marchenko_pastur");
    TCase *tests = tcase_create("marchenko_pastur");
    tcase_add_test(tests, density_and_share_of_ratio_two_thirds);
    tcase_add_test(tests, share_is_the_integral_of_the_density);
    tcase_add_test(tests, share_is_smooth_in_the_ratio);
    tcase_add_test(tests, quantiles_lead_back);
    tcase_add_test(tests, extreme_eigenvalues_of_small_matrices);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
