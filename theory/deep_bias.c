/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_bias.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "core/rng.h"
#include "core/streams.h"

/* Sites of a march, at most: hundreds of marches are made of each. */
enum { SITES = 2048 };
/* Directions of a layer that are taken exactly, signs that are drawn for the rest, and times whose
 * influence functions the former are from, at most. */
enum { EXACT = 40, SIGNS = 40, TIMES = 13 };
/* Influence functions found at once; rows that wait to be summed up by EXACT of them. */
enum { BLOCK = 16, WAITING = EXACT + 4 * BLOCK };
/* What is shorter than this part of the longest is no direction. */
static const double CUT = 2e-5;
/* Steps of second differences: weights 1 + step v. Signs are bounded, and what they move adds up by
 * chance alone. Directions, and all weights together, move outputs as a whole, in training at large
 * rates far, and squared weights must stay positive. */
static const double SIGN_STEP = 0.1, DIRECTION_STEP = 0.01;

/* ---- directions ---- */

/* Of one layer: rows over sites that span what influence functions do, the longest first. */
typedef struct {
    size_t sites, count;
    double *row; /* WAITING x sites */
} span;

/* Leaves the EXACT longest rows of the same Gram matrix R^T R: with G = R R^T = U diag(s) U^T those
 * of U^T R, whose lengths are sqrt(s). `unit`: divided by these. */
static nnd_status compress(nnd_context *ctx, span *v, bool unit) {
    int n = (int)v->count, sites = (int)v->sites;
    double *gram = malloc((size_t)(n * n + n + 1) * sizeof *gram);
    double *next = nnd_pages_new(EXACT * v->sites);
    nnd_status status = gram != NULL && next != NULL ? NND_OK : nnd_fail_memory(ctx, "directions");
    double *value = gram + n * n;
    if (status == NND_OK && n > 0) {
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, sites, 1.0 / (double)sites, v->row,
                    sites, 0.0, gram, n);
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', n, gram, n, value) != 0)
            status = nnd_fail(ctx, NND_E_UNSOLVED, "influence functions have no principal parts");
    }
    size_t kept = 0;
    while (status == NND_OK && kept < EXACT && kept < (size_t)n &&
           value[n - 1 - (int)kept] > CUT * CUT * value[n - 1])
        kept++;
    for (size_t k = 0; k < kept; k++) {
        int column = n - 1 - (int)k;
        double factor = unit ? 1.0 / sqrt(value[column]) : 1.0;
        cblas_dgemv(CblasRowMajor, CblasTrans, n, sites, factor, v->row, sites, gram + column, n,
                    0.0, next + k * v->sites, 1);
    }
    if (status == NND_OK && kept > 0)
        memcpy(v->row, next, kept * v->sites * sizeof *next);
    v->count = kept;
    free(gram);
    free(next);
    return status;
}

/* Rows of length 1 join; what is 0 but for rounding does not. */
static nnd_status join(nnd_context *ctx, span *v, size_t n, const double *influence) {
    const double nothing = 1e-14;
    nnd_status status = v->count + n > WAITING ? compress(ctx, v, false) : NND_OK;
    for (size_t k = 0; status == NND_OK && k < n; k++) {
        const double *x = influence + k * v->sites;
        double square = cblas_ddot((int)v->sites, x, 1, x, 1) / (double)v->sites;
        if (!(square > nothing))
            continue;
        double *to = v->row + v->count++ * v->sites;
        memcpy(to, x, v->sites * sizeof *to);
        cblas_dscal((int)v->sites, 1.0 / sqrt(square), to, 1);
    }
    return status;
}

/* ---- second differences ---- */

/* All replicates. */
typedef struct {
    const nnd_deep_sampled *p;
    size_t all, numbers; /* observables; times x observables */
    const nnd_deep_observable *observable;
} bias;

/* One of them. */
typedef struct {
    const bias *b;
    nnd_context *ctx;
    nnd_deep_march *march;
    size_t sites, depth;
    span *layer;
    double *weight, *direction;   /* depth x sites; sites */
    double *value, *base, *other; /* all observables at all times; under other weights */
    double *sum;
} run;

static nnd_status note(void *data, nnd_deep_march *march, size_t step) {
    const run *r = data;
    const nnd_timegrid *grid = r->b->p->grid;
    for (size_t i = 0; i < grid->count; i++)
        if (grid->step[i] == step)
            nnd_deep_observe(march, r->b->all, r->b->observable, r->value + i * r->b->all);
    return NND_OK;
}

/* Values under weights 1 + step v of layer l, 1 elsewhere; into `value`. */
static nnd_status march_again(run *r, size_t l, const double *v, double step) {
    for (size_t i = 0; i < r->depth * r->sites; i++)
        r->weight[i] = 1.0;
    for (size_t i = 0; i < r->sites; i++)
        r->weight[l * r->sites + i] += step * v[i];
    return nnd_deep_march_replay(r->march, r->weight, note, r);
}

/* sum += factor d^2 O[v] = factor (O(1 + step v) + O(1 - step v) - 2 O(1))/step^2. */
static nnd_status add_second(run *r, size_t l, const double *v, double step, double factor) {
    nnd_status status = march_again(r, l, v, step);
    if (status != NND_OK)
        return status;
    memcpy(r->other, r->value, r->b->numbers * sizeof *r->other);
    status = march_again(r, l, v, -step);
    for (size_t k = 0; status == NND_OK && k < r->b->numbers; k++)
        r->sum[k] += factor * (r->other[k] + r->value[k] - 2.0 * r->base[k]) / (step * step);
    return status;
}

/* Random signs of layer l, less their part in its directions, which have length 1. */
static void draw_signs(run *r, size_t replicate, size_t l, size_t which) {
    const span *v = &r->layer[l];
    nnd_rng_key key = {r->b->p->seed, replicate, r->sites};
    uint32_t stream = NND_STREAM_DEEP_FLUCTUATIONS_THEORY_SIGNS + (uint32_t)l;
    nnd_rng_normals(key, stream, which, r->sites, r->direction);
    for (size_t i = 0; i < r->sites; i++)
        r->direction[i] = r->direction[i] < 0.0 ? -1.0 : 1.0;
    for (size_t k = 0; k < v->count; k++) {
        const double *row = v->row + k * r->sites;
        double along = cblas_ddot((int)r->sites, row, 1, r->direction, 1) / (double)r->sites;
        cblas_daxpy((int)r->sites, -along, row, 1, r->direction, 1);
    }
}

/* Layer l's part. A direction of length 1 in <> is sqrt(S) times one of length 1, so that S times
 * its second derivative is that along the latter. */
static nnd_status add_layer(run *r, size_t replicate, size_t l) {
    double half = 0.5 / r->b->p->problem.widths[l];
    for (size_t i = 0; i < r->sites; i++)
        r->direction[i] = 1.0;
    nnd_status status = add_second(r, l, r->direction, DIRECTION_STEP, -half);
    for (size_t k = 0; status == NND_OK && k < r->layer[l].count; k++)
        status = add_second(r, l, r->layer[l].row + k * r->sites, DIRECTION_STEP, half);
    for (size_t k = 0; status == NND_OK && k < SIGNS; k++) {
        draw_signs(r, replicate, l, k);
        status = add_second(r, l, r->direction, SIGN_STEP, half * (double)r->sites / SIGNS);
    }
    if (status == NND_OK)
        status = nnd_progress_step(r->ctx, (double)l + 1.0, (double)r->depth);
    return status;
}

/* ---- one replicate ---- */

static nnd_status find_directions(run *r, double *influence) {
    const nnd_timegrid *grid = r->b->p->grid;
    size_t stride = (grid->count + TIMES - 1) / TIMES, all = r->b->all;
    nnd_status status = NND_OK;
    for (size_t i = 0; i < grid->count; i += stride)
        for (size_t first = 0; status == NND_OK && first < all; first += BLOCK) {
            size_t n = all - first < BLOCK ? all - first : BLOCK;
            status =
                nnd_deep_influence(r->march, grid->step[i], n, r->b->observable + first, influence);
            for (size_t l = 0; status == NND_OK && l < r->depth; l++)
                status = join(r->ctx, &r->layer[l], n, influence + l * n * r->sites);
        }
    for (size_t l = 0; status == NND_OK && l < r->depth; l++)
        status = compress(r->ctx, &r->layer[l], true);
    return status;
}

static nnd_status make(run *r) {
    size_t numbers = r->b->numbers;
    r->layer = calloc(r->depth, sizeof *r->layer);
    r->weight = nnd_pages_new(r->depth * r->sites);
    r->direction = nnd_pages_new(r->sites);
    r->value = malloc(3 * numbers * sizeof *r->value);
    bool there = r->layer != NULL && r->weight != NULL && r->direction != NULL && r->value != NULL;
    for (size_t l = 0; there && l < r->depth; l++) {
        r->layer[l] = (span){r->sites, 0, nnd_pages_new(WAITING * r->sites)};
        there = r->layer[l].row != NULL;
    }
    if (!there)
        return nnd_fail_memory(r->ctx, "the bias");
    r->base = r->value + numbers;
    r->other = r->base + numbers;
    return NND_OK;
}

static void clear(run *r) {
    for (size_t l = 0; r->layer != NULL && l < r->depth; l++)
        free(r->layer[l].row);
    free(r->layer);
    free(r->weight);
    free(r->direction);
    free(r->value);
}

static nnd_status make_bias(nnd_context *ctx, nnd_deep_march *march, size_t replicate,
                            double *number, void *data) {
    const bias *b = data;
    size_t depth = b->p->problem.depth, sites = nnd_deep_sites(march), diverged;
    run r = {.b = b, .ctx = ctx, .march = march, .sites = sites, .depth = depth, .sum = number};
    double *influence = nnd_pages_new(depth * BLOCK * sites);
    nnd_status status = influence != NULL ? make(&r) : nnd_fail_memory(ctx, "the bias");
    if (status == NND_OK)
        status = nnd_deep_march_run(march, note, &r, &diverged);
    if (status == NND_OK)
        status = find_directions(&r, influence);
    if (status == NND_OK) {
        memcpy(r.base, r.value, b->numbers * sizeof *r.base);
        memset(number, 0, b->numbers * sizeof *number);
    }
    for (size_t l = 0; status == NND_OK && l < depth; l++)
        status = add_layer(&r, replicate, l);
    clear(&r);
    free(influence);
    return status == NND_DIVERGED ? nnd_fail(ctx, NND_E_UNSOLVED,
                                             "the march with fewer sites, "
                                             "for the bias, diverged")
                                  : status;
}

nnd_deep_replicates nnd_deep_bias_replicates(const nnd_deep_sampled *p, size_t all) {
    /* Influence functions, spans and weights of the layers; a direction; a span that is made. */
    double vectors = (double)p->problem.depth * (BLOCK + WAITING + 1) + 1 + EXACT;
    return (nnd_deep_replicates){
        .p = p,
        .sites = p->samples < SITES ? p->samples : SITES,
        .numbers = p->grid->count * all,
        .together = BLOCK,
        .vectors = vectors,
        .work = make_bias,
    };
}

nnd_status nnd_deep_bias_run(nnd_context *ctx, const nnd_deep_sampled *p, size_t all,
                             const nnd_deep_observable *observable, const nnd_deep_march *like,
                             double *result, double *se) {
    nnd_deep_replicates r = nnd_deep_bias_replicates(p, all);
    bias b = {p, all, r.numbers, observable};
    size_t rank[2] = {0, 0};
    r.data = &b;
    return nnd_deep_replicates_run(ctx, &r, like, result, se, rank);
}

double nnd_deep_bias_flops(const nnd_deep_sampled *p, double rank) {
    const nnd_deep_problem *q = &p->problem;
    double depth = (double)q->depth, marches = 2.0 * depth * (EXACT + SIGNS + 1);
    double sites = fmin((double)p->samples, SITES);
    double queries = 2.0 * (depth - 1.0) * (double)q->points * ((double)q->steps + 1.0);
    return 1.5 * (double)p->replicates * marches * sites * queries * 6.0 * rank;
}
