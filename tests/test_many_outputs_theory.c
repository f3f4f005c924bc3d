/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of weights with a fixed readout: the reference cases and numbers of many-outputs.md, limits
 * that are known, and what is refused. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

/* Printed with ten digits. */
static const double PRINTED = 1e-9;

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

/* A case of the model with these parameters; fewer points where only edges are asked for. */
__attribute__((format(printf, 2, 3))) static nnd_frame *solve(nnd_context *ctx, const char *format,
                                                              ...) {
    char params[512], yaml[640];
    va_list list;
    va_start(list, format);
    vsnprintf(params, sizeof params, format, list);
    va_end(list);
    snprintf(yaml, sizeof yaml, "model: many-outputs\nparams: {%s}\n", params);
    return test_theory(ctx, yaml);
}

static size_t edge_count(const nnd_frame *f) {
    const nnd_dim *edge = nnd_frame_find_dim(f, "edge");
    return edge != NULL ? edge->length : 0;
}

/* Edges as listed, ascending, up to a NaN. */
static void check_edges(const char *what, const nnd_frame *f, const double *want, double relative) {
    size_t n = 0;
    while (!isnan(want[n]))
        n++;
    ck_assert_msg(edge_count(f) == n, "%s: %zu edges for %zu", what, edge_count(f), n);
    for (size_t i = 0; i < n; i++)
        near(what, nnd_frame_find(f, "edges")->data[i], want[i], relative * want[i]);
}

static double top_edge(nnd_context *ctx, nnd_frame *f) {
    (void)ctx;
    double top = nnd_frame_find(f, "edges")->data[edge_count(f) - 1];
    nnd_frame_free(f);
    return top;
}

/* ---- many-outputs.md#s8 ---- */

START_TEST(R2_descent_is_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.5, d: 1, lr: 0.3, steps: 3, z: [1.021, 1.702, 2.382, 3.063], "
                              "points: [[2, 1], [0.5, 0.1], [-1, 0]]");
    static const double re[] = {-0.3313928172, -0.5154016012, 0.6599186251},
                        im[] = {0.4284164469, 1.4150319648, 0.0},
                        rho[] = {0.27567477, 0.17428316, 0.11182993, 0.05617992};
    check_edges("R2", f, (const double[]){3.403284666, NAN}, PRINTED);
    near("kappa", test_value(f, "edge_kappa", "edge=1"), 0.285618, 5e-7);
    near("risk", test_value(f, "risk", ""), 0.3727725781, PRINTED);
    near("mean", test_value(f, "eigenvalue_mean", ""), 0.8032905156, PRINTED);
    for (int i = 0; i < 3; i++) {
        near("Re m", nnd_frame_find(f, "stieltjes_re")->data[i], re[i], PRINTED);
        near("Im m", nnd_frame_find(f, "stieltjes_im")->data[i], im[i], PRINTED);
    }
    for (int i = 0; i < 4; i++)
        /* z has four digits in the reference, of numbers that were not rounded there */
        near("density", nnd_frame_find(f, "density")->data[i], rho[i], 5e-5);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R3_the_end_of_training_is_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.3, d: 0.5, gamma: 2, integrator: flow, time: inf, points: "
                              "[[2, 1], [-1, 0]], z: [8.583570663, 14.305951105]");
    check_edges("R3", f, (const double[]){0.1317168266, 28.61190221, NAN}, PRINTED);
    near("Re m", test_value(f, "stieltjes_re", "point=2+1i"), -0.1194331981, PRINTED);
    near("Im m", test_value(f, "stieltjes_im", "point=2+1i"), 0.3503039853, PRINTED);
    near("m", test_value(f, "stieltjes_re", "point=-1"), 0.3898104184, PRINTED);
    near("risk", test_value(f, "risk", ""), 0.0, 1e-15);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R4_two_bulks_and_an_outlier_are_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.1, d: 1, sigma2: 0.5, gamma: 3, integrator: flow, time: 1.5");
    check_edges("R4", f, (const double[]){1.776179657, 2.971868960, 9.704215235, NAN}, PRINTED);
    near("risk", test_value(f, "risk", ""), 0.07634909535, PRINTED);
    near("gap", test_value(f, "gap", "gap=1,side=lower"), 1.776179657, PRINTED);
    near("gap", test_value(f, "gap", "gap=1,side=upper"), 2.971868960, PRINTED);
    near("C of D eigenvalues", test_value(f, "gap_mass", "gap=1"), 0.1, 1e-12);
    nnd_frame_free(f);
    f = solve(ctx, "c: 0.5, d: 0.8, gamma: 1.5, tau2: 0.5, integrator: flow, time: 2, spikes: "
                   "[0.1, 3], widths: [100]");
    near("edge", test_value(f, "edges", "edge=2"), 3.728905284, PRINTED);
    near("outlier", test_value(f, "outlier", "spike=2"), 14.97360228, 10.0 * PRINTED);
    near("overlap", test_value(f, "outlier_overlap", "spike=2"), 0.9333645693, PRINTED);
    near("an outlier is the largest", test_value(f, "top_mean", "width=100"), 14.97360228,
         10.0 * PRINTED);
    ck_assert(isnan(test_value(f, "outlier", "spike=1")));
    ck_assert(isinf(test_value(f, "outlier_min_size", "spike=1")));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R6_finitely_many_samples_are_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.5, d: 0.8, p: 1.5, gamma: 1.5, label_noise: 0.3, lr: 0.2, "
                              "steps: 3, points: [[3, 1], [1, 0.2]], z: [0.5, 1, 2, 4]");
    near("edge", test_value(f, "edges", "edge=2"), 3.998114352, PRINTED);
    near("Re m", test_value(f, "stieltjes_re", "point=3+1i"), -0.3322289527, PRINTED);
    near("Im m", test_value(f, "stieltjes_im", "point=3+1i"), 0.2925911175, PRINTED);
    near("Re m", test_value(f, "stieltjes_re", "point=1+0.2i"), -0.3553521410, PRINTED);
    near("Im m", test_value(f, "stieltjes_im", "point=1+0.2i"), 0.9352060982, PRINTED);
    near("risk", test_value(f, "risk", ""), 0.6122500263, PRINTED);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- many-outputs.md#s2-3: the largest eigenvalue at finite width ---- */

START_TEST(the_largest_eigenvalue_is_shifted_by_tracy_and_widom) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.5, d: 1, lr: 0.3, steps: 3, z: [1], widths: [100, 200, 400]");
    near("100", test_value(f, "top_mean", "width=100"), 3.274, 5e-4);
    near("200", test_value(f, "top_mean", "width=200"), 3.322, 5e-4);
    near("400", test_value(f, "top_mean", "width=400"), 3.352, 5e-4);
    double shift = 3.403284666 - test_value(f, "top_mean", "width=200");
    near("sd", test_value(f, "top_sd", "width=200"), shift * 1.2679830577 / 1.2065335746, PRINTED);
    nnd_frame_free(f);
    f = solve(ctx, "c: 0.3, d: 0.5, gamma: 2, integrator: flow, time: inf, z: [1], widths: "
                   "[100, 200, 400]");
    near("100", test_value(f, "top_mean", "width=100"), 24.88, 5e-3);
    near("200", test_value(f, "top_mean", "width=200"), 26.26, 5e-3);
    near("400", test_value(f, "top_mean", "width=400"), 27.13, 5e-3);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- many-outputs.md#s2-6 ---- */

START_TEST(edges_over_c_have_a_maximum_near_1) {
    static const struct {
        const char *time;
        double c, edge, digit;
    } all[] = {{"2", .2, 3.856, 5e-4},   {"2", .95, 3.363, 5e-4},   {"2", 2.0, 2.694, 5e-4},
               {"10", .2, 4.950, 5e-4},  {"10", .95, 9.549, 5e-4},  {"10", 2.0, 6.475, 5e-4},
               {"inf", .2, 5.142, 5e-4}, {"inf", .5, 14.475, 5e-4}, {"inf", .8, 98.19, 5e-3},
               {"inf", .95, 1598.0, .5}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        nnd_frame *f =
            solve(ctx, "c: %g, d: 1, integrator: flow, time: %s, z: [1]", all[i].c, all[i].time);
        near(all[i].time, top_edge(ctx, f), all[i].edge, all[i].digit);
    }
    nnd_context_free(ctx);
}
END_TEST

/* More outputs than neurons, to the end: an F-matrix. */
START_TEST(the_end_with_many_outputs_is_an_f_matrix) {
    static const struct {
        double c, d, gamma;
    } all[] = {{2.0, 1.0, 1.0}, {1.2, 1.0, 1.0}, {1.5, 0.3, 2.0}, {4.0, 3.0, 0.5}};
    nnd_context *ctx = nnd_context_new(NULL);
    near("8", top_edge(ctx, solve(ctx, "c: 2, d: 1, integrator: flow, time: inf, z: [1]")), 8.0,
         PRINTED);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        double y1 = 1.0 / all[i].d, y2 = 1.0 / all[i].c;
        double root = (1.0 + sqrt(y1 + y2 - y1 * y2)) / (1.0 - y2);
        double want = all[i].gamma * all[i].gamma / all[i].c * root * root;
        nnd_frame *f = solve(ctx, "c: %g, d: %g, gamma: %g, integrator: flow, time: inf, z: [1]",
                             all[i].c, all[i].d, all[i].gamma);
        near("edge", top_edge(ctx, f), want, 1e-9 * want);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Marchenko and Pastur at the start; at the end without a target 1 - c of the weights stay. */
START_TEST(starts_and_ends_without_a_target_are_marchenko_and_pastur) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const char *const params[] = {"p: inf", "p: 2"};
    for (int i = 0; i < 2; i++) {
        nnd_frame *f =
            solve(ctx, "c: 0.4, d: 0.6, sigma2: 2, lr: 0.1, steps: 0, z: [1], %s", params[i]);
        double low = 1.0 - sqrt(0.6), high = 1.0 + sqrt(0.6);
        check_edges("start", f, (const double[]){2.0 * low * low, 2.0 * high * high, NAN}, 1e-12);
        near("risk", test_value(f, "risk", ""), 1.0 + 0.6 * 2.0, 1e-10);
        nnd_frame_free(f);
    }
    nnd_frame *f = solve(ctx, "c: 0.3, d: 0.5, tau2: 0, integrator: flow, time: inf, z: [1]");
    double low = sqrt(0.7) - sqrt(0.5), high = sqrt(0.7) + sqrt(0.5);
    check_edges("end", f, (const double[]){low * low, high * high, NAN}, 1e-9);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Edges of a network much wider than inputs and outputs, to order d^{1/2}. */
START_TEST(wide_networks_are_a_limit) {
    nnd_context *ctx = nnd_context_new(NULL);
    double q = pow(0.9, 5.0), gain = 4.0 * (1.0 - q) * (1.0 - q), error[2];
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? 1e-3 : 1e-5, root = sqrt(0.5);
        nnd_frame *f = solve(ctx, "c: %g, d: %g, gamma: 2, lr: 0.1, steps: 5, z: [1]", 0.5 * d, d);
        ck_assert_uint_eq(edge_count(f), 4);
        near("untouched", test_value(f, "edges", "edge=1"), 1.0, 3.0 * sqrt(d));
        near("untouched", test_value(f, "edges", "edge=2"), 1.0, 3.0 * sqrt(d));
        near("lower", test_value(f, "edges", "edge=3"), 1.0 + gain * (1.0 - root) * (1.0 - root),
             3.0 * sqrt(d));
        error[i] = test_value(f, "edges", "edge=4") - 1.0 - gain * (1.0 + root) * (1.0 + root);
        nnd_frame_free(f);
    }
    near("order 1/2 or higher", fabs(error[1]), 0.0, fabs(error[0]) / 9.0);
    nnd_context_free(ctx);
}
END_TEST

/* ---- many-outputs.md#s2-7 ---- */

static size_t gaps_at(nnd_context *ctx, double c, double gamma2) {
    nnd_frame *f = solve(ctx, "c: %.17g, d: 1, gamma: %.17g, integrator: flow, time: inf, z: [1]",
                         c, sqrt(gamma2));
    const nnd_dim *gap = nnd_frame_find_dim(f, "gap");
    size_t n = gap != NULL ? gap->length : 0;
    nnd_frame_free(f);
    return n;
}

START_TEST(bulks_of_what_is_learned_merge_with_the_rest_at_c) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double merger[][2] = {{4.0, 0.0527855}, {9.0, 0.3014414}};
    for (int i = 0; i < 2; i++) {
        double low = 0.9 * merger[i][1], high = 1.1 * merger[i][1];
        while (high - low > 1e-8) {
            double c = 0.5 * (low + high);
            *(gaps_at(ctx, c, merger[i][0]) == 1 ? &low : &high) = c;
        }
        near("c", low, merger[i][1], 5e-7); /* found by bisection to 1e-6 */
    }
    for (double c = 0.001; c < 0.99; c *= 1.8)
        ck_assert_uint_eq(gaps_at(ctx, c, 2.0), 0);
    nnd_context_free(ctx);
}
END_TEST

/* Edges for C = 50, D = 100: with muP they settle as the width grows, with NTK the bulk shrinks. */
START_TEST(the_edge_converges_with_the_width_in_mup) {
    static const struct {
        int width;
        double mup[5], ntk[3];
    } all[] = {{100, {12.30219, NAN}, {4.12692, NAN}},
               {400, {0.31993, 12.46184, NAN}, {0.24748, 2.24145, NAN}},
               {1600, {0.64239, 1.31717, 1.34299, 11.95785, NAN}, {0.56113, 1.55914, NAN}},
               {6400, {0.82068, 1.17046, 1.32059, 11.76205, NAN}, {0.76514, 1.26485, NAN}},
               {25600, {0.91077, 1.08708, 1.31609, 11.70799, NAN}, {0.87877, 1.12873, NAN}}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        /* gamma^2 = 4 = gamma0^2 D and eta = 0.1 = lr/D; NTK: gamma^2 = D/N, eta = lr/D. */
        nnd_frame *f = solve(ctx,
                             "width: %d, inputs: 100, outputs: 50, parameterization: mup, "
                             "gamma0: 0.2, lr: 10, steps: 30, z: [1]",
                             all[i].width);
        check_edges("muP", f, all[i].mup, 1e-5);
        nnd_frame_free(f);
        f = solve(ctx,
                  "width: %d, inputs: 100, outputs: 50, parameterization: ntk, "
                  "gamma0: 1, lr: 10, steps: 30, z: [1]",
                  all[i].width);
        check_edges("NTK", f, all[i].ntk, 3e-5);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* many-outputs.md#s2-5: at the end what one output learned is an outlier iff (gamma s)^2 > d +
 * d^{1/2}, so that with NTK a wider network absorbs it again and with muP it appears. */
START_TEST(outliers_are_absorbed_by_wider_networks_in_ntk_alone) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const struct {
        const char *scale;
        double s;
        int below, above; /* widths on both sides of 1562.5, 3052 */
    } all[] = {{"parameterization: ntk, gamma0: 1", 1.5, 1500, 1630},
               {"parameterization: mup, gamma0: 0.02", 1.5, 2950, 3150}};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            nnd_frame *f = solve(ctx,
                                 "width: %d, inputs: 1000, outputs: 1, %s, tau2: 0, "
                                 "integrator: flow, time: inf, spikes: [%g], z: [1]",
                                 k == 0 ? all[i].below : all[i].above, all[i].scale, all[i].s);
            bool detached = !isnan(test_value(f, "outlier", "spike=1"));
            ck_assert_msg(detached == (i == k), "%s: %d", all[i].scale, k);
            nnd_frame_free(f);
        }
    nnd_context_free(ctx);
}
END_TEST

/* ---- routes that meet ---- */

/* With many samples the law is that of the population, to order 1/p. */
START_TEST(many_samples_are_the_population) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const char common[] = "c: 0.3, d: 0.7, gamma: 1.5, integrator: flow, time: 2, "
                                 "z: [0.5, 1, 2, 4], points: [[1, 0.5]]";
    nnd_frame *all = solve(ctx, "%s", common);
    double error[2][4];
    for (int i = 0; i < 2; i++) {
        nnd_frame *f = solve(ctx, "%s, p: %g", common, i == 0 ? 1e3 : 1e4);
        static const char *const names[] = {"edges", "risk", "cdf", "stieltjes_im"};
        for (int k = 0; k < 4; k++)
            error[i][k] = nnd_frame_find(f, names[k])->data[k == 0 ? 1 : 0] -
                          nnd_frame_find(all, names[k])->data[k == 0 ? 1 : 0];
        nnd_frame_free(f);
    }
    for (int k = 0; k < 4; k++)
        near("order 1", error[0][k] / error[1][k], 10.0, 0.2);
    nnd_frame_free(all);
    nnd_context_free(ctx);
}
END_TEST

/* Long training on samples, whose laws need hundreds of nodes, tends to its end: what is left falls
 * with the slowest mode, exp(-lambda mu t) = 1e-13. */
START_TEST(long_training_on_samples_tends_to_its_end) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const char common[] = "c: 0.2, d: 0.4, p: 2, gamma: 1.5, label_noise: 0.3, "
                                 "integrator: flow, z: [1]";
    nnd_frame *late = solve(ctx, "%s, time: %.17g", common, 30.0 / pow(1.0 - sqrt(0.2), 4.0));
    nnd_frame *end = solve(ctx, "%s, time: inf", common);
    static const char *const names[] = {"edges", "risk", "cdf", "stieltjes_im", "eigenvalue_mean"};
    for (int k = 0; k < 5; k++) {
        const nnd_array *x = nnd_frame_find(late, names[k]), *y = nnd_frame_find(end, names[k]);
        ck_assert_uint_eq(x->count, y->count);
        for (size_t i = 0; i < x->count; i++)
            near(names[k], x->data[i], y->data[i], 1e-9 * (1.0 + fabs(y->data[i])));
    }
    nnd_frame_free(late);
    nnd_frame_free(end);
    nnd_context_free(ctx);
}
END_TEST

/* Close to c = 1, where a plain rule would need some 40/|log c| nodes: two networks that differ by
 * 1e-9 have laws that do, and stated errors are as small as elsewhere. */
START_TEST(laws_are_smooth_where_outputs_are_as_many_as_neurons) {
    nnd_context *ctx = nnd_context_new(NULL);
    double edge[3], risk[3];
    for (int i = 0; i < 3; i++) {
        nnd_frame *f =
            solve(ctx, "c: %.17g, d: 1, integrator: flow, time: 2, z: [1]", 1.0 + 1e-3 * (i - 1));
        edge[i] = nnd_frame_find(f, "edges")->data[0];
        risk[i] = test_value(f, "risk", "");
        ck_assert_double_lt(test_value(f, "edges_se", "edge=1"), 1e-9);
        nnd_frame_free(f);
    }
    /* Second differences are (1e-3)^2 times derivatives of order 1. */
    near("edge", edge[0] - 2.0 * edge[1] + edge[2], 0.0, 1e-5);
    near("risk", risk[0] - 2.0 * risk[1] + risk[2], 0.0, 1e-5);
    nnd_context_free(ctx);
}
END_TEST

/* Late only the slowest modes are left, and the risk is as exact as early: its logarithm falls by
 * twice the least lambda, and by t^(-3/2) as they begin like a root. */
START_TEST(late_times_keep_their_digits) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "c: 0.4, d: 0.6, integrator: flow, time: 800, record: [400], z: [1]");
    const double *risk = nnd_frame_find(f, "risk")->data,
                 *error = nnd_frame_find(f, "risk_se")->data;
    double least = (1.0 - sqrt(0.4)) * (1.0 - sqrt(0.4));
    /* up to what the next order, 1/(least t), changes */
    near("exponent", log(risk[0] / risk[1]), 800.0 * least + 1.5 * log(2.0), 0.1);
    ck_assert(risk[1] < 1e-90 && error[1] < 1e-8 * risk[1]);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_density_is_the_slope_of_its_distribution) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const char *const samples[] = {"inf", "1.5"};
    for (int i = 0; i < 2; i++) {
        nnd_frame *f = solve(ctx,
                             "c: 0.5, d: 1.3, lr: 0.15, steps: 4, p: %s, z: {from: 0, to: 6, "
                             "count: 400}",
                             samples[i]);
        const double *rho = nnd_frame_find(f, "density_sv")->data,
                     *cdf = nnd_frame_find(f, "cdf")->data;
        double step = sqrt(6.0) / 400.0, worst = 0.0;
        for (int k = 40; k + 1 < 300; k++)
            worst = fmax(worst, fabs((cdf[k + 1] - cdf[k - 1]) / (2.0 * step) - rho[k]));
        ck_assert_msg(worst < 5.0 * step * step, "%g", worst); /* the error of a difference */
        near("zeros", cdf[0], 1.0 - 1.0 / 1.3, 1e-10);
        near("all", cdf[399], 1.0, 1e-10);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_has_no_law_is_refused_in_one_line) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const struct {
        const char *params, *message;
    } all[] = {
        {"c: 0.5, d: 1, lr: 0.7, steps: 5", "params.lr: 0.7 is not stable"},
        {"c: 0.5, d: 1, p: 1, lr: 0.2, steps: 5", "params.lr: 0.2 is not stable"},
        {"c: 0.5, d: 1, p: 2, lr: 0.1, spikes: [3]", "params.spikes: "},
        {"c: 0.99999, d: 1, integrator: flow, time: inf", "the spectrum at time inf is not known"},
        {"c: 0.5, d: 1, p: 1, label_noise: 0.1, integrator: flow, time: inf", "params.p: 1, "},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "model: many-outputs\nparams: {%s}\n", all[i].params);
        nnd_case *c = test_case(ctx, yaml);
        nnd_frame *f = NULL;
        ck_assert_int_lt(nnd_theory_run(ctx, c, NULL, &f), NND_OK);
        const char *message = nnd_context_message(ctx);
        ck_assert_msg(strstr(message, all[i].message) != NULL && strchr(message, '\n') == NULL,
                      "%s", message);
        nnd_case_free(c);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("many_outputs_theory");
    TCase *tests = tcase_create("many_outputs_theory");
    tcase_add_test(tests, R2_descent_is_met);
    tcase_add_test(tests, R3_the_end_of_training_is_met);
    tcase_add_test(tests, R4_two_bulks_and_an_outlier_are_met);
    tcase_add_test(tests, R6_finitely_many_samples_are_met);
    tcase_add_test(tests, the_largest_eigenvalue_is_shifted_by_tracy_and_widom);
    tcase_add_test(tests, edges_over_c_have_a_maximum_near_1);
    tcase_add_test(tests, the_end_with_many_outputs_is_an_f_matrix);
    tcase_add_test(tests, starts_and_ends_without_a_target_are_marchenko_and_pastur);
    tcase_add_test(tests, wide_networks_are_a_limit);
    tcase_add_test(tests, bulks_of_what_is_learned_merge_with_the_rest_at_c);
    tcase_add_test(tests, the_edge_converges_with_the_width_in_mup);
    tcase_add_test(tests, outliers_are_absorbed_by_wider_networks_in_ntk_alone);
    tcase_add_test(tests, many_samples_are_the_population);
    tcase_add_test(tests, long_training_on_samples_tends_to_its_end);
    tcase_add_test(tests, laws_are_smooth_where_outputs_are_as_many_as_neurons);
    tcase_add_test(tests, late_times_keep_their_digits);
    tcase_add_test(tests, a_density_is_the_slope_of_its_distribution);
    tcase_add_test(tests, what_has_no_law_is_refused_in_one_line);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
