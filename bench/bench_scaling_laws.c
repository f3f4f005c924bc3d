/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses of random-feature students: contours over modes, beside what the same sums take as one
 * matrix product. */
#include "bench_scaling_laws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/contour.h"
#include "nndmft/solvers/mode_rule.h"
#include "nndmft/solvers/random_features.h"

enum { REPEATS = 7, TIMES = 200, NODES = 24, MORE = 4 };
static const double LAST = 1e8;

/* Log-spaced times up to LAST: of a flow, or steps. */
static size_t place(bool steps, double time[TIMES]) {
    size_t count = 0;
    for (int i = 0; i < TIMES; i++) {
        double t =
            steps ? floor(pow(LAST, i / (TIMES - 1.0))) : 0.1 * pow(10.0 * LAST, i / (TIMES - 1.0));
        if (count == 0 || t > time[count - 1])
            time[count++] = t;
    }
    return count;
}

/* Multiply-adds of the sums over modes of a flow: inner products of the real and imaginary parts at
 * all nodes, with two weights; each is computed once. */
static double products(size_t modes, size_t times, const double *time) {
    double sum = 0.0;
    for (size_t first = 0; first < times;) {
        double from = time[first];
        for (double n = NODES; n <= NODES + MORE; n += MORE)
            sum += 2.0 * 0.5 * 4.0 * n * n * (double)modes;
        while (first < times && time[first] <= NND_WINDOW * from)
            first++;
    }
    return sum;
}

static double seconds_of(nnd_context *ctx, const nnd_features *f, const nnd_feature_training *how) {
    double time[TIMES], best = INFINITY;
    nnd_feature_losses losses[TIMES];
    size_t count = place(how->lr > 0.0, time);
    for (int r = 0; r < REPEATS; r++) {
        double began = bench_seconds();
        require(ctx, how->batch > 0.0 ? nnd_feature_batches(ctx, f, how, count, time, losses)
                                      : nnd_feature_descent(ctx, f, how, count, time, losses));
        best = fmin(best, bench_seconds() - began);
    }
    return best;
}

static void row(const char *what, double modes, double seconds) {
    printf("scaling laws, %-28s M = %-6.0e %7.1f ms\n", what, modes, 1e3 * seconds);
}

static double memory_of(const nnd_features *f, const nnd_feature_training *how) {
    double time[TIMES], bytes, flops;
    nnd_feature_cost(f, how, place(how->lr > 0.0, time), time, &bytes, &flops);
    return bytes;
}

static void trainings(nnd_context *ctx, double modes) {
    static const struct {
        const char *name;
        double samples;
        nnd_feature_training how;
    } all[] = {
        {"flow", 150.0, {.nodes = NODES}},
        {"descent", 150.0, {.lr = 1.3, .nodes = NODES}},
        {"heavy ball, m = 0.8", 150.0, {.lr = 0.5, .momentum = 0.8, .nodes = NODES}},
        {"heavy ball, m = 0.95", 150.0, {.lr = 0.5, .momentum = 0.95, .nodes = NODES}},
        {"fresh batches", INFINITY, {.lr = 0.4, .batch = 10.0, .nodes = NODES}},
        {"batches of 150 samples", 150.0, {.lr = 0.4, .batch = 10.0, .nodes = NODES}},
    };
    nnd_mode_rule rule;
    double began = bench_seconds(), most = 0.0;
    require(ctx, nnd_mode_rule_power_law(ctx, modes, 1.5, 2.0, &rule));
    row("power law as few modes", modes, bench_seconds() - began);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        nnd_features f = {rule.modes, all[i].samples, 100.0, 0.05};
        double seconds = seconds_of(ctx, &f, &all[i].how);
        row(all[i].name, modes, seconds);
        most = fmax(most, memory_of(&f, &all[i].how));
        if (i == 0) {
            double time[TIMES], rate = bench_dgemm((int)rule.modes.count);
            double sums = products(rule.modes.count, place(false, time), time);
            printf("  its sums over pairs would take %.0f %% of that in dgemm n = %zu\n",
                   100.0 * sums / rate / seconds, rule.modes.count);
        }
    }
    printf("  memory: at most %.2g MB\n", 1e-6 * most);
    nnd_mode_rule_clear(&rule);
}

/* A list is compressed first: that reads it a few dozen times. */
static void measured_list(nnd_context *ctx) {
    enum { COUNT = 10000 };
    double *x = malloc(2 * COUNT * sizeof *x), best = INFINITY;
    nnd_mode_rule rule;
    for (int k = 0; x != NULL && k < COUNT; k++) {
        x[k] = pow(k + 1.0, -1.5);
        x[COUNT + k] = pow(k + 1.0, -2.0);
    }
    for (int r = 0; x != NULL && r < REPEATS; r++) {
        double began = bench_seconds();
        require(ctx, nnd_mode_rule_list(ctx, COUNT, x, x + COUNT, NULL, &rule));
        best = fmin(best, bench_seconds() - began);
        if (r + 1 < REPEATS)
            nnd_mode_rule_clear(&rule);
    }
    row("list as few modes", COUNT, best);
    nnd_features f = {rule.modes, 150.0, 100.0, 0.05};
    row("flow, of that list", COUNT, seconds_of(ctx, &f, &(nnd_feature_training){.nodes = NODES}));
    nnd_mode_rule_clear(&rule);
    free(x);
}

static void frontier(void) {
    nnd_context_options one = {.threads = 1};
    nnd_context *ctx = nnd_context_new(&one);
    nnd_value *tree;
    nnd_case *c = NULL;
    nnd_frame *frame = NULL;
    require(ctx, nnd_yaml_read_text(ctx, "bench",
                                    "{model: scaling-laws, params: {features: {power_law: 1.5, "
                                    "count: 1.0e+12}, target: 2, time: 1.0e+8, frontier: {from: "
                                    "10, to: 1.0e+6, widths: 60}}}",
                                    &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c));
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
    row("frontier of 60 widths", 1e12, bench_seconds() - began);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_value_free(tree);
    nnd_context_free(ctx);
}

void bench_scaling_laws(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    trainings(ctx, 1e4);
    trainings(ctx, 1e12);
    measured_list(ctx);
    frontier();
    nnd_context_free(ctx);
}
