/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels at initialisation and training under them: closed forms, the numbers of
 * fluctuations.md#s8, and the influence-function engine in the lazy limit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/timegrid.h"
#include "nndmft/solvers/influence.h"
#include "nndmft/solvers/layer_kernels.h"
#include "nndmft/solvers/nodes.h"
#include "nndmft/solvers/static_kernel.h"
#include "solvers/pair_moments.h"
#include "support.h"

static const nnd_activation LINEAR = {NND_LINEAR, 1.0, 1.0, 0.0};
static const nnd_activation TANH = {NND_TANH, 0.4, 1.0, 0.0};
static const nnd_activation RELU = {NND_RELU, 1.0, M_SQRT2, 0.0};

static const double ONE[] = {1.0};

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g, off by %.2g", what,
                  want, got, fabs(got - want));
}

static void solve(nnd_context *ctx, const nnd_activation *phi, size_t depth, size_t points,
                  double sigma_w, const double *gram, size_t samples, nnd_layer_kernels *out) {
    const nnd_layers net = {phi, depth, points, sigma_w, gram};
    nnd_status status = nnd_layer_kernels_run(ctx, &net, samples, 1, 0, out);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
}

START_TEST(relu_and_linear_have_their_closed_forms) {
    const double rounding = 1e-12;
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t depth = 1; depth <= 6; depth++)
        for (int relu = 0; relu < 2; relu++) {
            nnd_layer_kernels k;
            solve(ctx, relu ? &RELU : &LINEAR, depth, 1, 1.0, ONE, 0, &k);
            double L = (double)depth, c = relu ? 5.0 : 2.0;
            for (size_t l = 1; l <= depth; l++)
                for (size_t m = 1; m <= depth; m++) {
                    double low = fmin((double)l, (double)m), high = fmax((double)l, (double)m);
                    near("Phi, Phi", k.ncov[(l - 1) * 2 * depth + m - 1], c * low,
                         c * low * rounding);
                    near("G, G", k.ncov[(depth + l - 1) * 2 * depth + depth + m - 1],
                         c * (L + 1.0 - high), c * L * rounding);
                    near("Phi, G", k.ncov[(l - 1) * 2 * depth + depth + m - 1],
                         relu && l >= m ? (double)(l - m + 1) : 0.0, L * rounding);
                }
            double variance = c / 3.0 * L * (L + 1.0) * (2.0 * L + 1.0) +
                              (relu ? L * (L + 1.0) * (L + 2.0) / 3.0 : 0.0);
            near("K", k.ntk[0], L + 1.0, (L + 1.0) * rounding);
            near("N Var K", k.ntk_ncov[0], variance, variance * rounding);
            nnd_layer_kernels_clear(&k);
        }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R6_is_met_to_the_digits_printed) {
    static const double phi[] = {0.7741866194, 0.629687408, 0.5296898919, 0.4565673327};
    const double printed = 6e-11;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_layer_kernels k;
    solve(ctx, &RELU, 4, 1, 1.0, ONE, 0, &k);
    near("relu, L = 4", k.ntk_ncov[0], 340.0, 1e-9);
    nnd_layer_kernels_clear(&k);
    solve(ctx, &RELU, 6, 1, 1.0, ONE, 0, &k);
    near("relu, L = 6", k.ntk_ncov[0], 1022.0, 1e-9);
    nnd_layer_kernels_clear(&k);
    solve(ctx, &LINEAR, 4, 1, 1.0, ONE, 0, &k);
    near("linear, L = 4", k.ntk_ncov[0], 120.0, 1e-9);
    nnd_layer_kernels_clear(&k);
    solve(ctx, &TANH, 4, 1, 1.0, ONE, 0, &k);
    for (size_t l = 0; l < 4; l++)
        near("Phi", k.phi[l], phi[l], printed);
    near("N Var Phi^1", k.ncov[0], 0.7886604335, printed);
    near("N Cov(Phi^1, Phi^2)", k.ncov[1], 0.5287454554, printed);
    near("K", k.ntk[0], 2.325420274, 6e-10);
    near("N Var K", k.ntk_ncov[0], 15.54540913, 6e-9);
    nnd_layer_kernels_clear(&k);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(moments_of_a_pair_of_relu_are_those_of_the_arc_cosine_kernel) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double rho[] = {-0.95, -0.3, 0.0, 0.6, 0.999};
    const double q11 = 0.7, q22 = 1.9;
    for (size_t i = 0; i < 5; i++) {
        nnd_pair_moment f, s;
        double q12 = rho[i] * sqrt(q11 * q22), angle = acos(rho[i]), sine = sin(angle);
        ck_assert_int_eq(nnd_pair_moments(ctx, &RELU, q11, q12, q22, &f, &s), NND_OK);
        near("features", f.value, sqrt(q11 * q22) * (sine + (M_PI - angle) * rho[i]) / M_PI, 1e-12);
        near("slopes", s.value, (M_PI - angle) / M_PI, 1e-12);
        near("d features/dQ12", f.d12, (M_PI - angle) / M_PI, 1e-9);
        near("d slopes/dQ12", s.d12, 1.0 / (M_PI * sine * sqrt(q11 * q22)), 1e-7);
        near("d features/dQ11", f.d11, sqrt(q22 / q11) * sine / (2.0 * M_PI), 1e-9);
    }
    nnd_context_free(ctx);
}
END_TEST

/* <erf erf> = (2/pi) asin(2 q12/sqrt((1 + 2 q11)(1 + 2 q22))), <erf' erf'> = (4/pi)/sqrt(...), at
 * any gain and on a line too. */
START_TEST(steep_fields_have_their_closed_forms) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (double gain = 1.0; gain < 2e4; gain *= 10.0)
        for (double rho = -0.5; rho < 1.1; rho += 0.5) {
            const nnd_activation steep = {NND_ERF, gain, gain, 0.0};
            double q11 = 1.2, q22 = 0.7, q12 = rho * sqrt(q11 * q22), g2 = 2.0 * gain * gain;
            double norm2 = (1.0 + g2 * q11) * (1.0 + g2 * q22), cross = g2 * q12;
            double rest = 1.0 + g2 * (q11 + q22) + g2 * g2 * q11 * q22 * (1.0 - rho * rho);
            nnd_pair_moment f, s;
            ck_assert_int_eq(nnd_pair_moments(ctx, &steep, q11, q12, q22, &f, &s), NND_OK);
            near("phi", f.value, M_2_PI * asin(cross / sqrt(norm2)), 2e-7);
            test_close("slope", s.value / (gain * gain), 4.0 / M_PI / sqrt(rest), 1e-9);
        }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(moments_of_a_pair_have_the_derivatives_that_they_say) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double q[] = {0.8, 0.5, 1.1}, h = 1e-5;
    nnd_pair_moment f, s, up, down, unused;
    ck_assert_int_eq(nnd_pair_moments(ctx, &TANH, q[0], q[1], q[2], &f, &s), NND_OK);
    const double got[] = {f.d11, f.d12, f.d22}, got_slopes[] = {s.d11, s.d12, s.d22};
    for (int i = 0; i < 3; i++) {
        double e[3] = {0.0};
        e[i] = h;
        ck_assert_int_eq(
            nnd_pair_moments(ctx, &TANH, q[0] + e[0], q[1] + e[1], q[2] + e[2], &up, &unused),
            NND_OK);
        nnd_pair_moment slopes_up = unused;
        ck_assert_int_eq(
            nnd_pair_moments(ctx, &TANH, q[0] - e[0], q[1] - e[1], q[2] - e[2], &down, &unused),
            NND_OK);
        near("features", got[i], (up.value - down.value) / (2.0 * h), 1e-9);
        near("slopes", got_slopes[i], (slopes_up.value - unused.value) / (2.0 * h), 1e-9);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_point_given_twice_has_one_kernel) {
    static const double gram[] = {1.0, 0.4, 1.0, 0.4, 1.3, 0.4, 1.0, 0.4, 1.0};
    nnd_context *ctx = nnd_context_new(NULL);
    for (int relu = 0; relu < 2; relu++) {
        nnd_layer_kernels k;
        solve(ctx, relu ? &RELU : &TANH, 3, 3, 1.2, gram, 0, &k);
        ck_assert(!k.sampled);
        const size_t same[] = {nnd_pair_index(0, 0), nnd_pair_index(0, 2), nnd_pair_index(2, 2)};
        for (size_t i = 1; i < 3; i++) {
            near("K", k.ntk[same[i]], k.ntk[same[0]], 1e-12 * k.ntk[same[0]]);
            for (size_t b = 0; b < k.pairs; b++)
                near("N Cov K", k.ntk_ncov[same[i] * k.pairs + b],
                     k.ntk_ncov[same[0] * k.pairs + b], 1e-12 * fabs(k.ntk_ncov[0]));
        }
        nnd_layer_kernels_clear(&k);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(sampled_covariances_approach_those_of_the_quadrature) {
    /* Three points in a plane are integrated; a third direction of tiny weight makes them sampled.
     */
    double gram[] = {1.0, 0.4, 0.7, 0.4, 1.3, 0.6, 0.7, 0.6, 0.0};
    gram[8] = 0.55;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_layer_kernels coarse, fine;
    solve(ctx, &RELU, 2, 3, 1.0, gram, 1024, &coarse);
    solve(ctx, &RELU, 2, 3, 1.0, gram, 65536, &fine);
    ck_assert(fine.sampled);
    nnd_layer_kernels pair;
    static const double two[] = {1.0, 0.4, 0.4, 1.3};
    solve(ctx, &RELU, 2, 2, 1.0, two, 0, &pair);
    ck_assert(!pair.sampled);
    for (size_t a = 0; a < 3; a++) {
        double want = pair.ntk_ncov[a * 3 + a];
        double rough = fabs(coarse.ntk_ncov[a * 6 + a] / want - 1.0);
        double close = fabs(fine.ntk_ncov[a * 6 + a] / want - 1.0);
        ck_assert_msg(rough < 0.3 && close < 0.01, "%.2g, then %.2g", rough, close);
    }
    nnd_layer_kernels_clear(&coarse);
    nnd_layer_kernels_clear(&fine);
    nnd_layer_kernels_clear(&pair);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(divided_powers_do_not_cancel) {
    double v[101];
    nnd_divided_powers(0.9, -0.4, 10, v);
    for (int t = 0; t <= 10; t++)
        near("apart", v[t], (pow(0.9, t) - pow(-0.4, t)) / 1.3, 1e-14);
    nnd_divided_powers(0.97, 0.97 - 1e-14, 100, v);
    for (int t = 1; t <= 100; t++)
        test_close("together", v[t], t * pow(0.97, t - 1), 1e-11);
}
END_TEST

START_TEST(one_point_has_its_closed_form) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_integers all = {0};
    nnd_timegrid grid;
    ck_assert_int_eq(nnd_timegrid_make(ctx, 50, &all, 1, &grid), NND_OK);
    const double y = 0.7, ntk = 2.3, kappa = 11.0, lr = 0.05;
    const nnd_static_kernel k = {1, 1, &y, &ntk, &kappa, lr, &grid};
    double mean[51], nvar[51];
    size_t sound;
    ck_assert_int_eq(nnd_static_kernel_run(ctx, &k, mean, nvar, NULL, &sound), NND_OK);
    ck_assert_uint_eq(sound, 51);
    for (int t = 0; t <= 50; t++) {
        double decay = 1.0 - lr * ntk;
        near("Delta", mean[t], y * pow(decay, t), 1e-13);
        near("N Var Delta", nvar[t],
             t == 0 ? 0.0 : kappa * y * y * pow(lr * t, 2.0) * pow(decay, 2.0 * (t - 1)), 1e-12);
    }
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(fluctuations_of_a_static_kernel_are_derivatives) {
    /* N Var of Delta and f* for a kernel that moves along one direction only, by differences. */
    enum { POINTS = 3, TRAIN = 2, PAIRS = 6, STEPS = 12 };
    static const double y[] = {1.0, -0.5}, ntk[] = {2.0, 0.6, 1.7, 0.9, 0.3, 1.4};
    static const double direction[] = {0.5, -0.3, 0.8, 0.2, -0.6, 0.1};
    const double lr = 0.2, h = 1e-6;
    double ncov[PAIRS * PAIRS], zero[PAIRS * PAIRS] = {0.0}, moved[PAIRS], mean[3][13 * POINTS];
    double nvar[13 * POINTS], unused[13 * POINTS], covariance[13 * TRAIN * TRAIN];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_integers all = {0};
    nnd_timegrid grid;
    size_t sound;
    ck_assert_int_eq(nnd_timegrid_make(ctx, STEPS, &all, 1, &grid), NND_OK);
    for (size_t a = 0; a < PAIRS * PAIRS; a++)
        ncov[a] = direction[a / PAIRS] * direction[a % PAIRS];
    nnd_static_kernel k = {TRAIN, POINTS, y, ntk, ncov, lr, &grid};
    ck_assert_int_eq(nnd_static_kernel_run(ctx, &k, mean[0], nvar, covariance, &sound), NND_OK);
    for (int side = 1; side < 3; side++) {
        for (size_t a = 0; a < PAIRS; a++)
            moved[a] = ntk[a] + (side == 1 ? h : -h) * direction[a];
        k.ntk = moved;
        k.ncov = zero;
        ck_assert_int_eq(nnd_static_kernel_run(ctx, &k, mean[side], unused, NULL, &sound), NND_OK);
    }
    for (size_t i = 0; i < 13 * POINTS; i++) {
        double slope = (mean[1][i] - mean[2][i]) / (2.0 * h);
        near("N Var", nvar[i], slope * slope, 1e-8);
    }
    for (size_t i = 0; i < 13 * TRAIN * TRAIN; i++) {
        size_t t = i / (TRAIN * TRAIN), mu = i / TRAIN % TRAIN, nu = i % TRAIN;
        double a = mean[1][t * POINTS + mu] - mean[2][t * POINTS + mu];
        double b = mean[1][t * POINTS + nu] - mean[2][t * POINTS + nu];
        near("N Cov", covariance[i], a * b / (4.0 * h * h), 1e-8);
    }
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(lazy_limit_of_trained_networks) {
    /* The difference is of order gamma0^2 (fluctuations.md#s7). */
    enum { POINTS = 3, TRAIN = 2, STEPS = 20 };
    static const double gram[] = {1.0, 0.3, 0.5, 0.3, 1.0, 0.2, 0.5, 0.2, 1.0}, y[] = {1.0, -0.5};
    const double gamma0 = 0.01, lr = 0.1;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_integers last = {0};
    nnd_timegrid grid;
    nnd_observable test = {NND_OBSERVE_OUTPUT, 2, 2};
    ck_assert_int_eq(nnd_timegrid_make(ctx, STEPS, &last, 10, &grid), NND_OK);
    const nnd_units units = {.activation = &TANH,
                             .train = TRAIN,
                             .points = POINTS,
                             .gram = gram,
                             .targets = y,
                             .gamma0 = gamma0,
                             .lr = lr,
                             .center = true,
                             .grid = &grid,
                             .observables = 1,
                             .observable = &test};
    nnd_fluctuations want;
    nnd_nodes nodes;
    ck_assert_int_eq(nnd_nodes_trapezoid(ctx, 4, 12, 6.5, true, &nodes), NND_OK);
    ck_assert_int_eq(nnd_influence_run(ctx, &units, &nodes, &want), NND_OK);
    nnd_layer_kernels k;
    solve(ctx, &TANH, 1, POINTS, 1.0, gram, 65536, &k);
    const nnd_static_kernel lazy = {TRAIN, POINTS, y, k.ntk, k.ntk_ncov, lr, &grid};
    double mean[3 * POINTS], nvar[3 * POINTS];
    size_t sound;
    ck_assert_int_eq(nnd_static_kernel_run(ctx, &lazy, mean, nvar, NULL, &sound), NND_OK);
    for (size_t i = 1; i < 3; i++) {
        near("Delta_1", mean[i * POINTS], y[0] - want.mean[i * POINTS], 1e-3);
        for (size_t mu = 0; mu < POINTS; mu++)
            test_close("N Var", nvar[i * POINTS + mu], want.nvar[i * POINTS + mu], 5e-3);
    }
    nnd_layer_kernels_clear(&k);
    nnd_fluctuations_clear(&want);
    nnd_nodes_clear(&nodes);
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_point_without_length_is_refused) {
    static const double gram[] = {1.0, 0.0, 0.0, 0.0};
    nnd_context *ctx = nnd_context_new(NULL);
    const nnd_layers net = {&TANH, 2, 2, 1.0, gram};
    nnd_layer_kernels k;
    ck_assert_int_eq(nnd_layer_kernels_run(ctx, &net, 64, 1, 0, &k), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "sample 1"));
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("layer_kernels");
    TCase *kernels = tcase_create("kernels");
    tcase_add_test(kernels, relu_and_linear_have_their_closed_forms);
    tcase_add_test(kernels, R6_is_met_to_the_digits_printed);
    tcase_add_test(kernels, moments_of_a_pair_of_relu_are_those_of_the_arc_cosine_kernel);
    tcase_add_test(kernels, steep_fields_have_their_closed_forms);
    tcase_add_test(kernels, moments_of_a_pair_have_the_derivatives_that_they_say);
    tcase_add_test(kernels, a_point_given_twice_has_one_kernel);
    tcase_add_test(kernels, sampled_covariances_approach_those_of_the_quadrature);
    tcase_add_test(kernels, a_point_without_length_is_refused);
    suite_add_tcase(suite, kernels);
    TCase *lazy = tcase_create("lazy training");
    tcase_add_test(lazy, divided_powers_do_not_cancel);
    tcase_add_test(lazy, one_point_has_its_closed_form);
    tcase_add_test(lazy, fluctuations_of_a_static_kernel_are_derivatives);
    tcase_add_test(lazy, lazy_limit_of_trained_networks);
    suite_add_tcase(suite, lazy);
    return test_main(suite);
}
