/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Level 2 of deep linear networks against the reference cases deep-linear.md#s7 and exact
 * limits. */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/solvers/bulk.h"
#include "support.h"
#include "validate/weights.h"

/* Tables are printed to six decimals and safe to 1e-5 relative. */
static const double RTOL = 1e-5, ATOL = 0.6e-6;

typedef struct {
    const char *variable, *at;
    double want; /* NaN: absent */
} entry;

static void check_entries(const char *params, size_t n, const entry *e) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_solve(ctx, "deep-linear", params);
    for (size_t i = 0; i < n; i++) {
        double got = test_value(f, e[i].variable, e[i].at);
        bool good =
            isnan(e[i].want) ? isnan(got) : fabs(got - e[i].want) <= RTOL * fabs(e[i].want) + ATOL;
        ck_assert_msg(good, "%s at %s: want %.9g, got %.9g", e[i].variable, e[i].at, e[i].want,
                      got);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}

#define COUNT(x) (sizeof(x) / sizeof *(x))
#define R1       "alpha: 2, gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.1, record: [0, 5, 10, 20]"

START_TEST(reference_case_1) {
    const entry e[] = {
        {"bulk_edge", "t=20,matrix=0", 1.2},
        {"outlier", "t=0,matrix=0,k=1", NAN},
        {"outlier", "t=5,matrix=0,k=1", NAN},
        {"outlier", "t=10,matrix=0,k=1", 1.286808},
        {"outlier", "t=10,matrix=0,k=2", NAN},
        {"outlier", "t=20,matrix=0,k=1", 1.587875},
        {"outlier", "t=40,matrix=0,k=1", 1.728928},
        {"outlier_overlap_target", "t=10,k=1", 0.448646},
        {"outlier_overlap_target", "t=20,k=1", 0.750860},
        {"outlier_overlap_target", "t=40,k=1", 0.876969},
        {"outlier_overlap_readout", "t=10,k=1", 0.726055},
        {"outlier_overlap_readout", "t=20,k=1", 0.940126},
        {"outlier_overlap_readout", "t=40,k=1", 0.963685},
        {"ntk_edge", "t=0", 1.009491},
        {"ntk_edge", "t=5", 1.186927},
        {"ntk_edge", "t=10", 1.740821},
        {"ntk_edge", "t=20", 2.711454},
        {"ntk_edge", "t=40", 3.218136},
        {"ntk_top", "t=0,k=1", NAN},
        {"ntk_top", "t=5,k=1", NAN},
        {"ntk_top", "t=10,k=1", 1.855230},
        {"ntk_top", "t=20,k=1", 2.930319},
        {"ntk_top", "t=40,k=1", 3.298745},
        {"ntk_residual_overlap", "t=10", 0.136909},
        {"ntk_residual_overlap", "t=20", 0.00432373},
        {"ntk_residual_overlap", "t=40", 2.7188e-6},
        {"stability", "t=40", 0.3298745},
        {"stability", "t=0", 0.1009491},
    };
    check_entries(R1, COUNT(e), e);
}
END_TEST

START_TEST(reference_case_2) {
    const entry e[] = {
        {"bulk_edge", "t=20,matrix=0", 1.101996},
        {"bulk_edge", "t=20,matrix=1", 1.2},
        {"outlier", "t=5,matrix=0,k=1", NAN},
        {"outlier", "t=5,matrix=1,k=1", NAN},
        {"outlier", "t=10,matrix=0,k=1", 1.108469},
        {"outlier", "t=10,matrix=1,k=1", 1.237433},
        {"outlier", "t=20,matrix=0,k=1", 1.238995},
        {"outlier", "t=20,matrix=1,k=1", 1.451278},
        {"outlier", "t=40,matrix=0,k=1", 1.279298},
        {"outlier", "t=40,matrix=1,k=1", 1.514770},
        {"outlier_overlap_target", "t=10,k=1", 0.160923},
        {"outlier_overlap_target", "t=20,k=1", 0.696919},
        {"outlier_overlap_target", "t=40,k=1", 0.846898},
        {"outlier_overlap_readout", "t=10,k=1", 0.546647},
        {"outlier_overlap_readout", "t=20,k=1", 0.879975},
        {"outlier_overlap_readout", "t=40,k=1", 0.907355},
        {"ntk_edge", "t=0", 0.807361},
        {"ntk_edge", "t=5", 1.002605},
        {"ntk_edge", "t=10", 2.042710},
        {"ntk_edge", "t=20", 4.393549},
        {"ntk_edge", "t=40", 5.261662},
        {"ntk_top", "t=10,k=1", 2.605960},
        {"ntk_top", "t=20,k=1", 5.790557},
        {"ntk_top", "t=40,k=1", 6.281733},
        {"ntk_residual_overlap", "t=10", 0.184644},
        {"ntk_residual_overlap", "t=20", 4.3078e-4},
        {"ntk_residual_overlap", "t=40", 1.4120e-6},
    };
    check_entries("depth: 2, nu: 0.7, " R1, COUNT(e), e);
}
END_TEST

/* K is not positive semidefinite here: counting by its square root would give 14.879 at t = 40. */
START_TEST(reference_case_3) {
    const entry e[] = {
        {"bulk_edge", "t=0,matrix=0", 1.194975},
        {"bulk_edge", "t=0,matrix=1", 1.4},
        {"outlier", "t=10,matrix=1,k=1", NAN},
        {"outlier", "t=20,matrix=0,k=1", NAN},
        {"outlier", "t=20,matrix=1,k=1", 1.407830},
        {"outlier", "t=20,matrix=2,k=1", 1.413985},
        {"outlier", "t=40,matrix=0,k=1", NAN},
        {"outlier", "t=40,matrix=1,k=1", 1.459460},
        {"outlier", "t=40,matrix=2,k=1", 1.473691},
        {"ntk_edge", "t=0", 1.773927},
        {"ntk_edge", "t=10", 2.259281},
        {"ntk_edge", "t=20", 5.055056},
        {"ntk_edge", "t=40", 7.338901},
        {"ntk_top", "t=10,k=1", NAN},
        {"ntk_top", "t=20,k=1", 6.646647},
        {"ntk_top", "t=40,k=1", 10.472826},
    };
    check_entries("depth: 3, alpha: inf, parameterization: ntk, gamma0: 2, nu: 0.5, sigma: 0.7, "
                  "lr: 0.05, record: [0, 10, 20]",
                  COUNT(e), e);
}
END_TEST

START_TEST(reference_case_4_gradient_flow) {
    const entry e[] = {
        {"bulk_edge", "t=4,matrix=0", 1.931371},
        {"bulk_edge", "t=4,matrix=1", 1.6},
        {"outlier", "t=0.5,matrix=0,k=1", NAN},
        {"outlier", "t=1,matrix=0,k=1", 1.931476},
        {"outlier", "t=1,matrix=1,k=1", NAN},
        {"outlier", "t=2,matrix=0,k=1", 1.941390},
        {"outlier", "t=2,matrix=1,k=1", 1.607859},
        {"outlier", "t=4,matrix=0,k=1", 1.953922},
        {"outlier", "t=4,matrix=1,k=1", 1.618595},
        {"ntk_edge", "t=0.5", 5.542367},
        {"ntk_edge", "t=1", 7.520652},
        {"ntk_edge", "t=2", 8.705298},
        {"ntk_edge", "t=4", 9.446858},
        {"ntk_top", "t=0.5,k=1", 5.676766},
        {"ntk_top", "t=1,k=1", 7.767247},
        {"ntk_top", "t=2,k=1", 8.777779},
        {"ntk_top", "t=4,k=1", 9.454455},
    };
    check_entries("depth: 2, alpha: 1.5, nu: 2, gamma0: 2, sigma: 0.8, noise: 0.3, "
                  "integrator: flow, steps: 40, time: 4",
                  COUNT(e), e);
}
END_TEST

START_TEST(reference_case_5_edge_of_stability) {
    const entry e[] = {
        {"outlier", "t=2,matrix=0,k=1", 1.549964},
        {"ntk_top", "t=2,k=1", 2.901225},
        {"outlier", "t=4,matrix=0,k=1", 1.774505},
        {"ntk_top", "t=4,k=1", 3.360490},
        {"outlier", "t=8,matrix=0,k=1", 2.031955},
        {"ntk_top", "t=8,k=1", 4.180857},
        {"outlier", "t=20,matrix=0,k=1", 2.266723},
        {"ntk_top", "t=20,k=1", 3.770248},
        {"outlier", "t=21,matrix=0,k=1", 1.927650},
        {"ntk_top", "t=21,k=1", NAN},
        {"ntk_edge", "t=21", 1.836632},
        {"outlier", "t=40,matrix=0,k=1", 2.317720},
        {"ntk_top", "t=40,k=1", 3.765023},
        {"stability", "t=40", 0.8 * 3.765023},
    };
    check_entries("gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.8", COUNT(e), e);
}
END_TEST

/* deep-linear.md#s5-1: the stability curve at a moderate rate, printed to three decimals. */
START_TEST(stability_rises_to_two_and_hovers) {
    const double want[][2] = {{0, 0.606},  {5, 1.940},  {10, 1.969},
                              {20, 2.022}, {30, 1.994}, {40, 1.917}};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {gamma0: 3, sigma: 0.6, "
                                    "noise: 0.3, lr: 0.6}}");
    for (size_t i = 0; i < COUNT(want); i++) {
        char at[16];
        snprintf(at, sizeof at, "t=%g", want[i][0]);
        ck_assert(fabs(test_value(f, "stability", at) - want[i][1]) <= 0.51e-3);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s4: linearised heavy ball is stable up to 2 (1 + m). A lazy network converges
 * 1.3 % below and does not 1.3 % above. */
START_TEST(the_edge_of_stability_grows_with_momentum) {
    static const struct {
        double lr, stability;
        bool converges;
    } side[] = {{0.38, 2.96, true}, {0.39, 3.04, false}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < COUNT(side); i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {gamma0: 0.01, momentum: 0.5, center: true, "
                 "steps: 400, record: [0], spectrum: false, lr: %g}}",
                 side[i].lr);
        nnd_frame *f = test_theory(ctx, yaml);
        test_close("edge", test_value(f, "stability_edge", ""), 3.0, 0.0);
        test_close("stability", test_value(f, "stability", "t=0"), side[i].stability, 1e-3);
        double ratio = test_value(f, "train_mse", "t=400") / test_value(f, "train_mse", "t=0");
        ck_assert_msg((ratio < 1e-6) == side[i].converges, "lr %g: train_mse falls to %g",
                      side[i].lr, ratio);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* The weight of one mode, whose NTK times the learning rate is `stability`, descends by the
 * optimizer of simulated networks from 1. */
static double mode_after(size_t steps, double stability, double momentum, double decay) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_window window;
    nnd_weights w;
    double one = 1.0, at, scratch[8];
    ck_assert_int_eq(nnd_window_make(ctx, 8, &window), NND_OK);
    ck_assert_int_eq(nnd_weights_make(ctx, 1, 1, &window, true, &w), NND_OK);
    w.scale = w.strength = w.w[0] = 1.0;
    for (size_t t = 0; t < steps; t++) {
        if (window.count == window.capacity) {
            nnd_weights_fold(&w, &window);
            nnd_window_reset(&window);
        }
        nnd_weights_times(&w, &window, &one, &at, scratch);
        at = -at;
        nnd_weights_push(&w, nnd_window_push(&window), &at, &one);
        nnd_window_descend(&window, stability, momentum, decay);
    }
    nnd_weights_times(&w, &window, &one, &at, scratch);
    nnd_weights_clear(&w);
    nnd_window_clear(&window);
    nnd_context_free(ctx);
    return fabs(at);
}

START_TEST(the_edge_of_stability_shrinks_with_decay) {
    static const double optimizer[][2] = {{0, 0}, {0, 0.1}, {0.5, 0}, {0.5, 0.2}, {0.9, 0.05}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < COUNT(optimizer); i++) {
        double momentum = optimizer[i][0], decay = optimizer[i][1];
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {steps: 1, spectrum: false, momentum: %g, "
                 "weight_decay: %g}}",
                 momentum, decay);
        nnd_frame *f = test_theory(ctx, yaml);
        double edge = test_value(f, "stability_edge", "");
        ck_assert(mode_after(2000, 0.995 * edge, momentum, decay) < 0.1);
        ck_assert(mode_after(2000, 1.005 * edge, momentum, decay) > 10.0);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* At lr = 0.6 the stability first is above 2 at one recorded time; up to that one theory claims
 * networks of all sizes, after it of none, in every variable that is compared. */
START_TEST(beyond_the_edge_no_size_is_claimed) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {gamma0: 3, sigma: 0.6, "
                                    "noise: 0.3, steps: 40, two_time: true}, "
                                    "sweep: {lr: [0.6, 0.1]}}");
    static const char *const plain[] = {"test_risk_min_size", "h_norm2_min_size",
                                        "delta_two_time_min_size"};
    double last = INFINITY;
    char at[64];
    for (int t = 40; t >= 0; t--) {
        snprintf(at, sizeof at, "lr=0.6,t=%d", t);
        last = test_value(f, "stability", at) > 2.0 ? t : last;
    }
    ck_assert(last > 5 && last < 40);
    for (int t = 0; t <= 40; t++)
        for (size_t v = 0; v < COUNT(plain); v++)
            for (int slow = 0; slow < 2; slow++) {
                snprintf(at, sizeof at, "lr=%s,t=%d,s=3", slow ? "0.1" : "0.6", t);
                double least = test_value(f, plain[v], at);
                ck_assert_msg(least == (!slow && t > last ? INFINITY : 0.0), "%s at %s: %g",
                              plain[v], at, least);
            }
    snprintf(at, sizeof at, "lr=0.6,t=%g,matrix=0,k=1", last + 1);
    ck_assert(isinf(test_value(f, "outlier_min_size", at)));
    ck_assert_str_eq(nnd_frame_find_attribute(f, "test_risk_min_size", NND_REASON)->text,
                     "beyond the edge of stability sizes do not extrapolate like 1/size");
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* At lr = 0.6 the stability is 2.022 at t = 20 and 1.917 at t = 40. */
START_TEST(the_edge_is_looked_for_between_recorded_times) {
    static const struct {
        const char *params;
        double least;
    } cases[] = {
        {"lr: 0.6, record: [40]", INFINITY},
        {"lr: 0.6, record_every: 40, spectrum: false", INFINITY},
        {"lr: 0.1, record: [40]", 0.0},
        {"lr: 0.6, record: [40], ntk: false", 0.0},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {gamma0: 3, sigma: 0.6, noise: 0.3, steps: 40, %s}}",
             cases[_i].params);
    nnd_frame *f = test_theory(ctx, yaml);
    const nnd_array *claim = nnd_frame_find(f, "test_risk_min_size");
    double least = claim != NULL ? claim->data[claim->count - 1] : 0.0;
    ck_assert_double_eq(least, cases[_i].least);
    if (_i == 0)
        ck_assert_double_lt(test_value(f, "stability", "t=40"), 2.0);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s5-1, printed to three decimals. */
START_TEST(escape_times) {
    static const struct {
        const char *parameterization;
        double nu, first, second;
    } cases[] = {{"mup", 1, 8.055, 7.733},
                 {"mup", 4, 5.533, 7.297},
                 {"mup", 16, 4.005, 7.196},
                 {"ntk", 4, 11.958, 16.499},
                 {"ntk", 16, 18.222, 57.348}};
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {depth: 2, gamma0: 3, sigma: 0.6, noise: 0.3, nu: %g, "
             "parameterization: %s, steps: 60, record: [60], ntk: false}}",
             cases[_i].nu, cases[_i].parameterization);
    nnd_frame *f = test_theory(ctx, yaml);
    ck_assert(fabs(test_value(f, "escape_time", "matrix=0,k=1") - cases[_i].first) <= 0.51e-3);
    ck_assert(fabs(test_value(f, "escape_time", "matrix=1,k=1") - cases[_i].second) <= 0.51e-3);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Indicators and the search for outliers count the same: outlier k is there at the first step after
 * its time (later it may sink back), and at none before. The second one of A_0 comes late, that of
 * A_1 not at all. */
START_TEST(every_outlier_has_its_escape_time) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {depth: 2, alpha: 1, gamma0: 5, "
                                    "sigma: 0.5, noise: 1, lr: 0.4, steps: 14, ntk: false}}");
    double latest = 0.0;
    for (int l = 0; l < 2; l++)
        for (int k = 1; k <= 2; k++) {
            char at[64];
            snprintf(at, sizeof at, "matrix=%d,k=%d", l, k);
            double escape = test_value(f, "escape_time", at);
            latest = fmax(latest, escape);
            for (int t = 0; t <= 14 && !(t >= escape + 1.0); t++) {
                snprintf(at, sizeof at, "t=%d,matrix=%d,k=%d", t, l, k);
                ck_assert_msg(isnan(test_value(f, "outlier", at)) == !(t >= escape),
                              "%s escapes at %g", at, escape);
            }
        }
    ck_assert(latest > 9.0 && latest < 10.0);
    ck_assert(isnan(test_value(f, "escape_time", "matrix=1,k=2")));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* The escape time does not depend on what is recorded. */
START_TEST(escape_time_is_that_of_all_steps) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *all = test_theory(ctx, "{model: deep-linear, params: {gamma0: 3, sigma: 0.6}}");
    nnd_frame *few =
        test_theory(ctx, "{model: deep-linear, params: {gamma0: 3, sigma: 0.6, record: [40]}}");
    test_close("escape", test_value(few, "escape_time", "matrix=0,k=1"),
               test_value(all, "escape_time", "matrix=0,k=1"), 0.0);
    nnd_frame_free(all);
    nnd_frame_free(few);
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s6-5: nu -> infinity, online, one layer. */
START_TEST(infinitely_wide_outlier_and_operator_follow_the_recursion) {
    double c = 0.0, n = 0.49;
    for (int t = 0; t < 30; t++) {
        double k = 0.1 * 2.0 * 0.49 * (1.0 - c / 2.0), c_next = c * (1.0 + k * k) + 2.0 * k * n;
        n = n * (1.0 + k * k) + 2.0 * k * c;
        c = c_next;
    }
    nnd_context *ctx = nnd_context_new(NULL);
    const char *nu[] = {"1e4", "1e8"};
    const double bound[] = {3e-2, 3e-4}; /* O(nu^-1/2): the bulk of A_0 over sqrt(nu) */
    for (int i = 0; i < 2; i++) {
        char yaml[256];
        snprintf(
            yaml, sizeof yaml,
            "{model: deep-linear, params: {alpha: inf, nu: %s, gamma0: 2, sigma: 0.7, lr: 0.1, "
            "steps: 30, record: [30]}}",
            nu[i]);
        nnd_frame *f = test_theory(ctx, yaml);
        double top = test_value(f, "outlier", "t=30,matrix=0,k=1") / sqrt(atof(nu[i]));
        ck_assert_msg(fabs(top - sqrt(n)) < bound[i] * sqrt(n), "outlier %g, %g", top, sqrt(n));
        double lambda = test_value(f, "ntk_top", "t=30,k=1");
        ck_assert_msg(fabs(lambda - 2 * 0.49 * n) < bound[i] * lambda, "B: %g, %g", lambda,
                      2 * 0.49 * n);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* deep-linear.md#s6-6: sigma^4 (1 + (1 + sqrt(nu))^2/nu), however narrow or wide. A minimum is
 * known to 1e-9 in log x, at a distance of sqrt(nu) from the end of x: the edge to the square of
 * that. */
START_TEST(population_operator_edge_at_initialisation) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double nu[] = {4.0, 1e-6, 1e6};
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {alpha: inf, nu: %g, sigma: 0.5, steps: 0}}", nu[_i]);
    nnd_frame *f = test_theory(ctx, yaml);
    double root = 1.0 + sqrt(nu[_i]), want = 0.0625 * (1.0 + root * root / nu[_i]);
    test_close("edge", test_value(f, "ntk_edge", "t=0"), want, 1e-11);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

typedef struct {
    double s, aspect;
} law;

static double density(double z, void *data) {
    const law *l = data;
    return nnd_bulk_density(l->s, l->aspect, z);
}

static double resolvent_integrand(double z, void *data) {
    const double *p = data;
    return nnd_bulk_density(p[0], p[1], z) * p[2] / (p[2] * p[2] - z * z);
}

START_TEST(bulk_density_has_mass_one_and_the_right_resolvent) {
    const law laws[] = {{0.36, 1.0}, {0.5, 0.7}, {2.0, 4.0}};
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(1000);
    for (int i = 0; i < 3; i++) {
        law l = laws[i];
        double mass, error, low = nnd_bulk_lower_edge(l.s, l.aspect),
                            high = nnd_bulk_upper_edge(l.s, l.aspect);
        gsl_function f = {density, &l};
        gsl_integration_qags(&f, low, high, 1e-10, 1e-10, 1000, w, &mass, &error);
        test_close("mass", mass, 1.0, 1e-8);
        /* m_in = (1/n_in) sum over the n_in values of z/(z^2 - s_i^2); the rest of them are 0. */
        double p[] = {l.s, l.aspect, 1.3 * high}, m;
        gsl_function g = {resolvent_integrand, p};
        gsl_integration_qags(&g, low, high, 1e-10, 1e-10, 1000, w, &m, &error);
        double share = fmin(1.0, l.aspect);
        nnd_bulk_resolvent r = nnd_bulk_resolvent_at(l.s, l.aspect, p[2]);
        test_close("m_in", share * m + (1.0 - share) / p[2], r.m_in, 1e-8);
        double h = 1e-5;
        test_close("m_in'",
                   (nnd_bulk_resolvent_at(l.s, l.aspect, p[2] + h).m_in -
                    nnd_bulk_resolvent_at(l.s, l.aspect, p[2] - h).m_in) /
                       (2 * h),
                   r.dm_in, 1e-7);
        test_close("m_out'",
                   (nnd_bulk_resolvent_at(l.s, l.aspect, p[2] + h).m_out -
                    nnd_bulk_resolvent_at(l.s, l.aspect, p[2] - h).m_out) /
                       (2 * h),
                   r.dm_out, 1e-7);
    }
    gsl_integration_workspace_free(w);
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits) {
    nnd_context_options one = {.threads = 1}, three = {.threads = 3};
    nnd_context *a = nnd_context_new(&one), *b = nnd_context_new(&three);
    const char *yaml = "{model: deep-linear, params: {depth: 2, " R1 ", momentum: 0.3, "
                       "weight_decay: 0.01, density: true}}";
    nnd_frame *f = test_theory(a, yaml), *g = test_theory(b, yaml);
    ck_assert(test_frames_identical(f, g));
    nnd_frame_free(f);
    nnd_frame_free(g);
    nnd_context_free(a);
    nnd_context_free(b);
}
END_TEST

/* With weight decay the initial weights vanish. Without a target worth learning all that is left
 * shrinks with them; what training keeps alive becomes stationary, however small the bulk. */
START_TEST(outliers_shrink_with_the_bulk_or_outlive_it) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: deep-linear, params: {depth: 2, weight_decay: 0.99, "
                                    "ntk: false, steps: 40, record: [20]}}");
    test_close("20 factors of 0.01", test_value(f, "outlier", "t=40,matrix=0,k=1") / 1e-40,
               test_value(f, "outlier", "t=20,matrix=0,k=1"), 1e-9);
    nnd_frame_free(f);
    f = test_theory(
        ctx, "{model: deep-linear, params: {weight_decay: 0.5, lr: 0.5, gamma0: 10, sigma: 0.4, "
             "noise: 0.3, ntk: false, steps: 400, record: [60]}}");
    double want = test_value(f, "outlier", "t=60,matrix=0,k=1");
    ck_assert(want > 1.0);
    test_close("t = 400", test_value(f, "outlier", "t=400,matrix=0,k=1"), want, 1e-9);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep-linear spectrum");
    TCase *tables = tcase_create("reference cases");
    tcase_add_test(tables, reference_case_1);
    tcase_add_test(tables, outliers_shrink_with_the_bulk_or_outlive_it);
    tcase_add_test(tables, reference_case_2);
    tcase_add_test(tables, reference_case_3);
    tcase_add_test(tables, reference_case_4_gradient_flow);
    tcase_add_test(tables, reference_case_5_edge_of_stability);
    tcase_add_test(tables, stability_rises_to_two_and_hovers);
    tcase_add_test(tables, the_edge_of_stability_grows_with_momentum);
    tcase_add_test(tables, the_edge_of_stability_shrinks_with_decay);
    tcase_add_test(tables, beyond_the_edge_no_size_is_claimed);
    tcase_add_loop_test(tables, the_edge_is_looked_for_between_recorded_times, 0, 4);
    tcase_add_loop_test(tables, escape_times, 0, 5);
    suite_add_tcase(suite, tables);
    TCase *exact = tcase_create("exact checks");
    tcase_add_test(exact, every_outlier_has_its_escape_time);
    tcase_add_test(exact, escape_time_is_that_of_all_steps);
    tcase_add_test(exact, infinitely_wide_outlier_and_operator_follow_the_recursion);
    tcase_add_loop_test(exact, population_operator_edge_at_initialisation, 0, 3);
    tcase_add_test(exact, bulk_density_has_mass_one_and_the_right_resolvent);
    tcase_add_test(exact, any_number_of_threads_gives_the_same_bits);
    suite_add_tcase(suite, exact);
    return test_main(suite);
}
