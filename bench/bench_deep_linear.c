/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_deep_linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_timer.h"
#include "full/deep_linear_dynamics.h"
#include "nndmft/nndmft.h"
#include "theory/deep_linear_curves.h"
#include "theory/deep_linear_run.h"

#define CASE "sigma: 0.8, noise: 0.3, lr: 0.05"

static void require(nnd_context *ctx, nnd_status status) {
    if (status >= NND_OK)
        return;
    fprintf(stderr, "bench: %s\n", nnd_context_message(ctx));
    exit(EXIT_FAILURE);
}

static nnd_case *read_case(nnd_context *ctx, const char *params) {
    char yaml[512];
    nnd_value *tree;
    nnd_case *c = NULL;
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", params);
    require(ctx, nnd_yaml_read_text(ctx, "bench", yaml, &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c));
    nnd_value_free(tree);
    return c;
}

typedef struct {
    const nnd_dynamics *full; /* NULL: no comparison */
    double error;
} comparison;

static nnd_status compare(void *data, nnd_small *n, size_t step) {
    comparison *c = data;
    if (c->full != NULL)
        c->error =
            fmax(c->error, fabs(nnd_small_test_risk(n) - nnd_dynamics_test_risk(c->full, step)));
    return NND_OK;
}

static void small(nnd_context *ctx, const char *name, const char *params, double tolerance,
                  const nnd_dynamics *full, double full_seconds) {
    nnd_case *c = read_case(ctx, params);
    nnd_small n;
    comparison result = {full, 0.0};
    size_t done;
    double began = bench_seconds();
    require(ctx, nnd_small_make(ctx, c->params[0], tolerance, 1, &n));
    require(ctx, nnd_small_run(ctx, &n, compare, &result, &done));
    double seconds = bench_seconds() - began;
    printf("  %-34s %7.0e %9.3f s %7.1f MB ", name, tolerance, seconds,
           1e-6 * nnd_conditioned_bytes(n.system));
    for (size_t s = 0; s < n.depth + 2; s++)
        printf("%s%zu", s > 0 ? "/" : "", nnd_conditioned_dim(n.system, n.space[s]));
    if (full != NULL)
        printf("  error %.0e, %.0f times faster", result.error, full_seconds / seconds);
    putchar('\n');
    fflush(stdout);
    nnd_small_clear(&n);
    nnd_case_free(c);
}

/* At 1000 steps against all pairs of steps. */
static void against_pairs(nnd_context *ctx) {
    const char *params = "depth: 3, " CASE ", steps: 1000";
    nnd_case *c = read_case(ctx, params);
    nnd_dynamics d;
    double began = bench_seconds();
    require(ctx, nnd_dynamics_make(ctx, c->params[0], &d));
    require(ctx, nnd_dynamics_run(ctx, &d));
    double seconds = bench_seconds() - began;
    printf("  %-34s %7s %9.3f s\n", "depth 3, 1000 steps, all pairs", "", seconds);
    for (double tolerance = 1e-4; tolerance > 1e-11; tolerance *= 1e-2)
        small(ctx, "depth 3, 1000 steps", params, tolerance, &d, seconds);
    nnd_dynamics_clear(&d);
    nnd_case_free(c);
}

static void whole(nnd_context *ctx, const char *name, const char *params) {
    nnd_case *c = read_case(ctx, params);
    nnd_frame *frame = NULL;
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
    printf("  %-42s %9.3f s\n", name, bench_seconds() - began);
    nnd_frame_free(frame);
    nnd_case_free(c);
}

void bench_deep_linear(bool full) {
    const nnd_context_options one = {.threads = 1};
    nnd_context *ctx = nnd_context_new(&one);
    printf("deep linear networks: tolerance, time, memory, coordinates\n");
    against_pairs(ctx);
    small(ctx, "depth 3, 10^4 steps", "depth: 3, " CASE ", steps: 10000", 1e-6, NULL, 0.0);
    small(ctx, "depth 3, 10^5 steps", "depth: 3, " CASE ", steps: 100000", 1e-6, NULL, 0.0);
    if (full) {
        small(ctx, "depth 3, 10^5 steps", "depth: 3, " CASE ", steps: 100000", 1e-8, NULL, 0.0);
        small(ctx, "depth 1, 10^6 steps", "depth: 1, " CASE ", steps: 1000000", 1e-6, NULL, 0.0);
        small(ctx, "depth 3, 10^6 steps", "depth: 3, " CASE ", steps: 1000000", 1e-6, NULL, 0.0);
    }
    small(ctx, "depth 2, fresh batches, 3000 steps",
          "depth: 2, training: fresh, spectrum: false, ntk: false, " CASE ", steps: 3000", 1e-8,
          NULL, 0.0);
    whole(ctx, "spectra, 41 times of 10^4 steps, depth 2",
          "depth: 2, " CASE ", steps: 10000, record_every: 250, tolerance: 1.0e-6, check: false");
    whole(ctx, "flow to 10^6, depth 3",
          "depth: 3, sigma: 0.8, noise: 0.3, integrator: flow, time: 1.0e6, "
          "tolerance: 1.0e-6, check: false, spectrum: false, ntk: false");
    nnd_context_free(ctx);
}
