/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of the march: replicates over threads, the exact one of linear networks, what they cost. */
#include <math.h>

#include "theory/wide_mlp_march.h"

/* Replicates that differ in the number that `sampling` does not have yet. */
typedef struct {
    const nnd_wide_problem *problem;
    nnd_wide_sampling sampling;
    size_t runs;
    nnd_wide_curves *record;
} replicates;

static nnd_status march_replicate(nnd_context *ctx, size_t r, void *data) {
    const replicates *all = data;
    nnd_wide_problem problem = *all->problem;
    nnd_wide_sampling sampling = all->sampling;
    problem.ctx = ctx;
    sampling.replicate = r;
    nnd_progress_join(ctx, all->problem->ctx, all->runs);
    return nnd_wide_march(&problem, &sampling, &all->record[r], NULL);
}

nnd_status nnd_wide_march_replicates(const nnd_wide_problem *problem, size_t runs,
                                     nnd_wide_curves *record) {
    const nnd_wide_mlp *p = problem->params;
    nnd_sobol *net = NULL;
    nnd_cost cost;
    nnd_wide_march_cost(p, &cost);
    int workers = nnd_context_concurrency(problem->ctx, runs, cost.bytes);
    nnd_status status = nnd_sobol_new(problem->ctx, (size_t)p->samples, &net);
    replicates all = {.problem = problem,
                      .sampling = {.fresh = NND_FRESH_MATCHED,
                                   .sites = (size_t)p->samples,
                                   .rank_tol = p->rank_tol,
                                   .net = net,
                                   .workers = workers},
                      .runs = runs,
                      .record = record};
    if (status == NND_OK)
        status = nnd_parallel(problem->ctx, workers, runs, march_replicate, &all);
    nnd_sobol_free(net);
    return status;
}

/* Coordinates are taken one by one; when they run out, the march begins again with more. */
nnd_status nnd_wide_march_exact(const nnd_wide_problem *problem, nnd_wide_curves *record) {
    /* The spans of linear networks decay fast: this resolves all that double precision holds. */
    const double tolerance = 1e-10;
    nnd_wide_sampling sampling = {
        .fresh = NND_FRESH_UNIT,
        .sites = 16 * (problem->points + 2),
        .rank_tol = tolerance,
        .workers = 1,
    };
    nnd_wide_work work;
    nnd_status status = nnd_wide_march(problem, &sampling, record, &work);
    while (status != NND_OK && work.exhausted) {
        sampling.sites *= 2;
        status = nnd_wide_march(problem, &sampling, record, &work);
    }
    return status;
}

double nnd_wide_march_numbers(const nnd_wide_mlp *p) {
    double train = (double)nnd_data_samples(&p->data), square = train * train;
    double times = nnd_wide_mlp_most_marks(p);
    double depth = (double)p->depth, matrices = depth - 1.0;
    double numbers = (3.0 * depth + 1.0) * square + 5.0 * train +
                     8.0 * matrices * (double)p->outliers + 4.0 * depth;
    return times * (numbers + (p->two_time ? 2.0 * times * depth * square : 0.0));
}

void nnd_wide_march_cost(const nnd_wide_mlp *p, nnd_cost *cost) {
    /* Ranks saturate at some tens per point; of linear networks at fewer. */
    const double per_point = p->activation.name == NND_LINEAR ? 10.0 : 30.0;
    double points = (double)(nnd_data_samples(&p->data) + nnd_data_tests(&p->data));
    double steps = (double)p->steps + 1.0, rank = points * fmin(per_point, steps);
    double depth = (double)p->depth, matrices = depth - 1.0;
    bool exact = p->activation.name == NND_LINEAR && p->solver != NND_WIDE_MARCH;
    double sites = exact ? 16.0 * (points + 2.0) : (double)p->samples;
    double vectors = depth * 5.0 * points + matrices * 8.0 * rank;
    double runs = exact ? 1.0 : (double)p->replicates;
    cost->bytes =
        (sites * vectors + 5.0 * matrices * rank * rank + runs * nnd_wide_march_numbers(p)) *
        sizeof(double);
    cost->threads = runs;
    cost->flops = 8.0 * runs * steps * points * sites * (6.0 * rank * matrices + 20.0 * depth);
}
