/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The influence-function engine: against closed maps, the numbers of fluctuations.md#s8, finite
 * differences, and itself on finer grids. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/linear_population.h"
#include "nndmft/solvers/nodes.h"
#include "observables.h"

static const nnd_activation LINEAR = {NND_LINEAR, 1.0, 1.0, 0.0};
static const nnd_activation TANH = {NND_TANH, 0.4, 1.0, 0.0};

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g, off by %.2g", what,
                  want, got, fabs(got - want));
}

/* Outputs of all points and kernels of the training points, at every step. */
typedef struct {
    nnd_units p;
    nnd_observable observable[64];
    nnd_timegrid grid;
    nnd_fluctuations out, se;
    nnd_influence_report report;
} problem;

static void set(nnd_context *ctx, problem *q, const nnd_activation *phi, size_t points,
                size_t train, const double *gram, const double *targets, double lr, bool center,
                size_t steps) {
    size_t k = observe_all(ctx, steps, points, train, &q->grid, q->observable);
    q->p = (nnd_units){.activation = phi,
                       .train = train,
                       .points = points,
                       .gram = gram,
                       .targets = targets,
                       .gamma0 = 1.0,
                       .lr = lr,
                       .center = center,
                       .grid = &q->grid,
                       .observables = k,
                       .observable = q->observable,
                       .bias = true};
}

static void solve(nnd_context *ctx, problem *q, size_t intervals, double tolerance) {
    nnd_status status =
        nnd_influence_quadrature(ctx, &q->p, intervals, tolerance, &q->out, &q->se, &q->report);
    ck_assert_msg(status == NND_OK, "status %d, error %.2g with %zu nodes", status, q->report.error,
                  q->report.nodes);
}

static void clear(problem *q) {
    nnd_timegrid_clear(&q->grid);
    nnd_fluctuations_clear(&q->out);
    nnd_fluctuations_clear(&q->se);
}

static double largest_difference(size_t n, const double *a, const double *b) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

/* The same, relative to the largest b. */
static double relative_difference(size_t n, const double *a, const double *b) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(b[i]));
    return largest_difference(n, a, b) / largest;
}

static const double ONE[] = {1.0}, PAIR[] = {1.0, 0.3, 0.3, 1.0}, UNIT_TARGET[] = {1.0};
static const double PAIR_TARGETS[] = {1.0, -0.5};

START_TEST(a_linear_population_equals_its_closed_map) {
    /* Rounding: sums of a few thousand nodes, polynomials of degree 8 on |x| < 9. */
    const double rounding = 1e-12;
    nnd_context *ctx = nnd_context_new(NULL);
    for (int which = 0; which < 4; which++) {
        size_t points = which < 2 ? 1 : 2;
        problem q = {0};
        nnd_fluctuations want;
        set(ctx, &q, &LINEAR, points, points, points == 1 ? ONE : PAIR, PAIR_TARGETS, 0.1,
            which % 2 == 1, 20);
        nnd_nodes nodes;
        ck_assert_int_eq(nnd_nodes_trapezoid(ctx, points + 1, 30, 9.5, true, &nodes), NND_OK);
        ck_assert_int_eq(nnd_influence_run(ctx, &q.p, &nodes, &q.out), NND_OK);
        ck_assert_int_eq(nnd_wishart_run(ctx, &q.p, &want), NND_OK);
        size_t curve = want.times * want.observables;
        near("mean", relative_difference(curve, q.out.mean, want.mean), 0.0, rounding);
        near("variance", relative_difference(curve, q.out.nvar, want.nvar), 0.0, rounding);
        near("covariance", relative_difference(curve * points, q.out.ncov, want.ncov), 0.0,
             rounding);
        near("bias", relative_difference(curve, q.out.bias, want.bias), 0.0, rounding);
        nnd_nodes_clear(&nodes);
        nnd_fluctuations_clear(&want);
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R3_is_met_to_the_digits_printed) {
    static const double mean[3][3] = {{10, 0.5669359069, 1.683395453},
                                      {30, 0.9342376837, 1.874415742},
                                      {60, 0.9967131767, 1.911897991}};
    static const double want[2][3][3] = {{{0.2691608536, 1.687175209, -0.1675591659},
                                          {0.0219244188, 1.082881684, -0.1489636532},
                                          {0.0001511972, 0.8898075915, -0.0210267470}},
                                         {{0.0992540505, 1.809641646, -0.1024500807},
                                          {0.0187782290, 1.362645686, -0.131398315},
                                          {0.0001635003, 1.161243238, -0.0226348412}}};
    static const double kernel_bias[] = {0.010776, 0.186550, 0.322223};
    const double reliable = 2.1e-9; /* digits of fluctuations.md#r3 */
    nnd_context *ctx = nnd_context_new(NULL);
    for (int center = 0; center < 2; center++) {
        problem q = {0};
        set(ctx, &q, &TANH, 1, 1, ONE, UNIT_TARGET, 0.05, center, 60);
        q.p.two_time = center;
        solve(ctx, &q, 0, 1e-8);
        for (int i = 0; i < 3; i++) {
            size_t at = 2 * (size_t)mean[i][0];
            near("f", q.out.mean[at], mean[i][1], reliable);
            near("K", q.out.mean[at + 1], mean[i][2], reliable);
            near("N Var f", q.out.nvar[at], want[center][i][0], reliable);
            near("N Var K", q.out.nvar[at + 1], want[center][i][1], reliable);
            near("b_f", q.out.bias[at], want[center][i][2], reliable);
            if (center)
                near("b_K", q.out.bias[at + 1], kernel_bias[i], 6e-7);
        }
        if (center)
            near("N Cov(10, 60)", q.out.two_time[10 * 61 + 60], 0.00382083897, reliable);
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R3_at_a_test_point) {
    static const double gram[] = {1.0, 0.5, 0.5, 1.0};
    static const double want[3][4] = {{10, 0.2825464905, 0.0782550564, -0.055685},
                                      {30, 0.4720952199, 0.1372008068, -0.084042},
                                      {60, 0.5049977647, 0.14756935, -0.029326}};
    const double reliable = 1.1e-8;
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &TANH, 2, 1, gram, UNIT_TARGET, 0.05, true, 60);
    solve(ctx, &q, 34, 1e-4);
    for (int i = 0; i < 3; i++) {
        size_t at = 3 * (size_t)want[i][0] + 1;
        near("f*", q.out.mean[at], want[i][1], reliable);
        near("N Var f*", q.out.nvar[at], want[i][2], reliable);
        near("b*", q.out.bias[at], want[i][3], 6e-7);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R4_two_points) {
    static const double want[3][8] = {
        {10, 0.502477, -0.171619, 0.267981, 0.212212, -0.231578, 0.0868829, 1.791619},
        {20, 0.771092, -0.325844, 0.119122, 0.0888912, -0.331425, 0.198559, 1.495142},
        {40, 0.960111, -0.466225, 0.00885214, 0.00701325, -0.141714, 0.110970, 1.105306},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &TANH, 2, 2, PAIR, PAIR_TARGETS, 0.1, false, 40);
    solve(ctx, &q, 30, 1e-4);
    for (int i = 0; i < 3; i++) {
        size_t at = 5 * (size_t)want[i][0];
        const double got[] = {q.out.mean[at],     q.out.mean[at + 1], q.out.nvar[at],
                              q.out.nvar[at + 1], q.out.bias[at],     q.out.bias[at + 1],
                              q.out.nvar[at + 2]};
        for (int j = 0; j < 7; j++)
            near("R4", got[j], want[i][j + 1], 6e-7);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(initial_fluctuations_are_those_of_independent_units) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (int center = 0; center < 2; center++) {
        problem q = {0};
        set(ctx, &q, &TANH, 1, 1, ONE, UNIT_TARGET, 0.05, center, 3);
        solve(ctx, &q, 48, 1e-5);
        double phi2 = 0.0, kappa = 0.0, mean = 0.0;
        nnd_nodes line;
        ck_assert_int_eq(nnd_nodes_line(ctx, 9, INFINITY, &line), NND_OK);
        for (size_t i = 0; i < line.count; i++) {
            double f, d, w = line.weight[i];
            nnd_activation_apply(&TANH, 1, &line.x[i], &f, &d, NULL, NULL);
            phi2 += w * f * f;
            mean += w * (f * f + d * d);
            kappa += w * (pow(f, 4.0) + 2.0 * f * f * d * d + 3.0 * pow(d, 4.0));
        }
        near("N Var f", q.out.nvar[0], center ? 0.0 : phi2, 1e-12);
        near("b_f", q.out.bias[0], 0.0, 1e-12);
        near("N Var K", q.out.nvar[1], kappa - mean * mean, 1e-12 * kappa);
        nnd_nodes_clear(&line);
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(the_response_is_causal_and_a_derivative) {
    /* <dF(t)/dDelta(0)> by giving the first step another Delta: a target that differs by h at t = 0
     * alone is not to be had, but t = 1 knows Delta(0) only. */
    const double h = 1e-4;
    nnd_context *ctx = nnd_context_new(NULL);
    double f[2];
    for (int side = 0; side < 2; side++) {
        const double y = side == 0 ? 1.0 - h : 1.0 + h;
        problem q = {0};
        set(ctx, &q, &TANH, 1, 1, ONE, &y, 0.3, true, 1);
        solve(ctx, &q, 48, 1e-4);
        f[side] = q.out.mean[2];
        clear(&q);
    }
    problem q = {0};
    set(ctx, &q, &TANH, 1, 1, ONE, UNIT_TARGET, 0.3, true, 1);
    q.p.two_time = true;
    solve(ctx, &q, 48, 1e-4);
    near("chi(1,0)", q.out.response[2], (f[1] - f[0]) / (2.0 * h), 1e-7);
    near("chi(0,0)", q.out.response[0], 0.0, 0.0);
    near("chi(0,1)", q.out.response[1], 0.0, 0.0);
    near("chi(1,1)", q.out.response[3], 0.0, 0.0);
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(covariances_are_positive_semidefinite) {
    enum { STEPS = 12, N = 2 * (STEPS + 1) };
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &TANH, 2, 2, PAIR, PAIR_TARGETS, 0.1, false, STEPS);
    q.p.two_time = true;
    solve(ctx, &q, 24, 1e-2);
    double a[N * N], value[N];
    const double *const square[] = {q.out.two_time, q.out.noise};
    for (int which = 0; which < 2; which++) {
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++)
                a[i * N + j] =
                    square[which][((i / 2 * (STEPS + 1) + j / 2) * 2 + i % 2) * 2 + j % 2];
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < i; j++)
                near("symmetry", a[i * N + j], a[j * N + i], 1e-14);
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', N, a, N, value);
        ck_assert(value[0] > -1e-12 * value[N - 1]);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_test_point_that_is_a_training_point_repeats_it) {
    static const double gram[] = {1.0, 1.0, 1.0, 1.0};
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &TANH, 2, 1, gram, UNIT_TARGET, 0.05, true, 20);
    solve(ctx, &q, 48, 1e-4);
    for (size_t t = 0; t <= 20; t++) {
        near("f*", q.out.mean[3 * t + 1], q.out.mean[3 * t], 1e-13);
        near("N Var f*", q.out.nvar[3 * t + 1], q.out.nvar[3 * t], 1e-13);
        near("b*", q.out.bias[3 * t + 1], q.out.bias[3 * t], 1e-13);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(flipping_the_target_flips_means_and_biases_only) {
    static const double minus[] = {-1.0};
    nnd_context *ctx = nnd_context_new(NULL);
    problem a = {0}, b = {0};
    set(ctx, &a, &TANH, 1, 1, ONE, UNIT_TARGET, 0.05, true, 20);
    set(ctx, &b, &TANH, 1, 1, ONE, minus, 0.05, true, 20);
    solve(ctx, &a, 32, 1e-2);
    solve(ctx, &b, 32, 1e-2);
    for (size_t t = 0; t <= 20; t++) {
        near("f", b.out.mean[2 * t], -a.out.mean[2 * t], 1e-13);
        near("b_f", b.out.bias[2 * t], -a.out.bias[2 * t], 1e-13);
        near("N Var f", b.out.nvar[2 * t], a.out.nvar[2 * t], 1e-13);
        near("N Var K", b.out.nvar[2 * t + 1], a.out.nvar[2 * t + 1], 1e-12);
    }
    clear(&a);
    clear(&b);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(the_grid_converges_exponentially) {
    static const nnd_activation steep = {NND_TANH, 1.0, 1.0, 0.0};
    static const size_t intervals[] = {32, 48, 72, 108};
    double value[4], error[3];
    nnd_context *ctx = nnd_context_new(NULL);
    for (int i = 0; i < 4; i++) {
        problem q = {0};
        set(ctx, &q, &steep, 1, 1, ONE, UNIT_TARGET, 0.1, true, 40);
        nnd_nodes nodes;
        ck_assert_int_eq(nnd_nodes_trapezoid(ctx, 2, intervals[i], 8.85, true, &nodes), NND_OK);
        ck_assert_int_eq(nnd_influence_run(ctx, &q.p, &nodes, &q.out), NND_OK);
        value[i] = q.out.nvar[2 * 20];
        nnd_nodes_clear(&nodes);
        clear(&q);
    }
    for (int i = 0; i < 3; i++)
        error[i] = fabs(value[i] / value[3] - 1.0);
    /* 3/2 as many intervals raise the number of digits to the power 3/2, at least nearly. */
    ck_assert_msg(error[1] < pow(error[0], 1.3) && error[2] < pow(error[1], 1.3),
                  "errors %.2g, %.2g, %.2g", error[0], error[1], error[2]);
    ck_assert_msg(error[2] < 1e-5, "errors %.2g, %.2g, %.2g", error[0], error[1], error[2]);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_grid_that_is_too_coarse_is_reported) {
    static const nnd_activation steep = {NND_TANH, 3.0, 1.0, 0.0};
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &steep, 1, 1, ONE, UNIT_TARGET, 0.1, true, 10);
    ck_assert_int_eq(nnd_influence_quadrature(ctx, &q.p, 16, 1e-8, &q.out, &q.se, &q.report),
                     NND_NOT_CONVERGED);
    ck_assert(q.report.error > 1e-8 && q.out.data != NULL);
    /* The stated errors hold: a grid of 200 intervals is exact in comparison. */
    problem exact = {0};
    set(ctx, &exact, &steep, 1, 1, ONE, UNIT_TARGET, 0.1, true, 10);
    solve(ctx, &exact, 200, 1e-2);
    for (size_t i = 1; i < q.out.times; i++)
        for (size_t k = 0; k < q.out.observables; k++) {
            size_t at = i * q.out.observables + k;
            near("N Var", q.out.nvar[at], exact.out.nvar[at], q.se.nvar[at]);
            near("bias", q.out.bias[at], exact.out.bias[at], q.se.bias[at]);
        }
    clear(&exact);
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(sampled_results_agree_within_their_errors) {
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    nnd_fluctuations mean, se;
    set(ctx, &q, &TANH, 2, 2, PAIR, PAIR_TARGETS, 0.1, false, 10);
    solve(ctx, &q, 20, 1e-2);
    ck_assert_int_eq(nnd_influence_sampled(ctx, &q.p, 256, 8, 1, &mean, &se, &q.report), NND_OK);
    double worst = 0.0, largest_se = 0.0;
    for (size_t i = 0; i < q.out.times * q.out.observables; i++) {
        worst = fmax(worst, fabs(mean.nvar[i] - q.out.nvar[i]) / se.nvar[i]);
        largest_se = fmax(largest_se, se.nvar[i]);
    }
    /* The largest |t| of 55 strongly correlated values with 7 degrees of freedom. */
    ck_assert_msg(worst < 6.0, "%.2g standard errors", worst);
    ck_assert(largest_se < 0.2);
    nnd_fluctuations_clear(&mean);
    nnd_fluctuations_clear(&se);
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

static const nnd_activation RELU = {NND_RELU, 1.0, 1.0, 0.0};

static void solve_relu(nnd_context *ctx, problem *q, const nnd_activation *phi, size_t points,
                       const double *gram, const double *targets, size_t samples) {
    set(ctx, q, phi, points, points, gram, targets, 0.1, false, 10);
    q->p.bias = false;
    ck_assert_int_eq(nnd_influence_sampled(ctx, &q->p, samples, 4, 1, &q->out, &q->se, &q->report),
                     NND_OK);
}

/* Want: N Var of f_1, f_2, K_11, K_22 of 300000 real networks of width 800 and as many of 1600, at
 * t = 10, and standard errors. Neurons that cross the kink make up 3, 3, 6 and 4 % of these. */
START_TEST(relu_neurons_that_cross_the_kink_count) {
    static const double gram[] = {1.0, 0.4, 0.4, 0.8}, targets[] = {1.0, -1.0};
    static const struct {
        const char *name;
        size_t observable;
        double want, se;
    } at_10[] = {{"f_1", 0, 0.4617, 0.0008},
                 {"f_2", 1, 0.3773, 0.0007},
                 {"K_11", 2, 4.616, 0.008},
                 {"K_22", 4, 2.900, 0.005}};
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0}, naive = {0};
    solve_relu(ctx, &q, &RELU, 2, gram, targets, 16384);
    /* No neuron is as close to the kink as this: derivatives without it. */
    static const nnd_activation no_kink = {NND_RELU, 1.0, 1.0, 1e-9};
    solve_relu(ctx, &naive, &no_kink, 2, gram, targets, 16384);
    for (size_t i = 0; i < sizeof at_10 / sizeof *at_10; i++) {
        size_t at = 10 * q.out.observables + at_10[i].observable;
        double error = hypot(at_10[i].se, q.se.nvar[at]);
        near(at_10[i].name, q.out.nvar[at], at_10[i].want, 4.0 * error);
        ck_assert_msg(q.se.nvar[at] < 0.02 * q.out.nvar[at], "%s: +- %g", at_10[i].name,
                      q.se.nvar[at]);
        ck_assert_msg(i > 1 || fabs(naive.out.nvar[at] - at_10[i].want) > 4.0 * error,
                      "%s: %g without the kink", at_10[i].name, naive.out.nvar[at]);
    }
    clear(&q);
    clear(&naive);
    nnd_context_free(ctx);
}
END_TEST

/* At t = 0 these targets leave the neurons that see both samples at rest at the second one: the two
 * sides of Delta have different responses, and the error says so. Want as above, of 1200000 real
 * networks of widths 800 and 3200, without what depends on the width. */
START_TEST(where_sides_differ_the_error_is_larger) {
    static const double gram[] = {1.0, 0.4, 0.4, 0.8}, targets[] = {1.0, -1.0};
    nnd_context *ctx = nnd_context_new(NULL);
    problem rest = {0}, moving = {0};
    solve_relu(ctx, &rest, &RELU, 2, gram, PAIR_TARGETS, 16384);
    solve_relu(ctx, &moving, &RELU, 2, gram, targets, 16384);
    size_t f_2 = 10 * rest.out.observables + 1, k_11 = f_2 + 1;
    near("f_2", rest.out.nvar[f_2], 0.2184, 4.0 * hypot(0.0003, rest.se.nvar[f_2]));
    near("K_11", rest.out.nvar[k_11], 4.438, 4.0 * hypot(0.009, rest.se.nvar[k_11]));
    ck_assert_msg(rest.se.nvar[k_11] > 2.0 * moving.se.nvar[k_11], "%g, %g", rest.se.nvar[k_11],
                  moving.se.nvar[k_11]);
    clear(&rest);
    clear(&moving);
    nnd_context_free(ctx);
}
END_TEST

/* With one sample whose residual keeps its sign, a neuron that crosses the kink is at an output of
 * 0 and stays there: nothing jumps. */
START_TEST(one_sample_of_relu_has_no_kink_in_its_output) {
    static const nnd_activation no_kink = {NND_RELU, 1.0, 1.0, 1e-9};
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0}, naive = {0};
    solve_relu(ctx, &q, &RELU, 1, ONE, UNIT_TARGET, 4096);
    solve_relu(ctx, &naive, &no_kink, 1, ONE, UNIT_TARGET, 4096);
    for (size_t t = 0; t <= 10; t++) {
        size_t at = t * q.out.observables;
        near("N Var", q.out.nvar[at], naive.out.nvar[at], 1e-3 * naive.out.nvar[at]);
        ck_assert_msg(q.se.nvar[at] <= 2.0 * naive.se.nvar[at] + 1e-12,
                      "t = %zu: +- %g, without +- %g", t, q.se.nvar[at], naive.se.nvar[at]);
    }
    q.p.bias = true;
    nnd_nodes nodes;
    nnd_fluctuations none;
    ck_assert_int_eq(nnd_nodes_sobol(ctx, 2, 64, 1, 0, &nodes), NND_OK);
    ck_assert_int_eq(nnd_influence_run(ctx, &q.p, &nodes, &none), NND_E_INPUT);
    nnd_nodes_clear(&nodes);
    clear(&q);
    clear(&naive);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(bits_do_not_depend_on_the_number_of_threads) {
    nnd_fluctuations out[2];
    for (int i = 0; i < 2; i++) {
        nnd_context_options options = {.threads = 1 + 2 * i};
        nnd_context *ctx = nnd_context_new(&options);
        problem q = {0};
        set(ctx, &q, &TANH, 2, 2, PAIR, PAIR_TARGETS, 0.1, false, 20);
        nnd_nodes nodes;
        ck_assert_int_eq(nnd_nodes_sobol(ctx, 3, 512, 1, 0, &nodes), NND_OK);
        ck_assert_int_eq(nnd_influence_run(ctx, &q.p, &nodes, &out[i]), NND_OK);
        nnd_nodes_clear(&nodes);
        clear(&q);
        nnd_context_free(ctx);
    }
    ck_assert(memcmp(out[0].data, out[1].data, out[0].count * sizeof(double)) == 0);
    nnd_fluctuations_clear(&out[0]);
    nnd_fluctuations_clear(&out[1]);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
    nnd_context_options options = {.memory_limit = 100000};
    nnd_context *ctx = nnd_context_new(&options);
    problem q = {0};
    set(ctx, &q, &TANH, 2, 2, PAIR, PAIR_TARGETS, 0.1, false, 20);
    ck_assert_int_eq(nnd_influence_quadrature(ctx, &q.p, 30, 1e-8, &q.out, &q.se, &q.report),
                     NND_E_LIMIT);
    ck_assert_ptr_null(q.out.data);
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(divergence_is_reported_and_what_came_before_kept) {
    nnd_context *ctx = nnd_context_new(NULL);
    problem q = {0};
    set(ctx, &q, &LINEAR, 1, 1, ONE, UNIT_TARGET, 8.0, false, 60);
    ck_assert_int_eq(nnd_influence_quadrature(ctx, &q.p, 24, 1e9, &q.out, &q.se, &q.report),
                     NND_DIVERGED);
    size_t at = q.out.diverged_at;
    ck_assert(at > 1 && at < 60);
    ck_assert(isfinite(q.out.nvar[2 * (at - 1)]) && isnan(q.out.nvar[2 * at]));
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_target_of_zero_is_no_divergence) {
    static const double targets[] = {1.0, 0.0};
    nnd_context *ctx = nnd_context_new(NULL);
    for (int center = 0; center < 2; center++) {
        problem q = {0};
        nnd_fluctuations want = {0};
        set(ctx, &q, &LINEAR, 2, 2, PAIR, targets, 0.1, center, 6);
        solve(ctx, &q, 32, 1e-6);
        ck_assert_int_eq(nnd_wishart_run(ctx, &q.p, &want), NND_OK);
        /* Polynomials of degree 8 on |x| < 8, cut where the density is 1e-13. */
        ck_assert(largest_difference(want.count, q.out.data, want.data) < 1e-8);
        nnd_fluctuations_clear(&want);
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("influence");
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, a_linear_population_equals_its_closed_map);
    tcase_add_test(numbers, a_target_of_zero_is_no_divergence);
    tcase_add_test(numbers, R3_is_met_to_the_digits_printed);
    tcase_add_test(numbers, R3_at_a_test_point);
    tcase_add_test(numbers, R4_two_points);
    tcase_add_test(numbers, initial_fluctuations_are_those_of_independent_units);
    suite_add_tcase(suite, numbers);
    TCase *laws = tcase_create("laws");
    tcase_add_test(laws, the_response_is_causal_and_a_derivative);
    tcase_add_test(laws, covariances_are_positive_semidefinite);
    tcase_add_test(laws, a_test_point_that_is_a_training_point_repeats_it);
    tcase_add_test(laws, flipping_the_target_flips_means_and_biases_only);
    suite_add_tcase(suite, laws);
    TCase *nodes = tcase_create("nodes");
    tcase_add_test(nodes, the_grid_converges_exponentially);
    tcase_add_test(nodes, a_grid_that_is_too_coarse_is_reported);
    tcase_add_test(nodes, sampled_results_agree_within_their_errors);
    tcase_add_test(nodes, relu_neurons_that_cross_the_kink_count);
    tcase_add_test(nodes, where_sides_differ_the_error_is_larger);
    tcase_add_test(nodes, one_sample_of_relu_has_no_kink_in_its_output);
    tcase_add_test(nodes, bits_do_not_depend_on_the_number_of_threads);
    tcase_add_test(nodes, what_does_not_fit_is_refused);
    tcase_add_test(nodes, divergence_is_reported_and_what_came_before_kept);
    suite_add_tcase(suite, nodes);
    return test_main(suite);
}
