/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_deep_linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_timer.h"
#include "full/deep_linear_dynamics.h"
#include "nndmft/nndmft.h"
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

/* ---- error, coordinates, time and memory against the number of steps ---- */

/* A run at one tolerance, which is looked at after 10^3, 10^4, ... steps. */
typedef struct {
    double tolerance, began, error;
    const double *wanted; /* test_risk of all steps; NULL: not known */
    double *found;        /* the same of this run; NULL: not kept */
} passage;

static bool is_reported(size_t step) {
    while (step > 1000 && step % 10 == 0)
        step /= 10;
    return step == 1000;
}

static nnd_status note(void *data, nnd_small *n, size_t step) {
    passage *p = data;
    double risk = nnd_small_test_risk(n);
    if (p->found != NULL)
        p->found[step] = risk;
    if (p->wanted != NULL)
        p->error = fmax(p->error, fabs(risk - p->wanted[step]));
    if (!is_reported(step))
        return NND_OK;
    printf("march %8zu %8.0e %10.3f %8.2f  ", step, p->tolerance,
           bench_processor_seconds() - p->began, 1e-6 * nnd_conditioned_bytes(n->system));
    if (p->wanted != NULL)
        printf("%8.1e  ", p->error);
    else
        printf("%8s  ", "-");
    for (size_t s = 0; s < n->depth + 2; s++)
        printf("%s%zu", s > 0 ? "/" : "", nnd_conditioned_dim(n->system, n->space[s]));
    putchar('\n');
    fflush(stdout);
    return NND_OK;
}

static void pass(nnd_context *ctx, const char *params, double tolerance, const double *wanted,
                 double *found) {
    nnd_case *c = read_case(ctx, params);
    nnd_small n;
    passage p = {tolerance, bench_processor_seconds(), 0.0, wanted, found};
    size_t done;
    require(ctx, nnd_small_make(ctx, c->params[0], tolerance, 1, &n));
    require(ctx, nnd_small_run(ctx, &n, note, &p, &done));
    nnd_small_clear(&n);
    nnd_case_free(c);
}

/* Over all pairs of 1000 steps. */
static void all_pairs(nnd_context *ctx, double *risk) {
    nnd_case *c = read_case(ctx, "depth: 3, " CASE ", steps: 1000");
    nnd_dynamics d;
    double began = bench_processor_seconds();
    require(ctx, nnd_dynamics_make(ctx, c->params[0], &d));
    require(ctx, nnd_dynamics_run(ctx, &d));
    printf("march %8d %8d %10.3f %8.1f  %8s  all pairs of steps\n", 1000, 0,
           bench_processor_seconds() - began, 27.0 * 1001.0 * 1001.0 * sizeof(double) * 1e-6, "0");
    for (size_t t = 0; t <= 1000; t++)
        risk[t] = nnd_dynamics_test_risk(&d, t);
    nnd_dynamics_clear(&d);
    nnd_case_free(c);
}

/* Errors are those of test_risk, up to 1000 steps against all pairs of steps, then against a run at
 * a tolerance of 1e-10. */
void bench_deep_linear_march(nnd_context *ctx, size_t steps) {
    char params[128];
    double *risk = calloc(steps + 1, sizeof *risk);
    snprintf(params, sizeof params, "depth: 3, " CASE ", steps: %zu", steps);
    if (risk == NULL)
        require(ctx, nnd_fail_memory(ctx, "the test risk"));
    printf("march    steps tolerance   seconds       MB     error  coordinates\n");
    pass(ctx, params, 1e-10, NULL, risk);
    all_pairs(ctx, risk);
    for (double tolerance = 1e-4; tolerance > 1e-9; tolerance *= 1e-2)
        pass(ctx, params, tolerance, risk, NULL);
    free(risk);
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
    printf("deep linear networks\n");
    bench_deep_linear_march(ctx, full ? 100000 : 10000);
    if (full) {
        pass(ctx, "depth: 1, " CASE ", steps: 1000000", 1e-6, NULL, NULL);
        pass(ctx, "depth: 3, " CASE ", steps: 1000000", 1e-6, NULL, NULL);
    }
    whole(ctx, "3000 fresh batches, depth 2",
          "depth: 2, training: fresh, spectrum: false, ntk: false, " CASE
          ", steps: 3000, check: false");
    whole(ctx, "spectra, 41 times of 10^4 steps, depth 2",
          "depth: 2, " CASE ", steps: 10000, record_every: 250, tolerance: 1.0e-6, check: false");
    whole(ctx, "flow to 10^6, depth 3",
          "depth: 3, sigma: 0.8, noise: 0.3, integrator: flow, time: 1.0e6, "
          "tolerance: 1.0e-6, check: false, spectrum: false, ntk: false");
    nnd_context_free(ctx);
}
