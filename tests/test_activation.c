/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations: values against the C library, derivatives against finite differences, smoothing
 * against quadrature. */
#include <gsl/gsl_integration.h>
#include <math.h>

#include "support.h"

enum { POINTS = 1001 };

static const double GAINS[] = {1.0, 0.4};
static const double SCALES[] = {1.0, 1.7};
static const double SMOOTHINGS[] = {0.0, 0.2};

static double phi0(int name, double x) {
    switch (name) {
    case NND_TANH:
        return tanh(x);
    case NND_ERF:
        return erf(x);
    case NND_RELU:
        return x > 0.0 ? x : 0.0;
    case NND_GELU:
        return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
    case NND_SOFTPLUS:
        return x > 30.0 ? x : log1p(exp(x));
    case NND_TANH_GELU:
        return 0.5 * x * (1.0 + tanh(sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    default:
        return x;
    }
}

static void grid(double *h) {
    for (size_t i = 0; i < POINTS; i++)
        h[i] = -6.0 + 12.0 * (double)i / (POINTS - 1) + 1e-3;
}

static nnd_activation activation(int i) {
    return (nnd_activation){.name = i / 4,
                            .gain = GAINS[i % 2],
                            .scale = SCALES[i % 2],
                            .smoothing = SMOOTHINGS[i / 2 % 2]};
}

START_TEST(sharp_values_are_those_of_the_c_library) {
    nnd_activation a = {_i, 0.7, 1.3, 0.0};
    double h[POINTS], phi[POINTS];
    grid(h);
    nnd_activation_apply(&a, POINTS, h, phi, NULL, NULL, NULL);
    for (size_t i = 0; i < POINTS; i++) {
        double want = 1.3 / 0.7 * phi0(_i, 0.7 * h[i]);
        ck_assert_msg(fabs(phi[i] - want) <= 1e-15 * fmax(1.0, fabs(want)) * 8.0,
                      "%d at %g: want %.17g got %.17g", _i, h[i], want, phi[i]);
    }
}
END_TEST

START_TEST(derivatives_are_limits_of_differences) {
    nnd_activation a = activation(_i);
    double h[POINTS], at[POINTS], f[4][POINTS], up[3][POINTS], down[3][POINTS];
    const double step = 1e-5;
    grid(h);
    nnd_activation_apply(&a, POINTS, h, f[0], f[1], f[2], f[3]);
    for (size_t i = 0; i < POINTS; i++)
        at[i] = h[i] + step;
    nnd_activation_apply(&a, POINTS, at, up[0], up[1], up[2], NULL);
    for (size_t i = 0; i < POINTS; i++)
        at[i] = h[i] - step;
    nnd_activation_apply(&a, POINTS, at, down[0], down[1], down[2], NULL);
    /* Error of the difference: step^2/6 times the third derivative above (< 300 where smoothing
     * is narrow), and rounding/step. */
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < POINTS; i++)
            if (a.name != NND_RELU || a.smoothing > 0.0 || fabs(h[i]) > 2.0 * step)
                ck_assert_double_eq_tol((up[k][i] - down[k][i]) / (2.0 * step), f[k + 1][i], 2e-8);
}
END_TEST

/* At h = 0.7 with gain 1.25 and scale 0.6; at h = -0.9 with gain 0.8, scale 1.5, smoothing 0.4.
 * To 18 digits by quadrature with 40. */
START_TEST(values_and_derivatives_are_those_of_high_precision) {
    static const double sharp[7][4] = {
        {0.42, 0.6, 0.0, 0.0},
        {0.337874689889578109, 0.302710140447972459, -0.532698410574423592, 0.460166047643090185},
        {0.376356029308732636, 0.314847027174088931, -0.688727871943319537, 0.522695259956983577},
        {0.42, 0.6, 0.0, 0.0},
        {0.339869479801945537, 0.628356702437228964, 0.251863416467635979, -0.721815843476274788},
        {0.587253398882426742, 0.423471016702206735, 0.155739391738590386, -0.0801220876606125468},
        {0.33981728665845841, 0.628150728226125686, 0.251650475070384303, -0.718919676694985287}};
    static const double smooth[7][4] = {
        {-1.35, 1.5, 0.0, 0.0},
        {-1.08947497335995631, 0.931118188351514419, 0.768495257005026399, -0.0831364145655174017},
        {-1.21203252938759131, 1.0028156287071499, 0.958867533425163252, -0.148562920185394926},
        {0.00254075301709010019, 0.0183367089825670547, 0.119023694383752809, 0.669508280908609551},
        {-0.275022528585699016, 0.0754081321952597088, 0.533618235416148562, 0.620464829676963898},
        {0.7645818962461756, 0.4966948084613832, 0.259979833360823141, 0.0673039015812796308},
        {-0.275171695053041486, 0.075715454136497162, 0.533399296992869435, 0.619256020858580801}};
    const nnd_activation sharply = {_i, 1.25, 0.6, 0.0}, smoothly = {_i, 0.8, 1.5, 0.4};
    double at = 0.7, below = -0.9, f[4], g[4];
    nnd_activation_apply(&sharply, 1, &at, &f[0], &f[1], &f[2], &f[3]);
    nnd_activation_apply(&smoothly, 1, &below, &g[0], &g[1], &g[2], &g[3]);
    /* A few roundings of numbers of order 1 to 10, some of which cancel. */
    for (size_t k = 0; k < 4; k++) {
        ck_assert_double_eq_tol(f[k], sharp[_i][k], 4e-15);
        ck_assert_double_eq_tol(g[k], smooth[_i][k], 4e-15);
    }
}
END_TEST

struct average {
    const nnd_activation *a;
    double h;
};

static double integrand(double y, void *data) {
    const struct average *v = data;
    double x = v->a->gain * (v->h + v->a->smoothing * y);
    return v->a->scale / v->a->gain * phi0(v->a->name, x) * exp(-0.5 * y * y) / sqrt(2.0 * M_PI);
}

START_TEST(smoothing_is_a_gaussian_average) {
    nnd_activation a = {_i, 0.8, 1.2, 0.3};
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(1000);
    for (double h = -2.0; h < 2.1; h += 0.5) {
        struct average v = {&a, h};
        gsl_function f = {integrand, &v};
        /* Split at the kink. */
        double kink = fmax(-10.0, fmin(10.0, -h / a.smoothing)), left, right, error, phi;
        gsl_integration_qags(&f, -11.0, kink, 1e-13, 1e-12, 1000, w, &left, &error);
        gsl_integration_qags(&f, kink, 11.0, 1e-13, 1e-12, 1000, w, &right, &error);
        nnd_activation_apply(&a, 1, &h, &phi, NULL, NULL, NULL);
        ck_assert_double_eq_tol(phi, left + right, 1e-11);
    }
    gsl_integration_workspace_free(w);
}
END_TEST

START_TEST(oddness_and_homogeneity_hold) {
    nnd_activation a = activation(_i);
    double h[] = {0.3, -0.3, 0.9, -0.9}, phi[4];
    nnd_activation_apply(&a, 4, h, phi, NULL, NULL, NULL);
    if (nnd_activation_is_odd(&a))
        ck_assert_double_eq_tol(phi[0], -phi[1], 1e-15);
    if (nnd_activation_is_homogeneous(&a)) {
        ck_assert_double_eq_tol(3.0 * phi[0], phi[2], 1e-15);
        ck_assert_double_eq_tol(3.0 * phi[1], phi[3], 1e-15);
    }
}
END_TEST

START_TEST(a_point_does_not_depend_on_its_neighbours) {
    nnd_activation a = activation(_i);
    double h[POINTS], phi[POINTS], one;
    grid(h);
    nnd_activation_apply(&a, POINTS, h, phi, NULL, NULL, NULL);
    for (size_t i = 0; i < POINTS; i += 97) {
        nnd_activation_apply(&a, 1, h + i, &one, NULL, NULL, NULL);
        ck_assert_double_eq(one, phi[i]);
    }
}
END_TEST

START_TEST(what_is_not_a_number_stays_so) {
    nnd_activation a = activation(_i);
    double h = NAN, phi;
    nnd_activation_apply(&a, 1, &h, &phi, NULL, NULL, NULL);
    ck_assert(isnan(phi));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("activation");
    TCase *tests = tcase_create("activation");
    tcase_add_loop_test(tests, sharp_values_are_those_of_the_c_library, 0, 7);
    tcase_add_loop_test(tests, derivatives_are_limits_of_differences, 0, 28);
    tcase_add_loop_test(tests, values_and_derivatives_are_those_of_high_precision, 0, 7);
    tcase_add_loop_test(tests, smoothing_is_a_gaussian_average, 0, 7);
    tcase_add_loop_test(tests, oddness_and_homogeneity_hold, 0, 28);
    tcase_add_loop_test(tests, a_point_does_not_depend_on_its_neighbours, 0, 28);
    tcase_add_loop_test(tests, what_is_not_a_number_stays_so, 0, 28);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
