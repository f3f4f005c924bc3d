/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_wide_mlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/population.h"
#include "nndmft/solvers/sobol.h"
#include "theory/wide_mlp_march.h"

/* Best of several, as for the rates of the machine: others may be using it too. */
enum { RUNS = 3 };

static nnd_case *read_case(nnd_context *ctx, const char *params) {
    char yaml[1024];
    nnd_value *tree;
    nnd_case *c = NULL;
    snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {%s}}", params);
    require(ctx, nnd_yaml_read_text(ctx, "bench", yaml, &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c));
    nnd_value_free(tree);
    return c;
}

/* One replicate on one thread. */
static double march_seconds(nnd_context *ctx, const char *params, double *multiply_adds,
                            double *rank) {
    nnd_case *c = read_case(ctx, params);
    const nnd_wide_mlp *p = c->params[0];
    nnd_wide_problem problem;
    nnd_sobol *net = NULL;
    double best = INFINITY;
    require(ctx, nnd_wide_problem_make(ctx, p, &problem));
    require(ctx, nnd_sobol_new(ctx, (size_t)p->samples, &net));
    for (int i = 0; i < RUNS; i++) {
        nnd_wide_curves curves;
        nnd_wide_work work;
        nnd_wide_sampling sampling = {.fresh = NND_FRESH_MATCHED,
                                      .sites = (size_t)p->samples,
                                      .rank_tol = p->rank_tol,
                                      .net = net};
        require(ctx, nnd_wide_curves_make(&problem, &curves));
        double began = bench_seconds();
        require(ctx, nnd_wide_march(&problem, &sampling, &curves, &work));
        best = fmin(best, bench_seconds() - began);
        *multiply_adds = work.multiply_adds;
        *rank = nnd_wide_curves_at(&curves, WIDE_RANK_G, problem.marks.count - 1)[0];
        nnd_wide_curves_clear(&curves);
    }
    nnd_sobol_free(net);
    nnd_wide_problem_clear(&problem);
    nnd_case_free(c);
    return best;
}

static void against_dgemm(nnd_context *ctx) {
    double done, rank;
    double seconds =
        march_seconds(ctx,
                      "depth: 2, gamma0: 2, lr: 0.1, steps: 100, record: [100], spectrum: false, "
                      "samples: 16384, data: {generate: gaussian, samples: 16, dim: 24, "
                      "target: sign}",
                      &done, &rank);
    double rate = 2e-9 * done / seconds, limit = 2e-9 * bench_dgemm(1000);
    printf("query march, P = 16, T = 100, S = 16384      %9.3f s  %8.3g Gflop/s   %3.0f %% of "
           "dgemm (%.3g)\n  rank of g at the end %.0f\n",
           seconds, rate, 100.0 * rate / limit, limit, rank);
}

static void usual_case(void) {
    nnd_context *ctx = nnd_context_new(&(nnd_context_options){.threads = 2});
    nnd_case *c = read_case(ctx, "depth: 2, gamma0: 4, data: {gram: [[1, 0.4], [0.4, 0.8]], "
                                 "targets: [1, -0.5]}");
    double best = INFINITY, se = 0.0;
    for (int i = 0; i < RUNS; i++) {
        nnd_frame *frame = NULL;
        double began = bench_seconds();
        require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
        best = fmin(best, bench_seconds() - began);
        const nnd_array *error = nnd_frame_find(frame, "loss_se");
        for (size_t t = 0; t < error->count; t++)
            se = fmax(se, error->data[t]);
        nnd_frame_free(frame);
    }
    printf("depth 2, P = 2, T = 40, 8 x 8192 sites, 2 threads %4.3f s, all variables; largest "
           "s.e. of the loss %.2g\n",
           best, se);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

/* Once the rank has saturated a step costs what the one before it did. */
static void time_against_steps(nnd_context *ctx) {
    printf("query march, one replicate of 8192 sites to time lr t = 4:");
    for (int steps = 250; steps <= 2000; steps *= 2) {
        char params[256];
        double done, rank;
        snprintf(params, sizeof params,
                 "depth: 2, gamma0: 4, lr: %g, steps: %d, record: [%d], data: {gram: "
                 "[[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}",
                 4.0 / steps, steps, steps);
        double seconds = march_seconds(ctx, params, &done, &rank);
        printf("  T = %d %.2f s (%.3g ms a step, rank %.0f)", steps, seconds, 1e3 * seconds / steps,
               rank);
        fflush(stdout);
    }
    putchar('\n');
}

/* A step has as many queries whatever C is; what differs are ranks, and recorded kernels. */
static void time_against_outputs(nnd_context *ctx) {
    printf("query march of classes, P = 20, T = 40, one replicate of 4096 sites, 5 records:");
    for (int outputs = 2; outputs <= 10; outputs += 4) {
        char params[256];
        double done, rank;
        snprintf(params, sizeof params,
                 "depth: 2, gamma0: 2, lr: 0.3, steps: 40, record_every: 10, spectrum: false, "
                 "samples: 4096, outputs: %d, loss: cross-entropy, data: {generate: gaussian, "
                 "samples: 20, dim: 24, target: classes}",
                 outputs);
        double seconds = march_seconds(ctx, params, &done, &rank);
        printf("  C = %d %.2f s, %.3g ns per site and direction", outputs, seconds,
               1e9 * seconds / (4096.0 * 40.0 * 20.0 * rank));
        fflush(stdout);
    }
    putchar('\n');
}

/* Evaluations that a flow takes to be within 1e-5, against descent in small steps. */
static void flow_against_descent(nnd_context *ctx) {
    const char *data = "depth: 2, activation: linear, gamma0: 3, spectrum: false, data: {gram: "
                       "[[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}";
    char params[512];
    double done, rank;
    snprintf(params, sizeof params,
             "integrator: flow, time: 100, record: [100], tolerance: 1e-7, "
             "solver: march, samples: 1024, %s",
             data);
    double flow = march_seconds(ctx, params, &done, &rank);
    snprintf(params, sizeof params,
             "lr: 0.01, steps: 10000, record: [10000], solver: march, "
             "samples: 1024, %s",
             data);
    double descent = march_seconds(ctx, params, &done, &rank);
    printf("flow to time 100, tolerance 1e-7 %.3f s; descent with lr 0.01 %.3f s\n", flow, descent);
}

void bench_wide_mlp(void) {
    nnd_context *ctx = nnd_context_new(&(nnd_context_options){.threads = 1});
    against_dgemm(ctx);
    usual_case();
    time_against_steps(ctx);
    time_against_outputs(ctx);
    flow_against_descent(ctx);
    nnd_context_free(ctx);
}
