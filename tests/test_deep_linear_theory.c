/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of deep linear networks against the reference cases deep-linear.md#s7 and the exact
 * checks deep-linear.md#s6. */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "full/deep_linear_dynamics.h"
#include "full/march.h"
#include "support.h"
#include "theory/deep_linear_step_error.h"

/* The tables of deep-linear.md#s7 have six decimals and call 1e-5 relative safe; a value printed
 * with fewer significant digits is known to half a unit of its last decimal only. */
static const double TABLE_RTOL = 1e-5, TABLE_ATOL = 0.6e-6;

#define R1 "alpha: 2, gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.1"

typedef struct {
    const char *at;
    double test, train, overlap, beta;
} table_row;

static void check_table(const char *params, size_t rows, const table_row *row) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_solve(ctx, "deep-linear", params);
    for (size_t i = 0; i < rows; i++) {
        const double want[] = {row[i].test, row[i].train, row[i].overlap, row[i].beta};
        const char *name[] = {"test_risk", "train_mse", "overlap", "beta_norm2"};
        for (size_t k = 0; k < 4; k++) {
            if (isnan(want[k]))
                continue;
            double got = test_value(f, name[k], row[i].at);
            ck_assert_msg(fabs(got - want[k]) <= TABLE_RTOL * fabs(want[k]) + TABLE_ATOL,
                          "%s at %s: want %.9g, got %.9g", name[k], row[i].at, want[k], got);
        }
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}

START_TEST(reference_case_1_one_layer) {
    const table_row rows[] = {
        {"t=0", 1.014400, 1.104400, 0, 0.014400},
        {"t=5", 0.775598, 0.745282, 0.134777, 0.045153},
        {"t=10", 0.520804, 0.402369, 0.330469, 0.181742},
        {"t=20", 0.234316, 0.128446, 0.669423, 0.573162},
        {"t=40", 0.110652, 0.061214, 0.870322, 0.851296},
    };
    check_table(R1, 5, rows);
}
END_TEST

START_TEST(reference_case_1_order_parameters) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {" R1 ", record: [10]}}");
    test_close("G_1(10,10)", test_value(f, "g_norm2", "t=10,layer=1"), 1.161025, TABLE_RTOL);
    test_close("H_0(10,10)", test_value(f, "h_norm2", "t=10,layer=0"), 0.370220, TABLE_RTOL);
    test_close("H_1(10,10)", test_value(f, "h_norm2", "t=10,layer=1"), 0.349908, TABLE_RTOL);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(reference_case_2_two_layers) {
    const table_row rows[] = {
        {"t=0", 1.007406, 1.097406, 0, 0.007406},
        {"t=5", 0.862097, 0.873485, 0.080973, 0.024044},
        {"t=10", 0.590669, 0.480013, 0.286484, 0.163638},
        {"t=20", 0.214793, 0.111711, 0.738824, 0.692441},
        {"t=40", 0.097318, 0.053813, 0.919792, 0.936902},
    };
    check_table("depth: 2, nu: 0.7, " R1, 5, rows);
}
END_TEST

START_TEST(reference_case_2_order_parameters) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f =
        test_theory(ctx, "{model: deep-linear, params: {depth: 2, nu: 0.7, " R1 ", steps: 10}}");
    const double g[] = {1.114719, 0.940862}, h[] = {0.482446, 0.223997, 0.254327};
    char at[32];
    for (int l = 1; l <= 2; l++) {
        snprintf(at, sizeof at, "t=10,layer=%d", l);
        test_close("G", test_value(f, "g_norm2", at), g[l - 1], TABLE_RTOL);
    }
    for (int l = 0; l <= 2; l++) {
        snprintf(at, sizeof at, "t=10,layer=%d", l);
        test_close("H", test_value(f, "h_norm2", at), h[l], TABLE_RTOL);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(reference_case_3_three_layers_online) {
    const table_row rows[] = {
        {"t=0", 1.014412, NAN, 0, 0.014412},
        {"t=10", 0.771731, NAN, 0.142057, 0.055845},
        {"t=20", 0.263004, NAN, 0.616014, 0.495032},
        {"t=40", 0.003164, NAN, 0.994724, 0.992612},
    };
    check_table("depth: 3, alpha: inf, training: online, parameterization: ntk, gamma0: 2, "
                "nu: 0.5, sigma: 0.7, lr: 0.05",
                4, rows);
}
END_TEST

START_TEST(reference_case_4_gradient_flow) {
    const table_row rows[] = {
        {"t=0.5", 0.487760, 0.289488, 0.398749, 0.285259},
        {"t=1", 0.281006, 0.105525, 0.667040, 0.615085},
        {"t=2", 0.172999, 0.050630, 0.835332, 0.843664},
        {"t=4", 0.140248, 0.035010, 0.929707, 0.999662},
    };
    check_table("depth: 2, alpha: 1.5, nu: 2, gamma0: 2, sigma: 0.8, noise: 0.3, "
                "integrator: flow, steps: 40, time: 4",
                4, rows);
}
END_TEST

START_TEST(reference_case_5_edge_of_stability) {
    const table_row rows[] = {
        {"t=2", 0.360449, 0.220520, NAN, NAN},  {"t=4", 0.149323, 0.083529, NAN, NAN},
        {"t=8", 0.162311, 0.197979, NAN, NAN},  {"t=20", 0.158272, 0.122780, NAN, NAN},
        {"t=21", 0.164010, 0.218708, NAN, NAN}, {"t=40", 0.171866, 0.122070, NAN, NAN},
    };
    check_table("alpha: 2, gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.8", 6, rows);
}
END_TEST

/* deep-linear.md#s6-1: everything at t = 0 in closed form, for per-layer sigma. */
START_TEST(initial_values_are_exact) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s[] = {0.7, 1.3, 0.9, 1.1}, alpha = 1.7, nu = 0.6, gamma0 = 1.4, noise = 0.5;
    for (int center = 0; center <= 1; center++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {depth: 3, alpha: 1.7, nu: 0.6, gamma0: 1.4, "
                 "sigma: [0.7, 1.3, 0.9, 1.1], noise: 0.5, steps: 0, center: %s}}",
                 center ? "true" : "false");
        nnd_frame *f = test_theory(ctx, yaml);
        double product = 1.0, gamma2 = gamma0 * gamma0 * nu, tol = 1e-14;
        for (int l = 3; l >= 0; l--) {
            product *= s[l] * s[l];
            char at[32];
            snprintf(at, sizeof at, "t=0,layer=%d", l);
            test_close("G_l(0,0)", test_value(f, "g_norm2", at), product, tol);
        }
        double risk = 1.0 + (center ? 0.0 : product / gamma2);
        test_close("test", test_value(f, "test_risk", "t=0"), risk, tol);
        test_close("train", test_value(f, "train_mse", "t=0"), risk + noise * noise, tol);
        test_close("H_0", test_value(f, "h_norm2", "t=0,layer=0"),
                   risk * (1.0 + 1.0 / alpha) + noise * noise / alpha, tol);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* A march run to its end for looking at its inside. */
static void march(nnd_context *ctx, const char *params, nnd_case **c, nnd_dynamics *d) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", params);
    *c = test_case(ctx, yaml);
    ck_assert_int_eq(nnd_dynamics_make(ctx, (*c)->params[0], d), NND_OK);
    ck_assert_int_eq(nnd_dynamics_run(ctx, d), NND_OK);
}

static const char *const IDENTITY_CASES[] = {
    "depth: 1, steps: 12, " R1,
    "depth: 3, nu: 0.7, steps: 12, " R1,
    "depth: 3, nu: 0.7, steps: 12, momentum: 0.6, weight_decay: 0.02, " R1,
    "depth: 2, alpha: 0.8, nu: 2, noise: 0.4, sigma: [0.5, 0.9, 1.2], steps: 12, lr: 0.2, "
    "schedule: [0.1, 0.5, 1]",
    "depth: 2, alpha: 1.5, nu: 2, integrator: flow, steps: 4, time: 1, sigma: 0.8",
};

/* Rounding of sums of some hundred terms of order one. */
static const double ROUNDING = 4e-14;

/* deep-linear.md#s6-2: g_l(q) . h_l(q) does not depend on the layer, and is gamma beta . v. */
START_TEST(backward_times_forward_is_the_same_in_every_layer) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c;
    nnd_dynamics d;
    march(ctx, IDENTITY_CASES[_i], &c, &d);
    for (size_t q = 0; q < d.done; q++) {
        double v_target = nnd_march_dot_vector(d.march, d.h[0], q, d.target);
        double v_delta = nnd_march_cross(d.march, d.h[0], q, d.delta, q);
        double want = d.gamma * (v_target - v_delta);
        for (size_t l = 1; l <= d.depth; l++) {
            double got = nnd_march_cross(d.march, d.g[l], q, d.h[l], q);
            ck_assert_msg(fabs(got - want) < ROUNDING * (1.0 + fabs(want)),
                          "layer %zu, query %zu: %.17g, %.17g", l, q, got, want);
        }
    }
    nnd_dynamics_clear(&d);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* (A phi_q) . psi_p, by the decomposition of A phi_q. */
static double image_dot(const nnd_march *m, nnd_matrix a, nnd_direction direction, nnd_field asked,
                        size_t q, nnd_field other, size_t p, double *row) {
    (void)asked;
    size_t n = nnd_march_response(m, a, direction, q, row);
    double sum = nnd_march_dot_image(m, other, p, a, direction, q);
    for (size_t i = 0; i < n; i++)
        sum += row[i] * nnd_march_overlap(m, other, i, p);
    return sum;
}

/* deep-linear.md#s6-3: psi_q . (A phi_p) = (A^T psi_q) . phi_p for all pairs of queries. */
START_TEST(adjoint_identities_hold_for_all_pairs) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c;
    nnd_dynamics d;
    march(ctx, IDENTITY_CASES[_i], &c, &d);
    double row[64];
    for (size_t q = 0; q < d.done; q++)
        for (size_t p = 0; p < d.done; p++) {
            for (size_t l = 0; l < d.depth; l++) {
                double forward =
                    image_dot(d.march, d.a[l], NND_FORWARD, d.h[l], p, d.g[l + 1], q, row);
                double backward =
                    image_dot(d.march, d.a[l], NND_BACKWARD, d.g[l + 1], q, d.h[l], p, row);
                ck_assert_msg(fabs(forward - backward) < ROUNDING * (1.0 + fabs(forward)),
                              "A_%zu, q %zu, p %zu: %.17g, %.17g", l, q, p, forward, backward);
            }
            double noise = ((const nnd_deep_linear *)c->params[0])->noise;
            double forward = nnd_dynamics_residual_gram(&d, q, p) -
                             noise * nnd_march_dot_vector(d.march, d.residual, q, d.label_noise);
            double backward = nnd_march_cross(d.march, d.h[0], q, d.delta, p);
            ck_assert_msg(fabs(forward - backward) < ROUNDING * (1.0 + fabs(forward)),
                          "Z, q %zu, p %zu: %.17g, %.17g", q, p, forward, backward);
        }
    nnd_dynamics_clear(&d);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* Integrand of deep-linear.md#s6-4 over the angle that removes the square roots of
 * Marchenko-Pastur. */
typedef struct {
    double alpha, rate, noise2;
    int t;
    bool train;
} lazy;

static double lazy_integrand(double angle, void *data) {
    const lazy *z = data;
    double s = 1.0 / sqrt(z->alpha), x = 1.0 + s * s + 2.0 * s * cos(angle);
    double density = z->alpha * 4.0 * s * s * sin(angle) * sin(angle) / (2.0 * M_PI * x);
    double decay = pow(1.0 - z->rate * x, z->t);
    if (z->train)
        return density * decay * decay * (x + z->noise2 / z->alpha);
    return density * (decay * decay + z->noise2 / z->alpha * (1.0 - decay) * (1.0 - decay) / x);
}

static double lazy_value(lazy z) {
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(200);
    gsl_function f = {lazy_integrand, &z};
    double value, error;
    ck_assert_int_eq(
        gsl_integration_qag(&f, 0.0, M_PI, 0.0, 1e-13, 200, GSL_INTEG_GAUSS61, w, &value, &error),
        0);
    gsl_integration_workspace_free(w);
    if (z.train)
        value += z.noise2 * fmax(0.0, 1.0 - 1.0 / z.alpha);
    else
        value += fmax(0.0, 1.0 - z.alpha);
    return value;
}

/* deep-linear.md#s6-4: infinitely wide and lazy is linear regression on Marchenko-Pastur data. The
 * engine's own distance from the limit is O(1/nu) and O(gamma0). */
START_TEST(lazy_infinitely_wide_limit_is_linear_regression) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double printed[][2] = {
        {0.438400, 0.336000}, {0.215451, 0.0993138}, {0.226413, 0.0579175}};
    const int times[] = {1, 5, 20};
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {depth: 2, alpha: 1.5, nu: 1e10, "
                                    "gamma0: 1e-5, noise: 0.4, lr: 0.2, center: true, steps: 20}}");
    for (int i = 0; i < 3; i++) {
        char at[16];
        snprintf(at, sizeof at, "t=%d", times[i]);
        lazy z = {1.5, 0.2 * 3, 0.16, times[i], false};
        double test = lazy_value(z);
        z.train = true;
        double train = lazy_value(z);
        test_close("test integral", test, printed[i][0], 3e-6);
        test_close("train integral", train, printed[i][1], 3e-6);
        test_close("test", test_value(f, "test_risk", at), test, 1e-8);
        test_close("train", test_value(f, "train_mse", at), train, 1e-8);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(lazy_limit_with_fewer_samples_than_dimensions) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {depth: 1, alpha: 0.5, nu: 1e10, "
                                    "gamma0: 1e-5, noise: 0.4, lr: 0.1, center: true, steps: 10}}");
    lazy z = {0.5, 0.1 * 2, 0.16, 10, false};
    test_close("test", test_value(f, "test_risk", "t=10"), lazy_value(z), 1e-8);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Centred, all goes to a limit as gamma0 -> 0, at finite widths too; the engine is 1e-7 from it at
 * 1e-4, where gamma0^2 and rounding over gamma0^2 are about the same. */
START_TEST(the_lazy_limit_is_kept_for_any_small_output_scale) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *gamma0[] = {"1e-4", "1e-8", "1e-100"};
    nnd_frame *f[3];
    for (int i = 0; i < 3; i++) {
        char yaml[160];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {depth: 2, gamma0: %s, noise: 0.3, center: true, "
                 "steps: 4}}",
                 gamma0[i]);
        f[i] = test_theory(ctx, yaml);
        test_close("test", test_value(f[i], "test_risk", "t=4"),
                   test_value(f[0], "test_risk", "t=4"), 5e-7);
        test_close("train", test_value(f[i], "train_mse", "t=4"),
                   test_value(f[0], "train_mse", "t=4"), 5e-7);
    }
    for (int i = 0; i < 3; i++)
        nnd_frame_free(f[i]);
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s6-5: one layer, online, nu -> infinity: a two-number recursion, approached as
 * 1/nu (1e-5, 1e-9, 1e-13 at nu = 1e4, 1e8, 1e12). */
START_TEST(online_infinitely_wide_limit_is_a_recursion) {
    nnd_context *ctx = nnd_context_new(NULL);
    double gamma0 = 2.0, sigma2 = 0.49, c = 0.0, n = sigma2;
    for (int t = 0; t < 30; t++) {
        double k = 0.1 * gamma0 * sigma2 * (1.0 - c / gamma0);
        double c_next = c * (1.0 + k * k) + 2.0 * k * n;
        n = n * (1.0 + k * k) + 2.0 * k * c;
        c = c_next;
    }
    double want = (1.0 - c / gamma0) * (1.0 - c / gamma0);
    test_close("sqrt(n)", sqrt(n), 1.4246074, 1e-7);
    const char *nu[] = {"1e4", "1e8", "1e12"};
    const double bound[] = {2e-5, 2e-9, 2e-13};
    double error[3];
    for (int i = 0; i < 3; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {alpha: inf, nu: %s, gamma0: 2, sigma: 0.7, "
                 "lr: 0.1, steps: 30}}",
                 nu[i]);
        nnd_frame *f = test_theory(ctx, yaml);
        error[i] = fabs(test_value(f, "test_risk", "t=30") - want);
        ck_assert_msg(error[i] < bound[i], "nu = %s: error %.3g", nu[i], error[i]);
        nnd_frame_free(f);
    }
    test_close("order in 1/nu", error[0] / error[1], 1e4, 0.01);
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s6-6: ntk at width ratio nu is mup with gamma0/sqrt(nu). */
START_TEST(ntk_is_mup_with_another_output_scale) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *a = test_theory(ctx, "{model: deep-linear, params: {depth: 2, nu: 4, gamma0: 3, "
                                    "sigma: 0.6, parameterization: ntk}}");
    nnd_frame *b = test_theory(
        ctx, "{model: deep-linear, params: {depth: 2, nu: 4, gamma0: 1.5, sigma: 0.6}}");
    ck_assert(test_frames_identical(a, b));
    nnd_frame_free(a);
    nnd_frame_free(b);
    nnd_context_free(ctx);
}
END_TEST

/* The curves of a run of flow at every step, whatever its error. */
static nnd_curves flow_run(nnd_context *ctx, int depth, const char *method, int steps, double time,
                           nnd_case **c) {
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {depth: %d, alpha: 2, gamma0: 3, sigma: 0.6, "
             "noise: 0.3, integrator: flow, method: %s, steps: %d, time: %g}}",
             depth, method, steps, time);
    *c = test_case(ctx, yaml);
    nnd_curves run;
    ck_assert_int_eq(nnd_deep_linear_every_step(ctx, (*c)->params[0], &run), NND_OK);
    return run;
}

static double flow_risk(nnd_context *ctx, int depth, const char *method, int steps) {
    nnd_case *c;
    nnd_curves run = flow_run(ctx, depth, method, steps, 2.0, &c);
    double risk = nnd_curves_at(&run, run.rows - 1, NND_TEST_RISK);
    nnd_curves_clear(&run);
    nnd_case_free(c);
    return risk;
}

/* deep-linear.md#s6-7: values, and errors of order h, h^2, h^4. */
START_TEST(flow_methods_have_orders_one_two_and_four) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *method[] = {"euler", "heun", "rk4"};
    const double order[] = {1, 2, 4};
    const int steps[] = {80, 40, 10};
    double exact = flow_risk(ctx, 1, "rk4", 80);
    test_close("L = 1", exact, 0.23140497, 1e-7);
    test_close("L = 2", flow_risk(ctx, 2, "rk4", 60), 0.18612328, 1e-7);
    for (int i = 0; i < 3; i++) {
        double coarse = fabs(flow_risk(ctx, 1, method[i], steps[i]) - exact);
        double fine = fabs(flow_risk(ctx, 1, method[i], 2 * steps[i]) - exact);
        double measured = log2(coarse / fine);
        ck_assert_msg(fabs(measured - order[i]) < 0.2, "%s: order %.3f", method[i], measured);
    }
    ck_assert(fabs(flow_risk(ctx, 1, "rk4", 20) - exact) < 2e-6);
    nnd_context_free(ctx);
}
END_TEST

/* Against a run of rk4 with finer steps, at the end of every step, in all curves. */
START_TEST(step_error_is_the_distance_from_the_flow) {
    static const struct {
        const char *method;
        int steps, finer;
    } runs[] = {{"euler", 40, 1}, {"heun", 30, 2}, {"rk4", 12, 6}, {"rk4", 20, 4}, {"rk4", 1, 16}};
    nnd_context *ctx = nnd_context_new(NULL);
    const int finer = runs[_i].finer, steps = runs[_i].steps;
    double time = steps == 1 ? 0.2 : 2.0, estimate, worst = 0.0;
    nnd_case *c[2];
    nnd_curves run = flow_run(ctx, 1, runs[_i].method, steps, time, &c[0]);
    nnd_curves exact = flow_run(ctx, 1, "rk4", finer * steps, time, &c[1]);
    ck_assert_int_eq(nnd_deep_linear_step_error(ctx, c[0]->params[0], &run, &estimate), NND_OK);
    for (size_t curve = 0; curve < 8; curve++) {
        double largest = 0.0, error = 0.0;
        for (int k = 0; k <= steps; k++) {
            double x = nnd_curves_at(&exact, (size_t)(finer * k), curve);
            largest = fmax(largest, fabs(x));
            error = fmax(error, fabs(x - nnd_curves_at(&run, (size_t)k, curve)));
        }
        worst = fmax(worst, error / largest);
    }
    /* The next order of the error is a third of it at these steps. */
    ck_assert_msg(estimate > worst / 1.5 && estimate < 1.5 * worst, "want %g, got %g", worst,
                  estimate);
    for (int r = 0; r < 2; r++)
        nnd_case_free(c[r]);
    nnd_curves_clear(&run);
    nnd_curves_clear(&exact);
    nnd_context_free(ctx);
}
END_TEST

#define FLOW                                                                                       \
    "{model: deep-linear, params: {integrator: flow, gamma0: 2, spectrum: false, ntk: false, "     \
    "method: %s, time: %g, steps: %d}}"

/* The error of the steps that a run has, or that of its refusal's advice in *advice. */
static double judged(nnd_context *ctx, const char *method, double time, int steps, int *advice) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, FLOW, method, time, steps);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    double error = INFINITY;
    nnd_status status = nnd_theory_run(ctx, c, NULL, &frame);
    if (status == NND_OK)
        error = nnd_frame_find_attribute(frame, NULL, "step_error")->number;
    else {
        ck_assert_int_eq(status, NND_E_UNSOLVED);
        const char *last = strrchr(nnd_context_message(ctx), ';');
        ck_assert_msg(last != NULL && sscanf(last, "; %d would do", advice) == 1, "%s",
                      nnd_context_message(ctx));
    }
    nnd_frame_free(frame);
    nnd_case_free(c);
    return error;
}

/* What is refused says how many steps would do: they do, and half of them do not. With time 16 the
 * 32 steps of rk4 diverge, and one step says nothing at all. */
START_TEST(steps_that_are_too_few_are_refused_with_the_number_that_would_do) {
    static const struct {
        const char *method;
        double time;
        int steps;
    } runs[] = {{"rk4", 8, 32}, {"rk4", 16, 32}, {"rk4", 8, 1}, {"heun", 2, 32}, {"euler", 0.5, 8}};
    nnd_context *ctx = nnd_context_new(NULL);
    int advice = 0, unused;
    double error = judged(ctx, runs[_i].method, runs[_i].time, runs[_i].steps, &advice);
    ck_assert(isinf(error) && advice > runs[_i].steps);
    ck_assert(judged(ctx, runs[_i].method, runs[_i].time, advice, &unused) <= 0.002);
    ck_assert(isinf(judged(ctx, runs[_i].method, runs[_i].time, advice / 2, &unused)));
    nnd_context_free(ctx);
}
END_TEST

static void count_warnings(void *user, nnd_log_level level, const char *line) {
    *(int *)user += level == NND_LOG_WARNING && strstr(line, "step_error") != NULL;
}

START_TEST(steps_with_a_notable_error_have_a_warning) {
    int warnings = 0, unused;
    const nnd_context_options options = {.log = count_warnings, .user = &warnings};
    nnd_context *ctx = nnd_context_new(&options);
    ck_assert(judged(ctx, "rk4", 8, 70, &unused) > 5e-4);
    ck_assert_int_eq(warnings, 1);
    ck_assert(judged(ctx, "rk4", 8, 140, &unused) < 5e-4);
    ck_assert_int_eq(warnings, 1);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(two_time_order_parameters_contain_the_curves) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {depth: 2, center: true, "
                                    "steps: 8, record_every: 2, two_time: true, " R1 "}}");
    test_close("delta", test_value(f, "delta_two_time", "t=6,s=6"),
               test_value(f, "test_risk", "t=6"), 1e-15);
    test_close("train", test_value(f, "train_two_time", "t=6,s=6"),
               test_value(f, "train_mse", "t=6"), 1e-15);
    test_close("g_0", test_value(f, "g_two_time", "layer=0,t=6,s=6"),
               test_value(f, "g_norm2", "t=6,layer=0"), 1e-15);
    test_close("symmetric", test_value(f, "h_two_time", "layer=1,t=2,s=6"),
               test_value(f, "h_two_time", "layer=1,t=6,s=2"), 0.0);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(diverging_run_keeps_its_curve_up_to_there) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {steps: 60, noise: 0.3, lr: 3}}");
    nnd_frame *f = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &f), NND_DIVERGED);
    double step = test_value(f, "diverged_at", "");
    ck_assert(step > 0.0);
    const nnd_array *mse = nnd_frame_find(f, "train_mse");
    for (size_t t = 0; t < mse->count; t++)
        ck_assert((double)t < step ? mse->data[t] <= 1e6 * mse->data[0] : isnan(mse->data[t]));
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep-linear theory");
    TCase *tables = tcase_create("reference cases");
    tcase_add_test(tables, reference_case_1_one_layer);
    tcase_add_test(tables, reference_case_1_order_parameters);
    tcase_add_test(tables, reference_case_2_two_layers);
    tcase_add_test(tables, reference_case_2_order_parameters);
    tcase_add_test(tables, reference_case_3_three_layers_online);
    tcase_add_test(tables, reference_case_4_gradient_flow);
    tcase_add_test(tables, reference_case_5_edge_of_stability);
    suite_add_tcase(suite, tables);
    TCase *exact = tcase_create("exact checks");
    int cases = (int)(sizeof IDENTITY_CASES / sizeof *IDENTITY_CASES);
    tcase_add_test(exact, initial_values_are_exact);
    tcase_add_loop_test(exact, backward_times_forward_is_the_same_in_every_layer, 0, cases);
    tcase_add_loop_test(exact, adjoint_identities_hold_for_all_pairs, 0, cases);
    tcase_add_test(exact, lazy_infinitely_wide_limit_is_linear_regression);
    tcase_add_test(exact, lazy_limit_with_fewer_samples_than_dimensions);
    tcase_add_test(exact, the_lazy_limit_is_kept_for_any_small_output_scale);
    tcase_add_test(exact, online_infinitely_wide_limit_is_a_recursion);
    tcase_add_test(exact, ntk_is_mup_with_another_output_scale);
    tcase_add_test(exact, flow_methods_have_orders_one_two_and_four);
    tcase_add_loop_test(exact, step_error_is_the_distance_from_the_flow, 0, 5);
    tcase_add_loop_test(exact, steps_that_are_too_few_are_refused_with_the_number_that_would_do, 0,
                        5);
    tcase_add_test(exact, steps_with_a_notable_error_have_a_warning);
    tcase_add_test(exact, two_time_order_parameters_contain_the_curves);
    tcase_add_test(exact, diverging_run_keeps_its_curve_up_to_there);
    suite_add_tcase(suite, exact);
    return test_main(suite);
}
