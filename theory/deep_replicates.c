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
    nnd_sobol *net[2];
    double *number;    /* runs x numbers */
    size_t (*rank)[2]; /* runs */
} runs;

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
    const nnd_deep_sampled *p = all->r->p;
    size_t half = which / p->replicates, replicate = which % p->replicates;
    double *number = all->number + which * all->r->numbers;
    double coarse = half > 0 ? 2.0 : 1.0;
    nnd_deep_sampling sampling = {
        .sites = all->r->sites >> half,
        .rank_tol = coarse * p->rank_tol,
        .lost = coarse * NND_DEEP_LOST,
        .net = all->net[half],
        .key = {p->seed, replicate, all->r->sites >> half},
    };
    nnd_deep_march *march = NULL;
    nnd_progress_join(ctx, all->whole, 2 * p->replicates);
    for (size_t k = 0; k < all->r->numbers; k++)
        number[k] = NAN;
    nnd_status status = nnd_deep_march_new(ctx, &p->problem, &sampling, &march);
    if (status == NND_OK)
        status = all->r->work(ctx, march, replicate, number, all->r->data);
    if (status == NND_OK)
        note_ranks(march, p->problem.depth, all->rank[which]);
    nnd_deep_march_free(march);
    return status;
}

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

nnd_status nnd_deep_replicates_run(nnd_context *ctx, const nnd_deep_replicates *r, double *mean,
                                   double *se, size_t rank[2]) {
    size_t count = 2 * r->p->replicates;
    int workers = nnd_context_concurrency(ctx, count, r->bytes);
    runs all = {.r = r,
                .whole = ctx,
                .number = malloc(count * r->numbers * sizeof(double)),
                .rank = calloc(count, sizeof *all.rank)};
    nnd_status status =
        all.number != NULL && all.rank != NULL ? NND_OK : nnd_fail_memory(ctx, "replicates");
    for (int half = 0; status == NND_OK && half < 2; half++)
        status = nnd_sobol_new(ctx, r->sites >> half, &all.net[half]);
    if (status == NND_OK)
        status = nnd_parallel(ctx, workers, count, run_one, &all);
    if (status == NND_OK)
        combine(&all, mean, se);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        for (int d = 0; d < 2; d++)
            rank[d] = all.rank[i][d] > rank[d] ? all.rank[i][d] : rank[d];
    nnd_sobol_free(all.net[0]);
    nnd_sobol_free(all.net[1]);
    free(all.number);
    free(all.rank);
    return status;
}
