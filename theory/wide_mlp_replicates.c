/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of the march: replicates over threads, the exact one of linear networks, what they cost. */
#include <math.h>

#include "theory/wide_mlp_descent.h"
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
                                   .net = net},
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
    double train = (double)nnd_data_samples(&p->data), tests = (double)nnd_data_tests(&p->data);
    double outputs = (double)p->outputs, pairs = train * train, times = nnd_wide_mlp_most_marks(p);
    double depth = (double)p->depth, matrices = depth - 1.0;
    double kernels =
        2.0 * depth * pairs + ((depth + 1.0) * pairs + tests * train) * outputs * outputs;
    double numbers = (p->kernels ? kernels : 0.0) + (2.0 * train + tests + 1.0) * outputs + 8.0 +
                     7.0 * matrices * (double)p->outliers + 4.0 * depth;
    return times * (numbers + (p->two_time ? 2.0 * times * depth * pairs : 0.0));
}

/* Directions of a matrix on either side at the end, about: so many per point as were counted
 * (wide-mlp.md#s13-7). Fields that learn little add few, several outputs more. */
static double guess_rank(const nnd_wide_mlp *p, double points, double evaluations) {
    double rich = fmin(1.0, pow(p->gamma0, 0.4)), turns = p->outputs > 1 ? 1.7 : 1.0;
    double many = p->activation.name == NND_LINEAR ? 4.0 : 12.0;
    return points * fmin(2.0 + many * turns * rich, evaluations);
}

void nnd_wide_march_cost(const nnd_wide_mlp *p, nnd_cost *cost) {
    double train = (double)nnd_data_samples(&p->data), tests = (double)nnd_data_tests(&p->data);
    bool exact = p->activation.name == NND_LINEAR && p->solver != NND_WIDE_MARCH;
    bool march_tests = exact || tests <= train;
    double points = train + (march_tests ? tests : 0.0), outputs = (double)p->outputs;
    double evaluations = nnd_wide_descent_evaluations(p), rank = guess_rank(p, points, evaluations);
    double depth = (double)p->depth, matrices = depth - 1.0;
    double slots = (double)nnd_wide_descent_slots(p);
    double sites = exact ? 16.0 * (points + 2.0) : (double)p->samples;
    double runs = exact ? 1.0 : (double)p->replicates;
    /* Scratch queries where something is recorded: of all points and outputs for the kernels of
     * several, of test samples that do not march. */
    double scratch = (outputs > 1.0 ? points * outputs : 0.0) + (march_tests ? 0.0 : 2.0 * tests);
    double queries = evaluations * (points * (p->weight_decay > 0.0 ? 2.0 : 1.0) +
                                    (outputs > 1.0 ? train : points));
    double vectors = depth * 4.0 * points + points + matrices * 8.0 * rank + 3.0 * scratch +
                     (slots + 1.0) * (train + tests + outputs + (p->sigma_b > 0.0 ? depth : 0.0));
    double pencil = p->spectrum ? 12.0 : 0.0;
    cost->bytes = (sites * vectors + (3.0 + slots + pencil) * matrices * rank * rank +
                   runs * nnd_wide_march_numbers(p)) *
                  sizeof(double);
    cost->threads = runs;
    /* Ranks grow: the mean is about half of the last one, of the cube of all directions a quarter.
     * Outliers are counted after every evaluation, and found where something is recorded. */
    cost->flops = 2.0 * runs * sites * queries * (6.0 * rank * matrices + 40.0 * depth) +
                  2.0 * runs * sites * nnd_wide_mlp_most_marks(p) * matrices * scratch *
                      (6.0 * rank + scratch) +
                  (p->spectrum ? 2.0 * runs * (evaluations / 8.0 + nnd_wide_mlp_most_marks(p)) *
                                     matrices * pow(2.0 * rank, 3.0)
                               : 0.0);
}
