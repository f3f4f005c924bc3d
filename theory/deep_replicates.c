/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_replicates.h"

#include <math.h>
#include <stdlib.h>

#include "core/largest.h"

/* Those with all sites come first, then those with half of them, which drop directions at twice the
 * tolerances. */
typedef struct {
    const nnd_deep_replicates *r;
    nnd_context *whole;
    int workers;
    nnd_sobol *net[2];
    bool *done;        /* runs */
    double *number;    /* runs x numbers */
    size_t (*rank)[2]; /* runs */
} runs;

/* ---- memory ---- */

/* What allocation takes beside what is asked for: pages that are not full, and gaps that freed
 * vectors leave between others. */
static const double WASTE = 1.25;

/* Numbers of all runs, mean and error. */
static double shared_bytes(const nnd_deep_replicates *r) {
    return (2.0 * (double)r->p->replicates + 2.0) * (double)r->numbers * sizeof(double);
}

/* Of one run beside its march: in numbers, at most what differences of second order take. */
static double held_bytes(const nnd_deep_replicates *r, size_t sites) {
    return (r->vectors * (double)sites + 3.0 * (double)r->numbers) * sizeof(double);
}

double nnd_deep_replicates_bytes(const nnd_deep_replicates *r, const nnd_deep_march *like,
                                 int workers) {
    double with[2], all = (double)r->p->replicates;
    for (int half = 0; half < 2; half++) {
        size_t sites = r->sites >> half;
        with[half] = nnd_deep_march_bytes(like, r->together, sites) + held_bytes(r, sites);
    }
    double marches = fmin(workers, all) * with[0] + fmax(workers - all, 0.0) * with[1];
    return WASTE * marches + shared_bytes(r);
}

int nnd_deep_replicates_workers(const nnd_context *ctx, const nnd_deep_replicates *r,
                                const nnd_deep_march *like) {
    int workers = nnd_context_concurrency(ctx, 2 * r->p->replicates, 0.0);
    double limit = (double)nnd_context_memory_limit(ctx);
    while (workers > 1 && nnd_deep_replicates_bytes(r, like, workers) > limit)
        workers--;
    return workers;
}

/* ---- one run ---- */

static void note_ranks(const nnd_deep_march *march, size_t depth, size_t rank[2]) {
    for (size_t l = 0; l + 1 < depth; l++) {
        size_t here[2];
        nnd_deep_ranks(march, l, here);
        for (int d = 0; d < 2; d++)
            rank[d] = here[d] > rank[d] ? here[d] : rank[d];
    }
}

static nnd_status run_one(nnd_context *ctx, size_t which, void *data) {
    const runs *all = data;
    const nnd_deep_replicates *r = all->r;
    const nnd_deep_sampled *p = r->p;
    size_t half = which / p->replicates, replicate = which % p->replicates;
    size_t sites = r->sites >> half;
    double *number = all->number + which * r->numbers;
    double coarse = half > 0 ? 2.0 : 1.0;
    nnd_deep_sampling sampling = {
        .sites = sites,
        .rank_tol = coarse * p->rank_tol,
        .lost = coarse * NND_DEEP_LOST,
        .together = r->together,
        .held = held_bytes(r, sites) + shared_bytes(r) / all->workers,
        .net = all->net[half],
        .key = {p->seed, replicate, sites},
    };
    nnd_deep_march *march = NULL;
    if (all->done[which])
        return NND_OK;
    nnd_progress_join(ctx, all->whole, 2 * p->replicates);
    for (size_t k = 0; k < r->numbers; k++)
        number[k] = NAN;
    nnd_status status = nnd_deep_march_new(ctx, &p->problem, &sampling, &march);
    if (status == NND_OK)
        status = r->work(ctx, march, replicate, number, r->data);
    if (status == NND_OK)
        note_ranks(march, p->problem.depth, all->rank[which]);
    all->done[which] = status == NND_OK;
    nnd_deep_march_free(march);
    return status;
}

/* Where directions turn out to be more than memory was shared out for, fewer go side by side. */
static nnd_status run_all(nnd_context *ctx, runs *all) {
    nnd_status status;
    do
        status = nnd_parallel(ctx, all->workers, 2 * all->r->p->replicates, run_one, all);
    while (status == NND_E_LIMIT && --all->workers > 0);
    return status;
}

/* ---- all of them ---- */

/* Mean and squared standard error of number k over the replicates from `first` on. */
static double average(const runs *all, size_t first, size_t k, double *error) {
    size_t count = all->r->p->replicates, numbers = all->r->numbers;
    double n = (double)count, mean = 0.0, square = 0.0;
    for (size_t r = first; r < first + count; r++)
        mean += all->number[r * numbers + k] / n;
    for (size_t r = first; r < first + count; r++)
        square += pow(all->number[r * numbers + k] - mean, 2);
    *error = square / (n * (n - 1.0));
    return mean;
}

static void combine(const runs *all, double *mean, double *se) {
    for (size_t k = 0; k < all->r->numbers; k++) {
        double error, coarse_error;
        mean[k] = average(all, 0, k, &error);
        double coarse = average(all, all->r->p->replicates, k, &coarse_error);
        double shift = pow(mean[k] - coarse, 2) - error - coarse_error;
        se[k] = sqrt(error + nnd_largest(0.0, shift));
    }
}

nnd_status nnd_deep_replicates_run(nnd_context *ctx, const nnd_deep_replicates *r,
                                   const nnd_deep_march *like, double *mean, double *se,
                                   size_t rank[2]) {
    size_t count = 2 * r->p->replicates;
    runs all = {.r = r,
                .whole = ctx,
                .workers = nnd_deep_replicates_workers(ctx, r, like),
                .done = calloc(count, sizeof *all.done),
                .number = malloc(count * r->numbers * sizeof(double)),
                .rank = calloc(count, sizeof *all.rank)};
    nnd_status status = all.done != NULL && all.number != NULL && all.rank != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "replicates");
    for (int half = 0; status == NND_OK && half < 2; half++)
        status = nnd_sobol_new(ctx, r->sites >> half, &all.net[half]);
    if (status == NND_OK)
        status = run_all(ctx, &all);
    if (status == NND_OK)
        combine(&all, mean, se);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        for (int d = 0; d < 2; d++)
            rank[d] = all.rank[i][d] > rank[d] ? all.rank[i][d] : rank[d];
    nnd_sobol_free(all.net[0]);
    nnd_sobol_free(all.net[1]);
    free(all.done);
    free(all.number);
    free(all.rank);
    return status;
}
