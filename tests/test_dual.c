/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gaussian moments of activations: closed forms against quadrature, exact limits. */
#include <math.h>

#include "solvers/pair_moments.h"
#include "support.h"
#include "theory/dual.h"

static const double PAIR[] = {1.3, 0.6, 0.6, 0.8};

static void solve(nnd_context *ctx, nnd_activation a, size_t n, const double *h, double *phi,
                  double *slope) {
    ck_assert_int_eq(nnd_dual_moments(ctx, &a, n, h, phi, slope), NND_OK);
}

/* Panels in polar coordinates, which know nothing of closed forms or of trapezoids. */
START_TEST(all_activations_agree_with_polar_panels) {
    static const nnd_activation all[] = {
        {NND_LINEAR, 1.0, 1.5, 0.0},   {NND_ERF, 1.0, 1.0, 0.0},  {NND_ERF, 3.0, 0.7, 0.0},
        {NND_RELU, 1.0, M_SQRT2, 0.0}, {NND_RELU, 1.0, 1.0, 0.3}, {NND_ERF, 1.0, 1.0, 0.4},
        {NND_TANH, 1.0, 1.0, 0.0},     {NND_TANH, 2.0, 1.0, 0.0}, {NND_GELU, 1.0, 1.0, 0.0},
        {NND_SOFTPLUS, 1.5, 1.0, 0.0}, {NND_GELU, 1.5, 0.8, 0.3},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    double phi[4], slope[4];
    nnd_pair_moment f, s;
    solve(ctx, all[_i], 2, PAIR, phi, slope);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j <= i; j++) {
            double q11 = PAIR[3 * i], q12 = PAIR[2 * i + j], q22 = PAIR[3 * j];
            ck_assert_int_eq(nnd_pair_moments(ctx, &all[_i], q11, q12, q22, &f, &s), NND_OK);
            test_close("phi", phi[2 * i + j], f.value, 2e-9);
            test_close("slope", slope[2 * i + j], s.value, 2e-9);
            ck_assert_double_eq(phi[2 * i + j], phi[2 * j + i]);
        }
    nnd_context_free(ctx);
}
END_TEST

/* gain tanh and gain erf become the sign: <sign sign> = (2/pi) asin(correlation), from which they
 * are 1/gain away. The trapezoids would take gain^2 nodes. */
START_TEST(steep_activations_become_the_sign) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double limit = M_2_PI * asin(0.6 / sqrt(1.3 * 0.8));
    double before = 0.0, phi[4], slope[4];
    for (double gain = 10.0; gain < 2e5; gain *= 10.0) {
        solve(ctx, (nnd_activation){NND_TANH, gain, gain, 0.0}, 2, PAIR, phi, slope);
        double off = fabs(phi[1] - limit);
        if (before > 0.0)
            ck_assert_msg(off < 0.2 * before, "gain %g: off by %g, %g before", gain, off, before);
        before = off;
        /* <phi'^2> = gain (4/3) p(0): the square of a narrow bell. */
        if (gain > 5e3)
            test_close("slope", slope[0] / gain, 4.0 / 3.0 / sqrt(2.0 * M_PI * 1.3), 1e-6);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Where the grid gives way to panels both hold. */
START_TEST(the_two_quadratures_meet) {
    nnd_context *ctx = nnd_context_new(NULL);
    double grid[4], panels[4], grid_slope[4], panel_slope[4];
    const double length = sqrt(1.3), gain = 0.28 / 0.05 / length;
    solve(ctx, (nnd_activation){NND_TANH, gain * (1.0 - 1e-9), 1.0, 0.0}, 2, PAIR, grid,
          grid_slope);
    solve(ctx, (nnd_activation){NND_TANH, gain * (1.0 + 1e-9), 1.0, 0.0}, 2, PAIR, panels,
          panel_slope);
    for (int i = 0; i < 4; i++) {
        test_close("phi", panels[i], grid[i], 1e-8);
        test_close("slope", panel_slope[i], grid_slope[i], 1e-8);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(fields_without_length_stay_at_zero) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double h[] = {1.0, 0.0, 0.0, 0.0};
    double phi[4], slope[4], half[1], unused[1];
    for (double gain = 1.0; gain < 200.0; gain *= 100.0) {
        solve(ctx, (nnd_activation){NND_SOFTPLUS, gain, 1.0, 0.0}, 2, h, phi, slope);
        test_close("phi(0)^2", phi[3], M_LN2 * M_LN2 / (gain * gain), 1e-12);
        test_close("phi'(0)^2", slope[3], 0.25, 1e-12);
        /* phi'(0) <phi'(h)> with <phi'> = 1/2 by symmetry. */
        test_close("cross", slope[1], 0.25, 1e-10);
    }
    solve(ctx, (nnd_activation){NND_RELU, 1.0, 1.0, 0.0}, 1, h, half, unused);
    test_close("relu", half[0], 0.5, 1e-15);
    nnd_context_free(ctx);
}
END_TEST

/* u = v: <erf'^2> = (4/pi)/sqrt(1 + 4 g^2 h), whose terms cancel as g^4. */
START_TEST(steep_erf_keeps_its_digits) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double h[] = {2.0};
    double phi[1], slope[1];
    for (double gain = 1.0; gain < 1e9; gain *= 1e4) {
        solve(ctx, (nnd_activation){NND_ERF, gain, 1.0, 0.0}, 1, h, phi, slope);
        double wide = sqrt(1.0 + 8.0 * gain * gain);
        test_close("slope", slope[0], 4.0 / M_PI / wide, 1e-14);
        test_close("phi", phi[0] * gain * gain, M_2_PI * atan2(4.0 * gain * gain, wide), 1e-14);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dual");
    TCase *tests = tcase_create("dual");
    tcase_add_loop_test(tests, all_activations_agree_with_polar_panels, 0, 11);
    tcase_add_test(tests, steep_activations_become_the_sign);
    tcase_add_test(tests, the_two_quadratures_meet);
    tcase_add_test(tests, fields_without_length_stay_at_zero);
    tcase_add_test(tests, steep_erf_keeps_its_digits);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
