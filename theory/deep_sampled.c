/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_sampled.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/largest.h"
#include "core/pages.h"
#include "theory/deep_bias.h"
#include "theory/deep_replicates.h"

/* Observables whose influence functions are found by one going back, unless there are more training
 * points, the outputs of which go together. Not a matter of memory or of threads: the bits of sums
 * depend on it. */
enum { BLOCK = 16 };

/* Part of the time that moments take, of that for moments and bias. */
static const double MOMENTS = 0.5;

/* ---- one replicate ---- */

/* What all replicates share. */
typedef struct {
    const nnd_deep_sampled *p;
    size_t train, all; /* P; observables, outputs of training points first */
    nnd_deep_observable *observable;
    double *lost;     /* of each replicate (nnd_deep_march_lost) */
    size_t *diverged; /* step, of each replicate with all sites, then of those with half of them */
} moments;

/* One march, and what is made of it. */
typedef struct {
    nnd_context *ctx;
    const moments *m;
    nnd_deep_march *march;
    size_t sites;
    double *outputs;         /* influence of outputs: times (two_time; else 1) x L x P x sites */
    double *block;           /* of those that go back together: L x sides x sites */
    nnd_fluctuations result; /* views of the replicate's numbers */
} replicate;

static double *outputs_at(const replicate *r, size_t i) {
    const nnd_deep_sampled *p = r->m->p;
    return r->outputs + (p->two_time ? i * p->problem.depth * r->m->train * r->sites : 0);
}

static nnd_status note_means(void *data, nnd_deep_march *march, size_t step) {
    const replicate *r = data;
    const nnd_timegrid *grid = r->m->p->grid;
    for (size_t i = 0; i < grid->count; i++)
        if (grid->step[i] == step)
            nnd_deep_observe(march, r->m->all, r->m->observable, r->result.mean + i * r->m->all);
    return NND_OK;
}

/* out (n x m, leading dimension ld) = N Cov = sum_l (N/N_l) <I_l I'_l> (deep-fluctuations.md#eq7).
 */
static void covariance(const replicate *r, size_t n, const double *a, size_t m, const double *b,
                       double *out, size_t ld) {
    int sites = (int)r->sites;
    const nnd_deep_problem *q = &r->m->p->problem;
    for (size_t l = 0; l < q->depth; l++)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, sites,
                    1.0 / (q->widths[l] * (double)r->sites), a + l * n * r->sites, sites,
                    b + l * m * r->sites, sites, l > 0 ? 1.0 : 0.0, out, (int)ld);
}

/* The same of observable k of a block of n with itself. */
static double variance(const replicate *r, size_t n, const double *influence, size_t k) {
    const nnd_deep_problem *q = &r->m->p->problem;
    double sum = 0.0;
    for (size_t l = 0; l < q->depth; l++) {
        const double *x = influence + (l * n + k) * r->sites;
        sum += cblas_ddot((int)r->sites, x, 1, x, 1) / (q->widths[l] * (double)r->sites);
    }
    return sum;
}

/* Observables that go back together; the first ones are the outputs of the training points. */
static size_t sides(const nnd_deep_sampled *p) {
    size_t train = p->problem.samples, all = train + p->observables;
    size_t block = all < BLOCK ? all : BLOCK;
    return block > train ? block : train;
}

/* Of the first n observables, those of the outputs. */
static void keep_outputs(const replicate *r, size_t i, size_t n) {
    size_t rows = r->m->train * r->sites;
    for (size_t l = 0; l < r->m->p->problem.depth; l++)
        memcpy(outputs_at(r, i) + l * rows, r->block + l * n * r->sites, rows * sizeof(double));
}

/* Variances of n observables from number `first` on, and covariances with the outputs. */
static nnd_status find_block(replicate *r, size_t i, size_t first, size_t n) {
    const nnd_fluctuations *f = &r->result;
    size_t all = r->m->all, train = r->m->train;
    nnd_status status =
        nnd_deep_influence(r->march, r->m->p->grid->step[i], n, r->m->observable + first, r->block);
    if (status != NND_OK)
        return status;
    if (first == 0)
        keep_outputs(r, i, n);
    for (size_t k = 0; k < n; k++)
        f->nvar[i * all + first + k] = variance(r, n, r->block, k);
    covariance(r, train, outputs_at(r, i), n, r->block, f->ncov + i * train * all + first, all);
    return NND_OK;
}

static nnd_status find_time(replicate *r, size_t i) {
    size_t all = r->m->all, most = sides(r->m->p);
    nnd_status status = NND_OK;
    for (size_t first = 0; status == NND_OK && first < all; first += most)
        status = find_block(r, i, first, all - first < most ? all - first : most);
    return status;
}

static void find_two_time(const replicate *r, size_t times) {
    size_t train = r->m->train, square = train * train;
    for (size_t i = 0; r->m->p->two_time && i < times; i++)
        for (size_t j = 0; j < times; j++)
            covariance(r, train, outputs_at(r, i), train, outputs_at(r, j),
                       r->result.two_time + (i * r->result.times + j) * square, train);
}

static nnd_status follow(replicate *r, size_t *diverged) {
    const nnd_timegrid *grid = r->m->p->grid;
    size_t step = 0, times = 0;
    nnd_status status = nnd_deep_march_run(r->march, note_means, r, &step);
    if (status == NND_DIVERGED) {
        *diverged = step;
        status = NND_OK;
    }
    while (times < grid->count && grid->step[times] < step)
        times++;
    /* The last one first: it needs the most room, which the others use again. */
    for (size_t i = times; status == NND_OK && i-- > 0;) {
        status = find_time(r, i);
        if (status == NND_OK)
            status = nnd_progress_step(r->ctx, (double)(times - i), (double)times);
    }
    if (status == NND_OK)
        find_two_time(r, times);
    return status;
}

static nnd_status make_results(nnd_context *ctx, const moments *m, nnd_fluctuations *f) {
    const nnd_deep_sampled *p = m->p;
    return nnd_fluctuations_make(ctx, p->grid->count, m->train, m->all, p->bias, p->two_time, f);
}

static nnd_status make_moments(nnd_context *ctx, nnd_deep_march *march, size_t which,
                               double *number, void *data) {
    const moments *m = data;
    const nnd_deep_sampled *p = m->p;
    size_t times = p->two_time ? p->grid->count : 1, depth = p->problem.depth;
    replicate r = {.ctx = ctx, .m = m, .march = march, .sites = nnd_deep_sites(march)};
    r.outputs = nnd_pages_new(times * depth * m->train * r.sites);
    r.block = nnd_pages_new(depth * sides(p) * r.sites);
    size_t half = r.sites < p->samples ? p->replicates : 0;
    nnd_status status = make_results(ctx, m, &r.result);
    if (r.outputs == NULL || r.block == NULL)
        status = nnd_fail_memory(ctx, "influence functions");
    if (status == NND_OK)
        status = follow(&r, &m->diverged[half + which]);
    m->lost[half + which] = nnd_deep_march_lost(march);
    if (status == NND_OK)
        memcpy(number, r.result.data, r.result.count * sizeof *number);
    nnd_fluctuations_clear(&r.result);
    free(r.outputs);
    free(r.block);
    return status;
}

/* ---- all of them ---- */

static nnd_status list_observables(nnd_context *ctx, const nnd_deep_sampled *p, moments *m) {
    m->observable = malloc(m->all * sizeof *m->observable);
    m->diverged = malloc(2 * p->replicates * sizeof *m->diverged);
    m->lost = calloc(2 * p->replicates, sizeof *m->lost);
    if (m->observable == NULL || m->diverged == NULL || m->lost == NULL)
        return nnd_fail_memory(ctx, "observables");
    for (size_t r = 0; r < 2 * p->replicates; r++)
        m->diverged[r] = SIZE_MAX;
    for (size_t mu = 0; mu < m->train; mu++)
        m->observable[mu] = (nnd_deep_observable){NND_DEEP_OUTPUT, 0, mu, mu};
    if (p->observables > 0)
        memcpy(m->observable + m->train, p->observable, p->observables * sizeof *p->observable);
    return NND_OK;
}

/* Largest error of a variance relative to the largest of its curve. */
static double spread(const nnd_fluctuations *f, const nnd_fluctuations *se) {
    double most = 0.0;
    for (size_t k = 0; k < f->observables; k++) {
        double largest = 0.0, error = 0.0;
        for (size_t i = 0; i < f->times; i++) {
            size_t at = i * f->observables + k;
            if (!isfinite(f->nvar[at]))
                continue;
            largest = nnd_largest(largest, f->nvar[at]);
            error = nnd_largest(error, se->nvar[at]);
        }
        if (largest > 0.0)
            most = nnd_largest(most, error / largest);
    }
    return most;
}

/* ---- what it takes ---- */

static nnd_status pass(void *data, nnd_deep_march *march, size_t step) {
    (void)data, (void)march, (void)step;
    return NND_OK;
}

/* A march of so few sites that it costs nothing, from which the directions of the others are known.
 */
typedef struct {
    nnd_sobol *net;
    nnd_deep_sampling sampling;
    nnd_deep_march *march;
} preview;

static void preview_clear(preview *v) {
    nnd_deep_march_free(v->march);
    nnd_sobol_free(v->net);
    *v = (preview){0};
}

static nnd_status preview_with(nnd_context *ctx, const nnd_deep_sampled *p, size_t sites,
                               preview *v) {
    size_t diverged;
    nnd_status status = nnd_sobol_new(ctx, sites, &v->net);
    /* What others do where they lose too much, so that it does not find fewer directions. */
    v->sampling = (nnd_deep_sampling){
        .sites = sites,
        .rank_tol = NND_DEEP_FINER * p->rank_tol,
        .lost = NND_DEEP_LOST,
        .net = v->net,
        .key = {p->seed, 0, sites},
    };
    if (status == NND_OK)
        status = nnd_deep_march_new(ctx, &p->problem, &v->sampling, &v->march);
    return status == NND_OK ? nnd_deep_march_run(v->march, pass, NULL, &diverged) : status;
}

/* With more sites, if it runs out of them. */
static nnd_status preview_make(nnd_context *ctx, const nnd_deep_sampled *p, preview *v) {
    const size_t few = 512;
    size_t sites = p->samples < few ? p->samples : few;
    nnd_status status = preview_with(ctx, p, sites, v);
    while (status == NND_E_LIMIT && sites < p->samples) {
        preview_clear(v);
        sites *= 2;
        status = preview_with(ctx, p, sites, v);
    }
    bool enough = status >= NND_OK || (status == NND_E_LIMIT && v->march != NULL);
    return enough ? NND_OK : status;
}

/* The marches for means, variances and covariances, as far as memory goes. */
static nnd_deep_replicates replicates_of(const nnd_deep_sampled *p, size_t all) {
    const nnd_deep_problem *q = &p->problem;
    double kept = p->two_time ? (double)p->grid->count : 1.0;
    double bytes = nnd_fluctuations_bytes(p->grid->count, q->samples, all, p->bias, p->two_time);
    return (nnd_deep_replicates){
        .p = p,
        .sites = p->samples,
        .numbers = (size_t)(bytes / sizeof(double)),
        .together = sides(p),
        .vectors = (double)q->depth * (kept * (double)q->samples + (double)sides(p)),
        .work = make_moments,
    };
}

static double mean_rank(const nnd_deep_march *march, size_t matrices) {
    double sum = 0.0;
    for (size_t l = 0; l < matrices; l++) {
        size_t rank[2];
        nnd_deep_ranks(march, l, rank);
        sum += (double)(rank[0] + rank[1]) / 2.0;
    }
    return matrices > 0 ? sum / (double)matrices : 0.0;
}

/* Of all marches, if matrices have that rank. */
static double flops_of(const nnd_deep_sampled *p, double all, double rank) {
    const nnd_deep_problem *q = &p->problem;
    double points = (double)q->points, depth = (double)q->depth, times = (double)q->steps + 1.0;
    double queries = 2.0 * (depth - 1.0) * points, lengths = 0.0;
    for (size_t i = 0; i < p->grid->count; i++)
        lengths += (double)p->grid->step[i] + 1.0;
    double reverse = 2.0 * lengths * all * (queries * 13.0 * rank + 20.0 * depth * points);
    double march = times * queries * 6.0 * rank;
    return 1.5 * (double)p->replicates * (double)p->samples * (reverse + march);
}

nnd_status nnd_deep_sampled_cost(nnd_context *ctx, const nnd_deep_sampled *p, nnd_cost *cost) {
    size_t all = p->problem.samples + p->observables;
    const nnd_deep_replicates work[] = {replicates_of(p, all), nnd_deep_bias_replicates(p, all)};
    preview ahead = {0};
    nnd_status status = preview_make(ctx, p, &ahead);
    double rank = status == NND_OK ? mean_rank(ahead.march, p->problem.depth - 1) : 0.0;
    for (int i = 0; status == NND_OK && i < (p->bias ? 2 : 1); i++) {
        int workers = nnd_deep_replicates_workers(ctx, &work[i], ahead.march);
        cost->bytes = fmax(cost->bytes, nnd_deep_replicates_bytes(&work[i], ahead.march, workers));
        cost->single = fmax(cost->single, nnd_deep_replicates_bytes(&work[i], ahead.march, 1));
    }
    cost->flops = flops_of(p, (double)all, rank) + (p->bias ? nnd_deep_bias_flops(p, rank) : 0.0);
    cost->threads = 2.0 * (double)p->replicates;
    preview_clear(&ahead);
    return status;
}

/* ---- all of them ---- */

nnd_status nnd_deep_sampled_run(nnd_context *ctx, const nnd_deep_sampled *p, nnd_fluctuations *out,
                                nnd_fluctuations *se, nnd_deep_report *report) {
    moments m = {.p = p, .train = p->problem.samples, .all = p->problem.samples + p->observables};
    *report = (nnd_deep_report){0};
    *out = *se = (nnd_fluctuations){0};
    nnd_status status = list_observables(ctx, p, &m);
    if (status == NND_OK)
        status = make_results(ctx, &m, out);
    if (status == NND_OK)
        status = make_results(ctx, &m, se);
    nnd_deep_replicates r = replicates_of(p, m.all);
    r.data = &m;
    preview ahead = {0};
    if (status == NND_OK)
        status = preview_make(ctx, p, &ahead);
    if (status == NND_OK)
        nnd_progress_within(ctx, 0.0, p->bias ? MOMENTS : 1.0);
    if (status == NND_OK)
        status = nnd_deep_replicates_run(ctx, &r, ahead.march, out->data, se->data, report->rank);
    for (size_t k = 0; status == NND_OK && k < 2 * p->replicates; k++)
        if (m.diverged[k] < out->diverged_at)
            out->diverged_at = se->diverged_at = m.diverged[k];
    if (status == NND_OK)
        report->spread = spread(out, se);
    for (size_t k = 0; k < p->replicates && m.lost != NULL; k++)
        report->lost = nnd_largest(report->lost, m.lost[k]);
    nnd_progress_within(ctx, MOMENTS, 1.0);
    if (status == NND_OK && p->bias && out->diverged_at == SIZE_MAX)
        status = nnd_deep_bias_run(ctx, p, m.all, m.observable, ahead.march, out->bias, se->bias);
    if (status != NND_OK) {
        nnd_fluctuations_clear(out);
        nnd_fluctuations_clear(se);
    }
    preview_clear(&ahead);
    free(m.observable);
    free(m.diverged);
    free(m.lost);
    return status == NND_OK && out->diverged_at != SIZE_MAX ? NND_DIVERGED : status;
}
