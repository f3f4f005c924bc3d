/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_deep_fluctuations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/timegrid.h"
#include "theory/deep_sampled.h"

enum { RUNS = 3, OBSERVED = 48, MOST = 4, PAIRS = MOST * (MOST + 1) / 2, REPLICATES = 2 };

static nnd_status pass(void *data, nnd_deep_march *march, size_t step) {
    (void)data, (void)march, (void)step;
    return NND_OK;
}

typedef struct {
    double march, back, work;
    size_t rank[2];
} outcome;

/* One replicate on one thread: outputs and kernels at the last step. */
static outcome measure(nnd_context *ctx, const nnd_deep_problem *q, size_t sites) {
    outcome o = {.march = INFINITY, .back = INFINITY};
    nnd_deep_observable wanted[OBSERVED];
    nnd_sobol *net;
    double *influence = malloc(q->depth * OBSERVED * sites * sizeof *influence);
    for (size_t k = 0; k < OBSERVED; k++)
        wanted[k] = (nnd_deep_observable){k % 3 == 0 ? NND_DEEP_OUTPUT : NND_DEEP_NTK, 0,
                                          k % q->samples, k / 3 % q->samples};
    require(ctx, nnd_sobol_new(ctx, sites, &net));
    for (int i = 0; i < RUNS; i++) {
        nnd_deep_sampling sampling = {.sites = sites,
                                      .rank_tol = 1e-3,
                                      .lost = NND_DEEP_LOST,
                                      .net = net,
                                      .key = {1, (uint64_t)i, sites}};
        nnd_deep_march *march;
        size_t diverged;
        double began = bench_seconds();
        require(ctx, nnd_deep_march_new(ctx, q, &sampling, &march));
        require(ctx, nnd_deep_march_run(march, pass, NULL, &diverged));
        o.march = fmin(o.march, bench_seconds() - began);
        double before = nnd_deep_work(march);
        began = bench_seconds();
        require(ctx, nnd_deep_influence(march, q->steps, OBSERVED, wanted, influence));
        o.back = fmin(o.back, bench_seconds() - began);
        o.work = nnd_deep_work(march) - before;
        nnd_deep_ranks(march, 0, o.rank);
        nnd_deep_march_free(march);
    }
    nnd_sobol_free(net);
    free(influence);
    return o;
}

static void print(const char *name, const outcome *o, double dgemm) {
    printf("%-46s %9.3f s  %3.0f %% of dgemm, %.1f marches each, ranks %zu and %zu\n", name,
           o->back, 100.0 * o->work / o->back / dgemm, o->back / OBSERVED / o->march, o->rank[0],
           o->rank[1]);
}

/* Outputs and the NTK at every step: seconds per replicate of so many sites and of half as many. */
static void measure_all(const nnd_deep_problem *q, size_t sites) {
    nnd_context *ctx = nnd_context_new(&(nnd_context_options){0});
    const nnd_integers every = {0};
    nnd_deep_observable ntk[PAIRS], *next = ntk;
    nnd_timegrid grid;
    nnd_fluctuations f, se;
    nnd_deep_report report;
    for (size_t mu = 0; mu < MOST; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            *next++ = (nnd_deep_observable){NND_DEEP_NTK, 0, mu, nu};
    require(ctx, nnd_timegrid_make(ctx, q->steps, &every, 1, &grid));
    const nnd_deep_sampled all = {
        .problem = *q,
        .grid = &grid,
        .observables = PAIRS,
        .observable = ntk,
        .samples = sites,
        .replicates = REPLICATES,
        .rank_tol = 1e-3,
        .seed = 1,
    };
    double began = bench_seconds();
    require(ctx, nnd_deep_sampled_run(ctx, &all, &f, &se, &report));
    printf("%-46s %9.3f s a replicate, %d threads, ranks %zu and %zu\n",
           "outputs and NTK at 41 times, P = 4, S = 8192", (bench_seconds() - began) / REPLICATES,
           nnd_context_threads(ctx), report.rank[0], report.rank[1]);
    nnd_fluctuations_clear(&f);
    nnd_fluctuations_clear(&se);
    nnd_timegrid_clear(&grid);
    nnd_context_free(ctx);
}

void bench_deep_fluctuations(void) {
    const nnd_activation plain_tanh = {NND_TANH, 1.0, 1.0, 0.0};
    const double targets[MOST] = {1.0, -0.5, 0.3, -0.8}, widths[] = {1.0, 1.0};
    double gram[MOST * MOST];
    nnd_context *ctx = nnd_context_new(&(nnd_context_options){.threads = 1});
    nnd_deep_problem q = {
        .depth = 2,
        .samples = 1,
        .points = 1,
        .steps = 20,
        .gram = gram,
        .targets = targets,
        .activation = &plain_tanh,
        .gamma0 = 1.0,
        .lr = 0.1,
        .sigma_w = 1.0,
        .widths = widths,
        .center = true,
        .kernels = true,
    };
    double dgemm = bench_dgemm(1024);
    gram[0] = 1.0;
    outcome one = measure(ctx, &q, 16384);
    print("48 influence functions, P = 1, T = 20, S = 16384", &one, dgemm);
    q.samples = q.points = MOST;
    q.steps = 40;
    q.lr = 0.2;
    for (size_t i = 0; i < MOST * MOST; i++)
        gram[i] = i % (MOST + 1) == 0 ? 1.0 : 0.3;
    outcome four = measure(ctx, &q, 8192);
    print("48 influence functions, P = 4, T = 40, S = 8192", &four, dgemm);
    measure_all(&q, 8192);
    nnd_context_free(ctx);
}
