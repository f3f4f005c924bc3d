/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/slq.h"

#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/streams.h"

typedef struct {
    const nnd_slq_task *task;
    nnd_slq *slq;
} work;

static nnd_status run_probe(nnd_context *ctx, size_t probe, void *data) {
    const work *w = data;
    const nnd_slq_task *t = w->task;
    nnd_lanczos *lanczos = NULL;
    double *start = calloc(t->n, sizeof *start);
    nnd_status status = start != NULL ? nnd_lanczos_new(ctx, t->n, t->steps, &lanczos)
                                      : nnd_fail_memory(ctx, "probes of a spectrum");
    if (status == NND_OK) {
        nnd_rng_normals((nnd_rng_key){t->seed, probe, t->n}, NND_STREAM_SPECTRUM_PROBES, 0, t->n,
                        start);
        status = nnd_lanczos_rule(lanczos, t->apply, t->data, start, &w->slq->count[probe],
                                  w->slq->node + probe * w->slq->steps,
                                  w->slq->weight + probe * w->slq->steps);
    }
    if (status == NND_OK && nnd_context_interrupted(ctx))
        status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at probe %zu", probe);
    nnd_lanczos_free(lanczos);
    free(start);
    return status;
}

nnd_status nnd_slq_run(nnd_context *ctx, const nnd_slq_task *task, nnd_slq *slq) {
    *slq =
        (nnd_slq){.steps = task->steps < task->n ? task->steps : task->n, .probes = task->probes};
    if (task->n == 0 || task->steps == 0 || task->probes == 0)
        return nnd_fail(ctx, NND_E_INPUT, "%zu steps, %zu probes; allowed: at least 1 of each",
                        task->steps, task->probes);
    size_t all = slq->steps * slq->probes;
    slq->count = calloc(slq->probes, sizeof *slq->count);
    slq->node = calloc(all, sizeof *slq->node);
    slq->weight = calloc(all, sizeof *slq->weight);
    nnd_status status = NND_OK;
    if (slq->count == NULL || slq->node == NULL || slq->weight == NULL)
        status = nnd_fail_memory(ctx, "rules of a spectrum");
    work w = {task, slq};
    double bytes = (double)(slq->steps + 2) * (double)(task->n + slq->steps) * sizeof(double);
    if (status == NND_OK)
        status = nnd_parallel(ctx, nnd_context_concurrency(ctx, slq->probes, bytes), slq->probes,
                              run_probe, &w);
    if (status != NND_OK)
        nnd_slq_clear(slq);
    return status;
}

void nnd_slq_clear(nnd_slq *slq) {
    free(slq->count);
    free(slq->node);
    free(slq->weight);
    *slq = (nnd_slq){0};
}

/* ---- averages ---- */

/* Of one probe. */
typedef double (*statistic)(const nnd_slq *slq, size_t probe, const void *data);

static void average(const nnd_slq *slq, statistic of, const void *data, double *value) {
    double sum = 0.0, square = 0.0, count = (double)slq->probes;
    double shift = of(slq, 0, data);
    for (size_t p = 0; p < slq->probes; p++) {
        double x = of(slq, p, data) - shift;
        sum += x / count;
        square += x * x / count;
    }
    value[0] = shift + sum;
    value[1] = sqrt(fmax(0.0, square - sum * sum) / (count - 1.0));
}

typedef struct {
    double (*f)(double z, void *data);
    void *data;
} integrand;

static double mean_of(const nnd_slq *slq, size_t probe, const void *data) {
    const integrand *g = data;
    double sum = 0.0;
    for (size_t i = 0; i < slq->count[probe]; i++)
        sum +=
            slq->weight[probe * slq->steps + i] * g->f(slq->node[probe * slq->steps + i], g->data);
    return sum;
}

void nnd_slq_mean(const nnd_slq *slq, double (*f)(double z, void *data), void *data,
                  double *value) {
    average(slq, mean_of, &(integrand){f, data}, value);
}

/* Between node i - 1 and node i the share grows by half of both weights. */
static double share_of(const nnd_slq *slq, size_t probe, const void *data) {
    const double *node = slq->node + probe * slq->steps, *weight = slq->weight + probe * slq->steps;
    double z = *(const double *)data, sum = 0.0;
    size_t i = 0, count = slq->count[probe];
    for (; i < count && node[i] <= z; i++)
        sum += weight[i];
    if (i == 0 || i == count)
        return sum;
    double part = (z - node[i - 1]) / (node[i] - node[i - 1]);
    return sum - 0.5 * weight[i - 1] + 0.5 * part * (weight[i - 1] + weight[i]);
}

void nnd_slq_share(const nnd_slq *slq, double z, double *share) {
    average(slq, share_of, &z, share);
}
