/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Early stopping against the reference cases alignment.md#s8, the checks of alignment.md#s6 and a
 * sample covariance diagonalised. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/early_stopping.h"
#include "nndmft/solvers/equivalent.h"
#include "nndmft/solvers/representation.h"
#include "nndmft/solvers/spectral_rule.h"
#include "power_law.h"
#include "support.h"

static const double TABLE_RTOL = 1e-6;

static const double ONE[] = {1.0};
static const nnd_eigenmodes ISOTROPIC = {1, ONE, ONE, ONE};

static double self(const nnd_spectral_overlaps *o, int metric) {
    return o->self_signal[metric] + o->self_noise[metric];
}

static double cosine(const nnd_spectral_overlaps *o, int metric) {
    return (o->cross_signal[metric] + o->cross_noise[metric]) / self(o, metric);
}

static void solve(const nnd_eigenmodes *p, nnd_pair_task task, nnd_learning learning, bool contour,
                  size_t times, const double *time, nnd_spectral_overlaps *o) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_early_stopping_report report;
    nnd_status status =
        nnd_early_stopping(ctx, p, &task, &learning, contour, times, time, o, &report);
    ck_assert_msg(status == NND_OK, "status %d after %zu nodes, change %g: %s", status,
                  report.nodes, report.change, nnd_context_message(ctx));
    ck_assert(report.change <= 1e-6);
    if (getenv("NND_TEST_VERBOSE"))
        printf("%zu nodes, change %.1e\n", report.nodes, report.change);
    nnd_context_free(ctx);
}

enum { MP, CONTOUR, RULES };

START_TEST(linear_regression_reference_cases) {
    nnd_pair_task task = {.samples = 0.5, .label_noise = 0.5};
    nnd_spectral_overlaps o;
    const double t = 2.0, steps = 20.0;
    solve(&ISOTROPIC, task, (nnd_learning){.kind = NND_LEARN_FLOW}, _i == CONTOUR, 1, &t, &o);
    test_close("S", o.cross_signal[1], 0.3941176, TABLE_RTOL);
    test_close("N", o.self_noise[1], 0.2665993, TABLE_RTOL);
    test_close("cosine", cosine(&o, 1), 0.5964999, TABLE_RTOL);
    test_close("E_g", 1.0 - 2.0 * o.teacher[1] + self(&o, 1), 0.7910303, TABLE_RTOL);
    solve(&ISOTROPIC, task, (nnd_learning){.kind = NND_LEARN_DESCENT, .lr = 0.1}, _i == CONTOUR, 1,
          &steps, &o);
    test_close("S", o.cross_signal[1], 0.3997771, TABLE_RTOL);
    test_close("N", o.self_noise[1], 0.2724095, TABLE_RTOL);
    test_close("cosine", cosine(&o, 1), 0.5947412, TABLE_RTOL);
}
END_TEST

START_TEST(rich_reference_cases) {
    nnd_pair_task task = {.samples = 0.6, .label_noise = 0.5};
    nnd_spectral_overlaps o[3];
    const double t[] = {4.0, 8.0, 32.0};
    const double rho[] = {0.6324623, 0.5144753, 0.4459064};
    const double q[] = {0.6678865, 1.081105, 1.344427};
    solve(&ISOTROPIC, task, (nnd_learning){.kind = NND_LEARN_RICH, .depth = 2, .scale = 1e-4},
          _i == CONTOUR, 3, t, o);
    for (int i = 0; i < 3; i++) {
        test_close("cosine", cosine(&o[i], 1), rho[i], TABLE_RTOL);
        test_close("Q", self(&o[i], 0), q[i], TABLE_RTOL);
    }
}
END_TEST

START_TEST(white_features_reference_cases) {
    nnd_pair_task task = {.samples = 0.6, .label_noise = 0.5};
    nnd_spectral_overlaps o[3];
    const double t[] = {2.0, 8.0, 32.0};
    const double rho[] = {0.6263806, 0.4834267, 0.4450929};
    const double cka[] = {0.9801423, 0.953468, 0.944893};
    solve(&ISOTROPIC, task, (nnd_learning){.kind = NND_LEARN_WHITE, .scale = 0.3}, _i == CONTOUR, 3,
          t, o);
    for (int i = 0; i < 3; i++) {
        double own[] = {self(&o[i], 0), self(&o[i], 1), self(&o[i], 2)};
        test_close("cosine", cosine(&o[i], 1), rho[i], TABLE_RTOL);
        test_close("CKA", nnd_cka_white(0.3, 150.0, own, o[i].cross_signal[1]), cka[i], TABLE_RTOL);
    }
}
END_TEST

START_TEST(power_law_reference_cases) {
    nnd_eigenmodes p = power_law();
    nnd_pair_task task = {.samples = 50.0, .label_noise = 0.25};
    nnd_spectral_overlaps o;
    const double five = 5.0, thirty = 30.0;
    solve(&p, task, (nnd_learning){.kind = NND_LEARN_FLOW}, true, 1, &five, &o);
    test_close("S", o.cross_signal[1], 0.3789436, TABLE_RTOL);
    test_close("N", o.self_noise[1], 0.02518284, TABLE_RTOL);
    test_close("cosine", cosine(&o, 1), 0.9376858, TABLE_RTOL);
    solve(&p, task, (nnd_learning){.kind = NND_LEARN_RICH, .depth = 2, .scale = 1e-3}, true, 1,
          &thirty, &o);
    test_close("S", o.cross_signal[1], 0.7181549, TABLE_RTOL);
    test_close("N", o.self_noise[1], 0.1907401, TABLE_RTOL);
    test_close("Q^I", self(&o, 0), 12.7934, TABLE_RTOL);
}
END_TEST

/* However late: a flow that has come to its end is what linear regression ends in. */
START_TEST(flows_end) {
    const double snr = 2.0, time[] = {3.0, 1e3, 1e9};
    for (int few = 0; few < 2; few++) {
        const double alpha = few ? 0.4 : 2.0, late = snr * fabs(1.0 - alpha);
        nnd_pair_task task = {.samples = alpha, .label_noise = 1.0 / snr};
        const nnd_learning how[] = {{.kind = NND_LEARN_RICH, .depth = 2, .scale = 1e-4},
                                    {.kind = NND_LEARN_RICH, .depth = 3, .scale = 1e-2},
                                    {.kind = NND_LEARN_WHITE, .scale = 0.3}};
        nnd_spectral_overlaps o[3], one;
        for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
            solve(&ISOTROPIC, task, how[i], _i == CONTOUR, 3, time, o);
            solve(&ISOTROPIC, task, how[i], _i == CONTOUR, 1, time, &one);
            test_close("on the way", self(&o[0], 1), self(&one, 1), 1e-8);
            for (int t = 1; t < 3 && few; t++)
                test_close("cosine", cosine(&o[t], 1), late / (1.0 + late), 1e-8);
            /* (1 + sigma^2/(alpha - 1)): every direction is learned. */
            for (int t = 1; t < 3 && !few; t++)
                test_close("|beta|^2", self(&o[t], 0), 1.0 + 1.0 / (snr * (alpha - 1.0)), 1e-8);
        }
    }
}
END_TEST

/* At alpha = 1 the slowest modes need as long as there is. */
START_TEST(a_flow_without_end_is_given_up) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_pair_task task = {.samples = 1.0, .label_noise = 0.5};
    const nnd_learning how = {.kind = NND_LEARN_RICH, .depth = 2, .scale = 1e-2};
    nnd_early_stopping_report report;
    nnd_spectral_overlaps o;
    const double time = 1e9;
    ck_assert_int_eq(nnd_early_stopping(ctx, &ISOTROPIC, &task, &how, false, 1, &time, &o, &report),
                     NND_NOT_CONVERGED);
    ck_assert_msg(report.reached > 1e3 && report.reached < time, "%g", report.reached);
    /* A coarser rule, with fewer slow modes, may have come there. */
    ck_assert(report.nodes == 0 || report.change > 1e-6);
    nnd_context_free(ctx);
}
END_TEST

/* Check 5 of alignment.md#s6: t -> 0 and t -> infinity of the linear flow. */
START_TEST(linear_flow_limits) {
    const double alpha = 0.4, snr = 3.0, t[] = {1e-4, 400.0};
    nnd_pair_task task = {.samples = alpha, .label_noise = 1.0 / snr};
    nnd_spectral_overlaps o[2];
    solve(&ISOTROPIC, task, (nnd_learning){.kind = NND_LEARN_FLOW}, _i == CONTOUR, 2, t, o);
    double early = snr * (1.0 + alpha), late = snr * fabs(1.0 - alpha);
    test_close("early", cosine(&o[0], 1), early / (1.0 + early), 2e-4); /* O(t) */
    test_close("late", cosine(&o[1], 1), late / (1.0 + late), 1e-9);
}
END_TEST

/* Check 6 of alignment.md#s6: all of them end at the ridgeless solution, whatever the depth and the
 * start. */
START_TEST(flows_end_at_the_ridgeless_solution) {
    static const nnd_learning learning[] = {
        {.kind = NND_LEARN_RICH, .depth = 2, .scale = 1e-3},
        {.kind = NND_LEARN_RICH, .depth = 3, .scale = 1e-2},
        {.kind = NND_LEARN_RICH, .depth = 5, .scale = 0.05},
        {.kind = NND_LEARN_WHITE, .scale = 0.02},
        {.kind = NND_LEARN_WHITE, .scale = 3.0},
        {.kind = NND_LEARN_DESCENT, .lr = 0.3},
    };
    const double t = 3000.0;
    nnd_pair_task task = {.samples = 2.2, .label_noise = 0.5};
    nnd_spectral_overlaps o;
    nnd_pair_overlaps ridge;
    nnd_pair_ridge(&ISOTROPIC, &task, 0.0, &ridge);
    solve(&ISOTROPIC, task, learning[_i], false, 1, &t, &o);
    test_close("Q_aa", self(&o, 0), ridge.self[0], 1e-8);
    test_close("Q_ab", o.cross_signal[0], ridge.cross[0], 1e-8);
    test_close("training error", o.train_error, ridge.train_error, 1e-7);
}
END_TEST

/* Any task: the resolvents that make up the contour are those of ridge regressions, so a late time
 * gives the ridgeless solution also with input noise, correlated labels, inputs of one's own. */
START_TEST(general_tasks_end_at_the_ridgeless_solution) {
    static const nnd_pair_task tasks[] = {
        {3.0, 0.0, 0.3, 0.5, false},
        {3.0, 0.4, 0.3, 0.0, false},
        {14.0, 0.4, 0.3, 0.5, false},
        {14.0, 0.2, 0.3, 0.0, true},
    };
    static const double s[] = {2.0, 1.0, 0.7, 0.5, 0.4}, m[] = {1, 2, 1, 1, 2},
                        b[] = {1, 2, 1, 3, 1};
    const nnd_eigenmodes p = {5, s, m, b};
    const double t[] = {500.0, 2000.0};
    nnd_spectral_overlaps o[2];
    nnd_pair_overlaps ridge;
    nnd_pair_ridge(&p, &tasks[_i], 0.0, &ridge);
    solve(&p, tasks[_i], (nnd_learning){.kind = NND_LEARN_FLOW}, true, 2, t, o);
    for (int k = 0; k < NND_METRICS; k++) {
        test_close("Q_aa", self(&o[1], k), ridge.self[k], 1e-7);
        test_close("Q_ab", o[1].cross_signal[k] + o[1].cross_noise[k], ridge.cross[k], 1e-7);
        test_close("m", o[1].teacher[k], ridge.teacher[k], 1e-7);
    }
    ck_assert(fabs(o[1].train_error - ridge.train_error) < 1e-7);
}
END_TEST

/* Check 7 of alignment.md#s6: the contour equals the Marchenko-Pastur sums, whatever learns. */
START_TEST(contour_equals_marchenko_pastur) {
    static const nnd_learning learning[] = {
        {.kind = NND_LEARN_FLOW},
        {.kind = NND_LEARN_DESCENT, .lr = 0.2},
        {.kind = NND_LEARN_RICH, .depth = 3, .scale = 1e-2},
        {.kind = NND_LEARN_WHITE, .scale = 0.5},
    };
    const double alpha[] = {0.3, 1.0, 2.5}, t[] = {1.0, 7.0, 30.0};
    for (int a = 0; a < 3; a++) {
        nnd_pair_task task = {.samples = alpha[a], .label_noise = 0.4, .noise_correlation = 0.2};
        nnd_spectral_overlaps x[3], y[3];
        solve(&ISOTROPIC, task, learning[_i], false, 3, t, x);
        solve(&ISOTROPIC, task, learning[_i], true, 3, t, y);
        for (int k = 0; k < 3; k++) {
            test_close("Q_aa", self(&y[k], 1), self(&x[k], 1), 1e-8);
            test_close("cosine", cosine(&y[k], 1), cosine(&x[k], 1), 1e-8);
            test_close("m", y[k].teacher[1], x[k].teacher[1], 1e-8);
            ck_assert(fabs(y[k].train_error - x[k].train_error) < 1e-9);
        }
    }
}
END_TEST

/* The error falls exponentially with the number of nodes, as the rule promises. */
START_TEST(rules_converge_exponentially) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_eigenmodes p = power_law();
    nnd_pair_task task = {.samples = 50.0, .label_noise = 0.25};
    const double t = 5.0;
    double q[5], edge[2];
    nnd_sample_edges(&p, &task, edge);
    for (int i = 0; i < 5; i++) {
        size_t n = (size_t)8 << i;
        nnd_spectral_rule rule;
        nnd_spectral_overlaps o;
        double complex phi[128];
        ck_assert_int_eq(nnd_spectral_rule_contour(ctx, &p, &task, edge[0] + 2.0 / t, n, &rule),
                         NND_OK);
        for (size_t j = 0; j < n; j++)
            phi[j] = (1.0 - cexp(-rule.z[j] * t)) / rule.z[j];
        ck_assert_int_eq(nnd_spectral_overlap(ctx, &rule, 1, phi, &o), NND_OK);
        q[i] = o.self_signal[1] + o.self_noise[1];
        nnd_spectral_rule_clear(&rule);
    }
    for (int i = 0; i < 3; i++) {
        double error = fabs(q[i] - q[4]), next = fabs(q[i + 1] - q[4]);
        /* squared at each doubling, up to constants and round-off */
        ck_assert_msg(next < 10.0 * error * error + 1e-12, "%g after %g", next, error);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Edges of the spectrum: exact for the Marchenko-Pastur law. */
START_TEST(edges_of_the_spectrum) {
    const double alpha[] = {0.2, 0.9, 1.0, 1.3, 10.0};
    for (int i = 0; i < 5; i++) {
        nnd_pair_task task = {.samples = alpha[i], .input_noise = 0.5};
        double edge[2], y = sqrt(1.0 / alpha[i]);
        nnd_sample_edges(&ISOTROPIC, &task, edge);
        ck_assert(fabs(edge[0] - 1.5 * (1.0 - y) * (1.0 - y)) < 1e-12);
        test_close("upper", edge[1], 1.5 * (1.0 + y) * (1.0 + y), 1e-12);
    }
}
END_TEST

/* Too few nodes allowed: a spectrum over twelve decades at a late time cannot be resolved, and the
 * status says so. */
START_TEST(what_does_not_converge_says_so) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s[] = {1.0, 1e-9}, m[] = {1.0, 1.0}, b[] = {1.0, 1e9};
    nnd_eigenmodes p = {2, s, m, b};
    nnd_pair_task task = {.samples = 3.0, .label_noise = 0.5};
    nnd_learning learning = {.kind = NND_LEARN_FLOW};
    const double t = 1e9;
    nnd_spectral_overlaps o;
    nnd_early_stopping_report report;
    ck_assert_int_eq(nnd_early_stopping(ctx, &p, &task, &learning, true, 1, &t, &o, &report),
                     NND_NOT_CONVERGED);
    ck_assert(report.change > 1e-6);
    nnd_context_free(ctx);
}
END_TEST

/* A random start in two layers: angle chi gives ((1 + cos chi)/2)^2; deeper ones continue it. */
START_TEST(random_start) {
    test_close("two layers", nnd_random_start_factor(2), 0.25, 1e-15);
    test_close("three layers", nnd_random_start_factor(3), pow(M_PI / 2.0, -3.0), 1e-12);
    test_close("four layers", nnd_random_start_factor(4), 0.25, 1e-12);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("early stopping");
    TCase *table = tcase_create("reference cases");
    tcase_add_loop_test(table, linear_regression_reference_cases, 0, RULES);
    tcase_add_loop_test(table, rich_reference_cases, 0, RULES);
    tcase_add_loop_test(table, white_features_reference_cases, 0, RULES);
    tcase_add_test(table, power_law_reference_cases);
    suite_add_tcase(suite, table);
    TCase *checks = tcase_create("checks");
    tcase_set_timeout(checks, 30.0);
    tcase_add_loop_test(checks, linear_flow_limits, 0, RULES);
    tcase_add_loop_test(checks, flows_end, 0, RULES);
    tcase_add_test(checks, a_flow_without_end_is_given_up);
    tcase_add_loop_test(checks, flows_end_at_the_ridgeless_solution, 0, 6);
    tcase_add_loop_test(checks, general_tasks_end_at_the_ridgeless_solution, 0, 4);
    tcase_add_loop_test(checks, contour_equals_marchenko_pastur, 0, 4);
    tcase_add_test(checks, rules_converge_exponentially);
    tcase_add_test(checks, edges_of_the_spectrum);
    tcase_add_test(checks, what_does_not_converge_says_so);
    tcase_add_test(checks, random_start);
    suite_add_tcase(suite, checks);
    return test_main(suite);
}
