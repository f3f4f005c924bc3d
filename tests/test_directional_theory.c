/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers of directional.md#s8, exact cases of directional.md#s3, laws of directional.md#s4. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "nndmft/solvers/logistic.h"
#include "support.h"
#include "with_context.h"

/* Solves {model: directional, params: {...}}. */
static nnd_frame *solve(const char *format, ...) __attribute__((format(printf, 1, 2)));
static nnd_frame *solve(const char *format, ...) {
    char params[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(params, sizeof params, format, args);
    va_end(args);
    return test_solve(ctx, "directional", params);
}

static double at(const nnd_frame *frame, const char *name, double t) {
    char where[64];
    snprintf(where, sizeof where, "t=%.17g", t);
    return test_value(frame, name, where);
}

START_TEST(balanced_flow_has_the_printed_numbers) {
    const double table[][4] = {
        {1, 10, 1.7924005, -3.341439},   {1, 100, 5.314777, -12.974404},
        {1, 1e4, 26.878877, -227.34235}, {2, 10, 2.8428879, -3.5464001},
        {2, 100, 15.270563, -39.451205}, {2, 1e4, 161.87576, -3988.9798},
        {3, 10, 3.8985512, -3.761113},   {3, 100, 30.615431, -98.607352},
        {3, 1e4, 512.11087, -26577.855},
    };
    for (int depth = 1; depth <= 3; depth++) {
        nnd_frame *f = solve("depth: %d, time: 1.0e4, record: [10, 100]", depth);
        for (int i = 3 * depth - 3; i < 3 * depth; i++) {
            test_close("omega", at(f, "omega", table[i][1]), table[i][2], 6e-8);
            test_close("zeta", at(f, "log_tan_half", table[i][1]), table[i][3], 7e-8);
        }
        nnd_frame_free(f);
    }
}
END_TEST

START_TEST(descent_has_the_printed_numbers) {
    nnd_frame *f = solve("depth: 1, integrator: gd, lr: 0.5, record: [10]");
    test_close("omega", at(f, "omega", 10), 1.1715761, 5e-8);
    test_close("theta", at(f, "theta", 10), .25080733, 3e-8);
    test_close("omega", at(f, "omega", 100), 4.0309375, 2e-8);
    test_close("theta", at(f, "theta", 100), 2.6184959e-4, 2e-8);
    nnd_frame_free(f);
    f = solve("integrator: gd, lr: 0.2, omega0: 0.64, theta0: 2.2, record: [10]");
    test_close("omega", at(f, "omega", 10), .27960687, 2e-8);
    test_close("theta", at(f, "theta", 10), 1.4371885, 4e-8);
    test_close("omega", at(f, "omega", 100), 5.2156863, 1e-8);
    test_close("theta", at(f, "theta", 100), 1.2874243e-3, 4e-8);
    nnd_frame_free(f);
}
END_TEST

/* Beyond omega_critical the angle grows again, which plain doubles would hide; then it starts
 * afresh. */
START_TEST(three_layers_descend_to_an_edge_and_back) {
    nnd_frame *f = solve("depth: 3, integrator: gd, lr: 1, theta0: 0.5, steps: 3200");
    test_close("omega_critical", test_value(f, "omega_critical", ""), 125.99688, 5e-8);
    test_close("omega", at(f, "omega", 10), 7.3043321, 2e-8);
    test_close("theta", at(f, "theta", 10), 8.706686e-5, 1e-7);
    test_close("omega", at(f, "omega", 100), 32.001245, 2e-8);
    test_close("omega", at(f, "omega", 1000), 128.60, 1e-4);
    test_close("theta", at(f, "theta", 1000), 1.6e-229, 0.03);
    test_close("theta", at(f, "theta", 3000), 4.5e-12, 0.02);
    const nnd_array *zeta = nnd_frame_find(f, "log_tan_half");
    size_t least = 0, most = 1500;
    for (size_t t = 0; t < 2500; t++)
        least = zeta->data[t] < zeta->data[least] ? t : least;
    for (size_t t = 1500; t < zeta->count; t++)
        most = zeta->data[t] > zeta->data[most] ? t : most;
    double turn = at(f, "omega", (double)least);
    ck_assert_msg(least > 900 && least < 1000, "least angle at step %zu", least);
    /* |multiplier| (s'/s)^2 passes one just beyond omega_critical. */
    ck_assert_msg(turn > 125.9 && turn < 128.7, "turn at omega = %g", turn);
    ck_assert_msg(most > 3050 && most < 3100, "largest angle at step %zu", most);
    ck_assert_double_gt(at(f, "theta", (double)most), 0.1);
    ck_assert_double_lt(at(f, "omega", 3100), at(f, "omega", 3000));
    for (int t = 2000; t < 2010; t++)
        ck_assert(at(f, "perp_sign", t) == -at(f, "perp_sign", t + 1));
    nnd_frame_free(f);
}
END_TEST

/* The map directional.md#eq6 in plain numbers, over steps in which s changes its sign. */
START_TEST(signs_are_those_of_the_predictor) {
    const double rate[] = {2.0, 5.0};
    nnd_logistic *l;
    ck_assert_int_eq(nnd_logistic_new(ctx, &(nnd_logistic_law){0}, &l), NND_OK);
    const double c0 = nnd_logistic_constants_of(l).c0;
    for (int k = 0; k < 2; k++) {
        nnd_frame *f = solve("integrator: gd, theta0: 2.8, lr: %g, steps: 6", rate[k]);
        double along = cos(2.8), across = sin(2.8), s = 1.0;
        bool turned = false;
        for (int t = 0; t <= 6; t++) {
            double w[] = {s * along, s * across}, omega = hypot(w[0], w[1]);
            double slope = nnd_logistic_at(l, omega).slope;
            double g[] = {c0 - slope * w[0], -slope * w[1]};
            test_close("omega", at(f, "omega", t), omega, 1e-11);
            ck_assert_msg(at(f, "perp_sign", t) == copysign(1.0, w[1]), "lr %g, step %d", rate[k],
                          t);
            turned = turned || s < 0.0;
            double pull = along * g[0] + across * g[1];
            along += rate[k] * s * g[0];
            across += rate[k] * s * g[1];
            s += rate[k] * pull;
        }
        ck_assert(turned);
        nnd_frame_free(f);
    }
    nnd_logistic_free(l);
}
END_TEST

/* The map of one matrix in plain numbers, with the multipliers of each step. */
START_TEST(descent_takes_its_rates_from_the_schedule) {
    const char *const schedules[] = {"[1, 0.5, 2]", "{power: 0.5}", "{factor: 0.9}"};
    nnd_logistic *l;
    ck_assert_int_eq(nnd_logistic_new(ctx, &(nnd_logistic_law){0}, &l), NND_OK);
    const double c0 = nnd_logistic_constants_of(l).c0, list[] = {1.0, 0.5, 2.0};
    for (int k = 0; k < 3; k++) {
        nnd_frame *f =
            solve("depth: 1, integrator: gd, lr: 0.3, steps: 40, schedule: %s", schedules[k]);
        double along = cos(2.0), across = sin(2.0), time = 0.0;
        for (int t = 0; t <= 40; t++) {
            double omega = hypot(along, across), slope = nnd_logistic_at(l, omega).slope;
            double rate = 0.3 * (k == 0   ? list[t < 2 ? t : 2]
                                 : k == 1 ? sqrt(1.0 + t)
                                          : pow(0.9, t));
            test_close("omega", at(f, "omega", t), omega, 1e-12);
            test_close("theta", at(f, "theta", t), atan2(across, along), 1e-12);
            test_close("multiplier", at(f, "multiplier", t), 1.0 - rate * slope, 1e-12);
            test_close("time", pow(at(f, "omega_law", t), 3.0), 3.0 * test_value(f, "A", "") * time,
                       1e-12);
            along += rate * (c0 - slope * along);
            across -= rate * slope * across;
            time += rate;
        }
        ck_assert_double_nan(test_value(f, "omega_critical", ""));
        nnd_frame_free(f);
    }
    nnd_logistic_free(l);
}
END_TEST

/* directional.md#eq14: with the power (2 - L)/(2 L) the direction converges geometrically at every
 * depth. What the norm still is off its law, some 1/omega^2 and 1/t, is below 1/200 here. */
START_TEST(one_power_makes_every_depth_geometric) {
    for (int depth = 1; depth <= 4; depth++) {
        double l = depth, a = (2.0 - l) / (2.0 * l), lr = 0.1, last = 3e4;
        nnd_frame *f = solve("depth: %d, integrator: gd, lr: %g, steps: %g, theta0: 0.5, "
                             "schedule: {power: %.17g}, record: [1.5e4]",
                             depth, lr, last, a);
        double c0 = test_value(f, "c0", ""), scale = (l + 2.0) * test_value(f, "A", "");
        double x = c0 * (l + 2.0) / (2.0 * l) * pow(scale, (l - 2.0) / (l + 2.0)) *
                   pow(lr * 2.0 * l / (l + 2.0), 2.0 * l / (l + 2.0));
        double rate = (at(f, "neg_log_sin", last) - at(f, "neg_log_sin", 1.5e4)) / 1.5e4;
        ck_assert_double_eq_tol(rate / -log1p(-x), 1.0, 0.005);
        nnd_frame_free(f);
    }
}
END_TEST

#define UNBALANCED "init: {M: [[1, 0.2], [0.2, 0.5]], p: [0.3, -0.4], a: [0.5, 1]}"

START_TEST(unbalanced_layers_have_the_printed_numbers) {
    nnd_frame *f = solve("integrator: gd, lr: 0.1, steps: 50, record: [0, 10], " UNBALANCED);
    const double table[][4] = {{0, .97467943, -.25649459, .90060956},
                               {10, .72643343, .31438349, .66425676},
                               {50, 1.7667811, .97414028, .31222641}};
    for (int i = 0; i < 3; i++) {
        test_close("omega", at(f, "omega", table[i][0]), table[i][1], 2e-8);
        test_close("cos", cos(at(f, "theta", table[i][0])), table[i][2], 4e-8);
        test_close("loss", at(f, "loss", table[i][0]), table[i][3], 2e-8);
    }
    nnd_frame_free(f);
}
END_TEST

/* M - a a^T is conserved, so the part of p across a shrinks as |a|^-1 = omega^-1/2; with the force
 * A/omega^2 along p against the pull c0 it leaves an angle of omega^-7/2, hence t^-7/4: only
 * aligned starts turn at a geometric rate. What is left across cancels between the units, more and
 * more: an angle of 4e-12 is not known to a hundredth. */
START_TEST(unbalanced_layers_turn_as_a_power_of_time) {
    nnd_frame *f = solve("time: 1.0e6, record: [1.0e3, 1.0e4, 1.0e5], " UNBALANCED);
    for (double t = 1e3; t < 1e5; t *= 10.0) {
        double power = log10(at(f, "theta", 10.0 * t) / at(f, "theta", t));
        ck_assert_double_eq_tol(power, -1.75, 0.01);
    }
    ck_assert_double_nan(at(f, "theta", 1e6));
    test_close("omega", at(f, "omega_ratio", 1e6), 1.0, 1e-4);
    nnd_frame_free(f);
}
END_TEST

START_TEST(long_flows_follow_the_asymptotic_laws) {
    const char *const laws[] = {"gaussian", "sphere"};
    for (int law = 0; law < 2; law++)
        for (int depth = 1; depth <= 4; depth++) {
            nnd_frame *f = solve("depth: %d, law: %s, dim: 5, time: 1.0e8", depth, laws[law]);
            ck_assert_double_eq_tol(at(f, "omega_ratio", 1e8), 1.0, 1.2e-4);
            ck_assert_double_eq_tol(at(f, "angle_ratio", 1e8), 1.0, 1.2e-4);
            double l = depth;
            ck_assert_double_eq_tol(at(f, "omega_exponent", 1e8), l / (l + 2.0), 1e-4);
            ck_assert_double_eq_tol(at(f, "angle_exponent", 1e8), 2.0 * l / (l + 2.0), 1e-4);
            nnd_frame_free(f);
        }
}
END_TEST

/* directional.md#s8, from theta0 = 0.5 */
START_TEST(ratios_at_ten_thousand) {
    const double omega[] = {.9955, .9991, .9994, .9994}, angle[] = {1.026, .9999, .9991, .9989};
    for (int depth = 1; depth <= 4; depth++) {
        nnd_frame *f = solve("depth: %d, time: 1.0e4, theta0: 0.5", depth);
        ck_assert_double_eq_tol(at(f, "omega_ratio", 1e4), omega[depth - 1], 5e-4);
        ck_assert_double_eq_tol(at(f, "angle_ratio", 1e4), angle[depth - 1], 8e-3);
        nnd_frame_free(f);
    }
}
END_TEST

START_TEST(two_layers_turn_at_a_constant_rate_under_any_law) {
    const char *const laws[] = {"gaussian", "sphere",
                                "{mixture: {weights: [0.3, 0.7], scales: [0.1, 3]}}"};
    for (int law = 0; law < 3; law++) {
        nnd_frame *f =
            solve("law: %s, dim: 3, theta0: 3, time: 1.0e5, record: [1, 30, 1000]", laws[law]);
        double c0 = test_value(f, "c0", ""), start = log(tan(1.5));
        const double times[] = {1, 30, 1000, 1e5};
        for (int i = 0; i < 4; i++)
            test_close("zeta", at(f, "log_tan_half", times[i]), start - c0 * times[i], 1e-10);
        nnd_frame_free(f);
    }
}
END_TEST

START_TEST(flow_reaches_a_million_million_in_few_evaluations) {
    for (int depth = 1; depth <= 4; depth++) {
        nnd_frame *f = solve("depth: %d, time: 1.0e12", depth);
        ck_assert_double_eq_tol(at(f, "omega_ratio", 1e12), 1.0, 1e-5);
        ck_assert_double_eq_tol(at(f, "angle_ratio", 1e12), 1.0, 1e-5);
        ck_assert_double_lt(nnd_frame_find_attribute(f, NULL, "ode_evaluations")->number, 2e4);
        nnd_frame_free(f);
    }
}
END_TEST

START_TEST(loss_falls_in_flow) {
    for (int depth = 1; depth <= 4; depth++) {
        nnd_frame *f = solve("depth: %d, theta0: 3.1, omega0: 2, time: 1.0e6", depth);
        const nnd_array *loss = nnd_frame_find(f, "loss");
        for (size_t i = 1; i < loss->count; i++)
            ck_assert_double_lt(loss->data[i], loss->data[i - 1]);
        test_close("A/omega", at(f, "loss", 1e6) * at(f, "omega", 1e6), test_value(f, "A", ""),
                   1e-3);
        nnd_frame_free(f);
    }
}
END_TEST

/* Steps of length eta differ from the flow by terms of order eta. */
START_TEST(descent_tends_to_flow) {
    const char *const starts[] = {"depth: 1", "depth: 3, theta0: 1", UNBALANCED};
    for (int i = 0; i < 3; i++) {
        nnd_frame *flow = solve("%s, time: 8", starts[i]);
        double error[3][2], eta = 0.04;
        for (int k = 0; k < 3; k++, eta *= 0.5) {
            double steps = round(8.0 / eta);
            nnd_frame *f =
                solve("%s, integrator: gd, lr: %g, steps: %g, record: [0]", starts[i], eta, steps);
            error[k][0] = at(f, "omega", steps) - at(flow, "omega", 8);
            error[k][1] = at(f, "log_tan_half", steps) - at(flow, "log_tan_half", 8);
            nnd_frame_free(f);
        }
        for (int j = 0; j < 2; j++) {
            ck_assert_double_eq_tol(error[0][j] / error[1][j], 2.0, 0.1);
            ck_assert_double_eq_tol(error[1][j] / error[2][j], 2.0, 0.05);
        }
        nnd_frame_free(flow);
    }
}
END_TEST

/* Aligned layers given as M, p and a are the same network by the other map. */
START_TEST(both_maps_of_two_layers_agree) {
    double s = 0.8, u = 0.6, w = 0.8, c = cos(2.2);
    nnd_frame *f = solve("integrator: gd, lr: 0.2, omega0: %.17g, theta0: 2.2, steps: 300", s * s);
    nnd_frame *g = solve("integrator: gd, lr: 0.2, steps: 300, init: {M: [[%.17g, %.17g], [%.17g, "
                         "%.17g]], p: [%.17g, %.17g], a: [%.17g, %.17g]}",
                         s * s * u * u, s * s * u * w, s * s * u * w, s * s * w * w, s * c * u,
                         s * c * w, s * u, s * w);
    for (int t = 0; t <= 60; t++) {
        test_close("omega", at(g, "omega", t), at(f, "omega", t), 1e-13);
        test_close("theta", at(g, "theta", t), at(f, "theta", t), 1e-12);
        test_close("loss", at(g, "loss", t), at(f, "loss", t), 1e-13);
    }
    test_close("omega", at(g, "omega", 300), at(f, "omega", 300), 1e-13);
    nnd_frame_free(f);
    nnd_frame_free(g);
}
END_TEST

/* One unit: the angle goes down geometrically, far below the smallest double. */
START_TEST(one_unit_does_not_underflow) {
    nnd_frame *f = solve("integrator: gd, lr: 0.5, omega0: 1, theta0: 1, steps: 5000");
    nnd_frame *g = solve("integrator: gd, lr: 0.5, steps: 5000, init: {M: [[1]], p: [%.17g], "
                         "a: [1]}",
                         cos(1.0));
    for (int t = 100; t <= 5000; t += 700)
        test_close("zeta", at(g, "log_tan_half", t), at(f, "log_tan_half", t), 1e-12);
    ck_assert_double_lt(at(f, "log_tan_half", 5000), -1000.0);
    nnd_frame_free(f);
    nnd_frame_free(g);
}
END_TEST

START_TEST(a_predictor_of_norm_zero_turns_to_the_teacher_at_once) {
    nnd_frame *f = solve("depth: 1, omega0: 0, integrator: gd, lr: 0.5, steps: 3");
    ck_assert_double_nan(at(f, "theta", 0));
    test_close("loss", at(f, "loss", 0), M_LN2, 1e-14);
    test_close("omega", at(f, "omega", 1), 0.5 * test_value(f, "c0", ""), 1e-14);
    ck_assert_double_eq(at(f, "theta", 1), 0.0);
    nnd_frame_free(f);
    f = solve("depth: 1, omega0: 0, record: [0, 1.0e-3], time: 100");
    ck_assert_double_nan(at(f, "theta", 0));
    ck_assert_double_eq(at(f, "theta", 1e-3), 0.0);
    test_close("omega", at(f, "omega", 1e-3), 1e-3 * test_value(f, "c0", ""), 1e-3);
    nnd_frame_free(f);
}
END_TEST

/* From the opposite direction deep networks run into the saddle, one layer through it. */
START_TEST(the_opposite_direction_is_invariant) {
    for (int depth = 2; depth <= 4; depth++) {
        nnd_frame *f = solve("depth: %d, theta0: %.17g, time: 1.0e8", depth, M_PI);
        ck_assert_double_eq(at(f, "theta", 1e8), M_PI);
        ck_assert_double_lt(at(f, "omega", 1e8), 1e-5);
        test_close("loss", at(f, "loss", 1e8), M_LN2, 1e-4);
        nnd_frame_free(f);
        f = solve("depth: %d, theta0: 3, omega0: 0.1, time: 1.0e8", depth);
        ck_assert_double_lt(at(f, "theta", 1e8), 1e-3);
        nnd_frame_free(f);
    }
    nnd_frame *f = solve("depth: 1, theta0: %.17g, time: 100, record: [0]", M_PI);
    ck_assert_double_eq(at(f, "theta", 0), M_PI);
    ck_assert_double_eq(at(f, "theta", 100), 0.0);
    nnd_frame *g = solve("depth: 1, integrator: gd, lr: 1.0e-2, steps: 10000, theta0: %.17g", M_PI);
    ck_assert_double_eq_tol(at(g, "omega", 10000), at(f, "omega", 100), 0.02);
    ck_assert_double_eq(at(g, "theta", 10000), 0.0);
    nnd_frame_free(f);
    nnd_frame_free(g);
}
END_TEST

START_TEST(sampling_noise_silences_the_theory_of_small_angles) {
    nnd_frame *f = solve("depth: 2, integrator: gd, lr: 0.5, steps: 120, samples: 200000");
    double from = test_value(f, "floor_time", "");
    ck_assert(from > 10.0 && from < 120.0);
    ck_assert_double_lt(at(f, "theta", from), at(f, "theta_floor", from));
    ck_assert_double_gt(at(f, "theta", from - 1.0), at(f, "theta_floor", from - 1.0));
    ck_assert(at(f, "theta_floor", 120) > 1e-4 && at(f, "theta_floor", 120) < 3e-3);
    ck_assert(isinf(at(f, "theta_min_size", from)));
    ck_assert_double_eq(at(f, "theta_min_size", 0), 0.0);
    ck_assert_ptr_null(nnd_frame_find(f, "omega_min_size"));
    nnd_frame_free(f);
    f = solve("depth: 2, integrator: gd, lr: 0.5, steps: 120");
    ck_assert_ptr_null(nnd_frame_find(f, "floor_time"));
    ck_assert_ptr_null(nnd_frame_find(f, "theta_min_size"));
    nnd_frame_free(f);
}
END_TEST

/* Averages over Gaussian inputs by the trapezoidal rule, whose error is below rounding for what is
 * smooth and even: E[g(omega |s|)] of g = (1 + exp(u))^-2 is not, so it is over the half line with
 * Simpson's rule at 2e-3, of order (omega h)^4. */
static void averages(double omega, double *h, double *noise, double *rise) {
    const double step = 1e-3;
    *h = *noise = *rise = 0.0;
    for (int i = 0; i <= 12000; i++) {
        double s = i * step, u = omega * s, tail = 1.0 / (1.0 + exp(u));
        double simpson = (i == 0 || i == 12000 ? 1.0 : i % 2 == 1 ? 4.0 : 2.0) / 3.0;
        double w = simpson * step * exp(-0.5 * s * s) * sqrt(2.0 / M_PI);
        *h += 0.5 * w * s * tanh(0.5 * u);
        *noise += w * tail * tail;
        *rise += w * 2.0 * tail * tail * (1.0 - tail) * (2.0 - 3.0 * tail);
    }
}

/* directional.md#eq16 in plain numbers: mean and variance of one matrix on batches. */
START_TEST(fluctuations_of_batches_follow_their_recursion) {
    nnd_frame *f = solve("depth: 1, dim: 6, integrator: gd, lr: 0.8, batch: 16, omega0: 4, theta0: "
                         "0.4, steps: 150");
    double along = 4.0 * cos(0.4), across = 4.0 * sin(0.4), v = 0.0, c0 = test_value(f, "c0", "");
    for (int t = 0; t <= 150; t++) {
        double omega = sqrt(along * along + across * across + 5.0 * v), h, noise, rise, unused;
        averages(omega, &h, &unused, &unused);
        averages(along, &unused, &noise, &rise);
        test_close("omega", at(f, "omega", t), omega, 1e-9);
        if (t > 0)
            test_close("perp_floor", at(f, "perp_floor", t), v, 1e-8);
        test_close("theta", at(f, "theta", t), acos(along / omega), 1e-8);
        double slope = h / omega, keep = 1.0 - 0.8 * slope;
        v = keep * keep * v + 0.64 / 16.0 * (noise + (3.5 * rise - slope * slope) * v);
        along += 0.8 * (c0 - slope * along);
        across *= keep;
    }
    nnd_frame_free(f);
}
END_TEST

/* directional.md#eq17 where the norm hardly changes while a start is forgotten, and its limits: to
 * lowest order eta (ln 2 - 1/2)/B, and what the next one adds. The norm moves by A/omega^2 per unit
 * of time, in the time omega/c0 of the pull: 4 A/(c0 omega^2) of the 1.2/omega^2 by which V is off
 * its limit. */
START_TEST(fluctuations_settle_at_the_floor) {
    const double rate[] = {0.1, 0.5, 1.0}, dim[] = {2, 40, 6}, batch[] = {1000, 100, 16};
    const double omega0 = 20.0;
    for (int k = 0; k < 3; k++) {
        double steps = ceil(6.0 * omega0 / 0.4 / rate[k]);
        nnd_frame *f = solve("depth: 1, dim: %g, integrator: gd, lr: %g, batch: %g, omega0: %g, "
                             "theta0: 0, steps: %g, record: [0]",
                             dim[k], rate[k], batch[k], omega0, steps);
        double omega = at(f, "omega", steps), v = at(f, "perp_floor", steps), h, noise, rise;
        averages(omega * cos(at(f, "theta", steps)), &h, &noise, &rise);
        averages(omega, &h, &(double){0}, &(double){0});
        double slope = h / omega, eta = rate[k], b = batch[k];
        double floor = eta * noise / (2.0 * b * slope) /
                       (1.0 - 0.5 * eta * slope -
                        eta / (2.0 * b * slope) * (0.5 * (dim[k] + 1.0) * rise - slope * slope));
        test_close("eq17", v, floor, 1e-4);
        double first = (dim[k] + 1.0) / (8.0 * b) + 0.5 * slope;
        double lowest = eta * (M_LN2 - 0.5) / b;
        ck_assert_double_eq_tol(v / lowest, 1.0 + first * eta,
                                1.3 / (omega * omega) + pow(1.1 * first * eta, 2.0));
        ck_assert_double_eq(at(f, "perp_floor_min_size", steps), 0.0);
        ck_assert(isinf(at(f, "perp_floor_min_size", 0)));
        nnd_frame_free(f);
    }
}
END_TEST

/* Angles are claimed above their fluctuations; wide fluctuations end all claims but theirs. */
START_TEST(claims_of_batches_end_where_they_fluctuate) {
    nnd_frame *f =
        solve("depth: 1, integrator: gd, lr: 0.5, batch: 100, omega0: 4, theta0: 1, steps: 200");
    const nnd_array *theta = nnd_frame_find(f, "theta"), *floor = nnd_frame_find(f, "theta_floor");
    const nnd_array *least = nnd_frame_find(f, "theta_min_size");
    for (size_t t = 0; t < theta->count; t++)
        ck_assert(isinf(least->data[t]) == (theta->data[t] < 5.0 * floor->data[t]));
    ck_assert(isinf(least->data[200]) && least->data[4] == 0.0);
    ck_assert_ptr_null(nnd_frame_find(f, "omega_min_size"));
    nnd_frame_free(f);
    f = solve("depth: 3, integrator: gd, lr: 0.3, batch: 10, steps: 60");
    ck_assert_double_eq(at(f, "omega_min_size", 0), 0.0);
    ck_assert(isinf(at(f, "omega_min_size", 60)));
    ck_assert(isinf(at(f, "perp_floor_min_size", 60)));
    nnd_frame_free(f);
}
END_TEST

START_TEST(explosions_are_reported) {
    nnd_frame *f = solve("depth: 5, integrator: gd, lr: 50, omega0: 20, theta0: 2.5, steps: 100");
    double step = test_value(f, "diverged_at", "");
    ck_assert(step > 1.0 && step < 10.0);
    ck_assert(isfinite(at(f, "omega", step - 1.0)));
    ck_assert_double_nan(at(f, "omega", step));
    nnd_frame_free(f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("directional_theory");
    TCase *tests = tcase_create("directional_theory");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, balanced_flow_has_the_printed_numbers);
    tcase_add_test(tests, descent_has_the_printed_numbers);
    tcase_add_test(tests, descent_takes_its_rates_from_the_schedule);
    tcase_add_test(tests, one_power_makes_every_depth_geometric);
    tcase_add_test(tests, signs_are_those_of_the_predictor);
    tcase_add_test(tests, three_layers_descend_to_an_edge_and_back);
    tcase_add_test(tests, unbalanced_layers_have_the_printed_numbers);
    tcase_add_test(tests, unbalanced_layers_turn_as_a_power_of_time);
    tcase_add_test(tests, long_flows_follow_the_asymptotic_laws);
    tcase_add_test(tests, ratios_at_ten_thousand);
    tcase_add_test(tests, two_layers_turn_at_a_constant_rate_under_any_law);
    tcase_add_test(tests, flow_reaches_a_million_million_in_few_evaluations);
    tcase_add_test(tests, loss_falls_in_flow);
    tcase_add_test(tests, descent_tends_to_flow);
    tcase_add_test(tests, both_maps_of_two_layers_agree);
    tcase_add_test(tests, one_unit_does_not_underflow);
    tcase_add_test(tests, a_predictor_of_norm_zero_turns_to_the_teacher_at_once);
    tcase_add_test(tests, the_opposite_direction_is_invariant);
    tcase_add_test(tests, sampling_noise_silences_the_theory_of_small_angles);
    tcase_add_test(tests, fluctuations_of_batches_follow_their_recursion);
    tcase_add_test(tests, fluctuations_settle_at_the_floor);
    tcase_add_test(tests, claims_of_batches_end_where_they_fluctuate);
    tcase_add_test(tests, explosions_are_reported);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
