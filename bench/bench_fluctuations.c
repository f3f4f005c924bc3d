/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_fluctuations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/timegrid.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/influence.h"

/* Best of several, as for the rates of the machine: others may be using it too. */
enum { RUNS = 3 };

static nnd_context *context(int threads) {
    return nnd_context_new(&(nnd_context_options){.threads = threads});
}

/* Case fluctuations.md#r3, to a tolerance of 1e-8, on one thread. */
static void one_sample(void) {
    nnd_context *ctx = context(1);
    const nnd_activation tanh_04 = {NND_TANH, 0.4, 1.0, 0.0};
    const double gram = 1.0, target = 1.0;
    const nnd_observable kernel = {NND_OBSERVE_NTK, 0, 0};
    nnd_integers all = {0};
    nnd_timegrid grid;
    require(ctx, nnd_timegrid_make(ctx, 250, &all, 1, &grid));
    const nnd_units units = {&tanh_04, 1, 1,       &gram, &target, 1.0,   0.05, true,
                             &grid,    1, &kernel, true,  false,   false, NULL};
    double best = INFINITY;
    nnd_influence_report report = {0};
    for (int i = 0; i < RUNS; i++) {
        nnd_fluctuations out, se;
        double began = bench_seconds();
        require(ctx, nnd_influence_quadrature(ctx, &units, 0, 1e-8, &out, &se, &report));
        best = fmin(best, bench_seconds() - began);
        nnd_fluctuations_clear(&out);
        nnd_fluctuations_clear(&se);
    }
    printf("fluctuations, P = 1, T = 250, 1 thread         %9.3f s  error %.1g with %zu neurons, "
           "kernels and bias\n",
           best, report.error, report.nodes);
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
}

typedef struct {
    double seconds, bytes, flops;
} outcome;

/* Four samples, T = 100, five sets of 4096 neurons, kernels. */
static outcome four_samples(int threads, bool bias) {
    enum { P = 4, REPLICATES = 5, SAMPLES = 4096 };
    nnd_context *ctx = context(threads);
    const nnd_activation plain_tanh = {NND_TANH, 1.0, 1.0, 0.0};
    const double targets[P] = {1.0, -0.5, 0.3, -1.0};
    double gram[P * P];
    nnd_observable kernel[P * (P + 1) / 2];
    nnd_integers all = {0};
    nnd_timegrid grid;
    size_t k = 0;
    for (size_t mu = 0; mu < P; mu++)
        for (size_t nu = 0; nu < P; nu++)
            gram[mu * P + nu] = mu == nu ? 1.0 : 0.2;
    for (size_t mu = 0; mu < P; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            kernel[k++] = (nnd_observable){NND_OBSERVE_NTK, mu, nu};
    require(ctx, nnd_timegrid_make(ctx, 100, &all, 1, &grid));
    const nnd_units units = {&plain_tanh, P, P,      gram, targets, 1.0,   0.05, false,
                             &grid,       k, kernel, bias, false,   false, NULL};
    outcome o = {.seconds = INFINITY};
    for (int i = 0; i < RUNS; i++) {
        nnd_fluctuations out, se;
        nnd_influence_report report;
        double began = bench_seconds();
        require(ctx,
                nnd_influence_sampled(ctx, &units, SAMPLES, REPLICATES, 1, &out, &se, &report));
        o.seconds = fmin(o.seconds, bench_seconds() - began);
        nnd_fluctuations_clear(&out);
        nnd_fluctuations_clear(&se);
    }
    nnd_influence_cost(&units, SAMPLES, threads, &o.bytes, &o.flops);
    o.flops *= REPLICATES;
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
    return o;
}

static void against_dgemm(void) {
    outcome both = four_samples(2, true), products = four_samples(1, false);
    double rate = 1e-9 * products.flops / products.seconds, limit = 2e-9 * bench_dgemm(1000);
    printf("fluctuations, P = 4, T = 100, S = 20480        %9.3f s  kernels and bias, 2 threads; "
           "memory %.0f MB\n",
           both.seconds, 1e-6 * both.bytes);
    printf("  without bias, 1 thread: %.3f s, responses and covariances at %.3g Gflop/s, %.0f %% "
           "of dgemm (%.3g)\n",
           products.seconds, rate, 100.0 * rate / limit, limit);
}

/* A case from its text, on two threads. */
static nnd_case *resolve(nnd_context *ctx, const char *text, nnd_value **tree) {
    nnd_case *c = NULL;
    require(ctx, nnd_yaml_read_text(ctx, "bench", text, tree));
    require(ctx, nnd_case_resolve(ctx, *tree, &(nnd_case_source){.stem = "bench"}, &c));
    return c;
}

/* Seconds that the ensemble of a case takes. */
static double ensemble(const char *text) {
    nnd_context *ctx = context(2);
    nnd_value *tree;
    nnd_case *c = resolve(ctx, text, &tree);
    double best = INFINITY;
    for (int i = 0; i < RUNS; i++) {
        nnd_store *store = nnd_memory_store_new();
        nnd_ensemble networks;
        double began = bench_seconds();
        require(ctx, nnd_ensemble_run(ctx, c, store, &networks));
        best = fmin(best, bench_seconds() - began);
        nnd_ensemble_clear(&networks);
        nnd_memory_store_free(store);
    }
    nnd_value_free(tree);
    nnd_case_free(c);
    nnd_context_free(ctx);
    return best;
}

static void ensembles(void) {
    double two = ensemble("{model: two-layer-fluctuations, params: {activation: tanh, steps: 100, "
                          "data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}}, simulate: "
                          "{size: 300, seeds: 2000}}");
    printf("2000 networks, N = 300, P = 2, T = 100         %9.3f s  %.3g neuron-steps/s, all "
           "recorded, 2 threads\n",
           two, 2000.0 * 300.0 * 100.0 / two);
    double deep = ensemble("{model: deep-linear-fluctuations, params: {depth: 3, steps: 30, data: "
                           "{gram: [[1]], targets: [1]}}, simulate: {size: 256, seeds: 2000}}");
    printf("2000 networks, N = 256, L = 3, P = 1, T = 30   %9.3f s  %.3g weight-steps/s, all "
           "recorded, 2 threads\n",
           deep, 2000.0 * 2.0 * 256.0 * 256.0 * 30.0 / deep);
}

/* Deep linear networks, four samples, covariance and bias of everything at all times. */
static void deep_linear(void) {
    nnd_context *ctx = context(2);
    nnd_value *tree;
    nnd_case *c = resolve(ctx,
                          "{model: deep-linear-fluctuations, params: {depth: 4, steps: 100, data: "
                          "{generate: gaussian, samples: 4, dim: 8, target: linear}}}",
                          &tree);
    double best = INFINITY, directions = 0.0;
    for (int i = 0; i < RUNS; i++) {
        nnd_frame *frame = NULL;
        double began = bench_seconds();
        require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
        best = fmin(best, bench_seconds() - began);
        directions = nnd_frame_find_attribute(frame, NULL, "directions")->number;
        nnd_frame_free(frame);
    }
    printf("deep linear fluctuations, L = 4, P = 4, T = 100 %8.3f s  %g directions, 2 threads\n",
           best, directions);
    nnd_value_free(tree);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

/* What `nndmft transfer` does at 40 rates and 5 widths (fluctuations.md#s1-9). */
static void best_rates(const char *activation, double low, double high) {
    enum { RATES = 40 };
    nnd_context *ctx = context(0);
    char yaml[4096];
    int used =
        snprintf(yaml, sizeof yaml,
                 "{model: two-layer-fluctuations, params: {activation: %s, steps: 6, record: "
                 "[6], at_width: [100, 200, 400, 800, 1600], data: {gram: [[1, .6, .3], [.6, "
                 "1, .2], [.3, .2, 1]], targets: [1, -.5, .3]}}, sweep: {lr: [",
                 activation);
    for (int i = 0; i < RATES; i++)
        used += nnd_format(yaml + used, sizeof yaml - (size_t)used, "%s%.17g", i > 0 ? ", " : "",
                           low + (high - low) * i / (RATES - 1));
    snprintf(yaml + used, sizeof yaml - (size_t)used, "]}}");
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    nnd_frame *theory = NULL, *answers = NULL;
    require(ctx, nnd_yaml_read_text(ctx, "bench", yaml, &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c));
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &theory));
    const nnd_dim *width = nnd_frame_find_dim(theory, "at_width");
    const nnd_transfer_options o = {.rate = "lr",
                                    .loss = nnd_model_variable(c->model, "loss"),
                                    .theory = theory,
                                    .widths = width->length,
                                    .width = width->value};
    require(ctx, nnd_transfer(ctx, c->model, &o, &answers));
    printf("best rates, %-6s, P = 3, 40 rates, 5 widths   %9.3f s  best rate %.4f, at width 100 "
           "%.4f\n",
           activation, bench_seconds() - began, nnd_frame_find(answers, "best_rate")->data[0],
           nnd_frame_find(answers, "best_rate")->data[1]);
    nnd_frame_free(theory);
    nnd_frame_free(answers);
    nnd_case_free(c);
    nnd_value_free(tree);
    nnd_context_free(ctx);
}

void bench_fluctuations(void) {
    best_rates("linear", 0.4, 1.4);
    best_rates("tanh", 1.6, 3.8);
    one_sample();
    against_dgemm();
    deep_linear();
    ensembles();
}
