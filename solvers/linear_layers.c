/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/linear_layers.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "solvers/gram_factor.h"
#include "solvers/linear_layers_impl.h"

/* Directions are followed in batches, which are dealt out to this many groups. */
enum { GROUPS = 8, MOST_AT_ONCE = 64, LEAST_AT_ONCE = 4 };
/* A batch stays in the second-level cache: this many numbers. */
static const double CACHE = 131072.0;
/* Room for coordinates of a layer, at first. */
enum { FIRST_ROOM = 64 };
/* Random combinations of all directions that the run which leads looks out with. */
enum { SCOUTS = 8 };

/* A run: the path at infinite width, and what it took. */
typedef struct {
    nnd_context *ctx;
    const nnd_linear_layers *p;
    size_t steps, sound; /* asked for; that are sound, from 0 on */
    size_t rank;
    double *root;
    size_t *width; /* depth */
    nnd_fresh_list list;
    size_t at_once, batches;
    nnd_fluctuations *out;
} run;

/* ---- one path ---- */

static bool is_recorded(const nnd_timegrid *grid, size_t i, size_t t) {
    return i < grid->count && grid->step[i] == t;
}

/* Fields at step t, as far as they are needed. */
static nnd_status evaluate(nnd_layer_march *x, size_t t, bool recorded, bool last) {
    bool points = recorded && x->p->kernels;
    nnd_status status = nnd_layer_march_backward(x, t == 0);
    return status == NND_OK && (points || !last) ? nnd_layer_march_forward(x, points) : status;
}

static nnd_layer_march march_of(const run *r, nnd_context *ctx, nnd_fresh_list *list) {
    return (nnd_layer_march){
        .p = r->p,
        .ctx = ctx,
        .rank = r->rank,
        .root = r->root,
        .width = r->width,
        .list = list,
    };
}

/* ---- the path at infinite width ---- */

static void record_mean(run *r, const nnd_layer_march *x, nnd_layer_observer *o, size_t i) {
    nnd_layer_observe(x, o);
    memcpy(r->out->mean + i * o->observables, o->value.x, o->observables * sizeof(double));
}

static bool has_diverged(const nnd_layer_march *x, double *limit, size_t t) {
    size_t train = x->p->train;
    double loss = nnd_half_mean_square(train, x->delta.x);
    if (t == 0)
        *limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, loss,
                                      nnd_half_mean_square(train, x->p->targets));
    return nnd_has_diverged(*limit, loss);
}

static nnd_status lead(run *r, nnd_layer_march *x, nnd_layer_observer *o) {
    const nnd_timegrid *grid = r->p->grid;
    size_t next = 0;
    double limit = 0.0;
    nnd_status status = NND_OK;
    r->sound = r->steps + 1;
    for (size_t t = 0; status == NND_OK && !x->full && t <= r->steps; t++) {
        bool recorded = is_recorded(grid, next, t), last = t == r->steps;
        if (nnd_context_interrupted(r->ctx))
            return nnd_fail(r->ctx, NND_E_INTERRUPTED, "interrupted at step %zu", t);
        status = evaluate(x, t, recorded, last);
        if (status == NND_OK && !x->full && has_diverged(x, &limit, t)) {
            r->sound = t;
            r->out->diverged_at = t;
            break;
        }
        if (status == NND_OK && !x->full && recorded)
            record_mean(r, x, o, next++);
        if (status == NND_OK && !last)
            nnd_layer_march_descend(x, t);
    }
    return status;
}

/* One attempt with the room that there is. */
static nnd_status try_to_lead(run *r, bool *full) {
    nnd_layer_march x = march_of(r, r->ctx, &r->list);
    nnd_layer_observer o = {0};
    nnd_fresh_list_clear(&r->list);
    x.leads = true;
    x.jets.directions = SCOUTS;
    nnd_status status = nnd_check_memory(
        r->ctx, sizeof(double) * nnd_layer_march_numbers(r->p, r->width, SCOUTS), "the fields");
    if (status != NND_OK)
        return status;
    status = nnd_layer_march_make(&x);
    if (status == NND_OK)
        status = nnd_layer_observer_make(&x, &o);
    if (status == NND_OK)
        status = lead(r, &x, &o);
    *full = x.full;
    for (size_t l = 0; status == NND_OK && l < r->p->depth; l++)
        r->width[l] = x.full ? 2 * r->width[l] : x.used[l];
    nnd_layer_observer_clear(&o);
    nnd_layer_march_clear(&x);
    return status;
}

static nnd_status lead_all(run *r) {
    bool full = true;
    nnd_status status = NND_OK;
    for (size_t l = 0; l < r->p->depth; l++)
        r->width[l] = FIRST_ROOM + r->p->points;
    while (status == NND_OK && full)
        status = try_to_lead(r, &full);
    return status;
}

/* ---- directions ---- */

/* First derivatives of outputs of a batch: directions x times x train. */
static void keep_first(const nnd_layer_march *x, size_t times, size_t i, double *first) {
    size_t train = x->p->train;
    for (size_t d = 0; d < x->jets.directions; d++)
        memcpy(first + (d * times + i) * train, nnd_jet_part(x->f, NND_JET_FIRST + d),
               train * sizeof(double));
}

static nnd_status follow(const run *r, nnd_layer_march *x, nnd_layer_observer *o,
                         nnd_fluctuations *sum, double *first) {
    size_t next = 0;
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t < r->sound; t++) {
        bool recorded = is_recorded(r->p->grid, next, t), last = t == r->steps;
        if (nnd_context_interrupted(x->ctx))
            return nnd_fail(x->ctx, NND_E_INTERRUPTED, "interrupted at direction %zu", x->first);
        status = evaluate(x, t, recorded, last);
        if (status == NND_OK && recorded) {
            nnd_layer_observe(x, o);
            nnd_layer_accumulate(x, o, next, sum);
            if (first != NULL)
                keep_first(x, sum->times, next, first);
            next++;
        }
        if (status == NND_OK && !last)
            nnd_layer_march_descend(x, t);
    }
    return status;
}

/* N Cov(f(t), f(s)) += products of first derivatives, into the lower triangle. */
static void add_two_time(size_t directions, size_t n, const double *first, double *two_time) {
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)directions, 1.0, first, (int)n,
                1.0, two_time, (int)n);
}

static nnd_status follow_batch(const run *r, nnd_context *ctx, size_t batch,
                               nnd_fluctuations *sum) {
    nnd_fresh_list list = r->list;
    nnd_layer_march x = march_of(r, ctx, &list);
    nnd_layer_observer o = {0};
    size_t n = sum->times * sum->train, left = r->list.directions - batch * r->at_once;
    double *first = NULL;
    x.first = batch * r->at_once;
    x.jets = (nnd_jets){left < r->at_once ? left : r->at_once, r->p->bias};
    nnd_status status = nnd_layer_march_make(&x);
    if (status == NND_OK)
        status = nnd_layer_observer_make(&x, &o);
    if (status == NND_OK && r->p->two_time) {
        first = calloc(x.jets.directions * n, sizeof(double));
        if (first == NULL)
            status = nnd_fail_memory(ctx, "covariances between times");
    }
    if (status == NND_OK)
        status = follow(r, &x, &o, sum, first);
    if (status == NND_OK && first != NULL)
        add_two_time(x.jets.directions, n, first, sum->two_time);
    free(first);
    nnd_layer_observer_clear(&o);
    nnd_layer_march_clear(&x);
    return status;
}

typedef struct {
    const run *r;
    nnd_fluctuations sum[GROUPS];
} group_work;

static nnd_status work_on_group(nnd_context *ctx, size_t group, void *data) {
    group_work *work = data;
    const run *r = work->r;
    nnd_fluctuations *sum = &work->sum[group];
    nnd_status status = nnd_fluctuations_make(ctx, r->out->times, r->out->train,
                                              r->out->observables, r->p->bias, r->p->two_time, sum);
    for (size_t i = 0; i < sum->count; i++)
        sum->data[i] = 0.0;
    for (size_t batch = group; status == NND_OK && batch < r->batches; batch += GROUPS)
        status = follow_batch(r, ctx, batch, sum);
    return status;
}

/* x = sum of the groups' arrays of n numbers, in order; x may be one of them. */
static void add_groups(size_t n, double *const part[GROUPS], double *x) {
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t g = 0; g < GROUPS; g++)
            sum += part[g][i];
        x[i] = sum;
    }
}

/* From the lower triangle over (time, point) to times x times x train x train. */
static void unfold(const double *square, nnd_fluctuations *out) {
    size_t train = out->train, times = out->times, n = times * train;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t at = (i / train * times + j / train) * train * train;
            out->two_time[at + i % train * train + j % train] =
                i >= j ? square[i * n + j] : square[j * n + i];
        }
}

static void add_up(group_work *work) {
    nnd_fluctuations *out = work->r->out;
    size_t curve = out->times * out->observables, n = out->times * out->train;
    double *nvar[GROUPS], *ncov[GROUPS], *bias[GROUPS], *two_time[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        nvar[g] = work->sum[g].nvar;
        ncov[g] = work->sum[g].ncov;
        bias[g] = work->sum[g].bias;
        two_time[g] = work->sum[g].two_time;
    }
    add_groups(curve, nvar, out->nvar);
    add_groups(curve * out->train, ncov, out->ncov);
    if (out->bias != NULL)
        add_groups(curve, bias, out->bias);
    if (out->two_time != NULL) {
        add_groups(n * n, two_time, two_time[0]);
        unfold(two_time[0], out);
    }
}

/* Results after the run ceased to be sound are NaN, not 0. */
static void blank(const run *r, nnd_fluctuations *out) {
    for (size_t i = 0; i < out->times; i++) {
        size_t k = out->observables, train = out->train;
        if (r->p->grid->step[i] < r->sound)
            continue;
        for (size_t a = 0; a < k; a++) {
            out->mean[i * k + a] = out->nvar[i * k + a] = NAN;
            if (out->bias != NULL)
                out->bias[i * k + a] = NAN;
        }
        for (size_t a = 0; a < train * k; a++)
            out->ncov[i * train * k + a] = NAN;
        for (size_t j = 0; out->two_time != NULL && j < out->times; j++)
            for (size_t a = 0; a < train * train; a++) {
                out->two_time[(i * out->times + j) * train * train + a] = NAN;
                out->two_time[(j * out->times + i) * train * train + a] = NAN;
            }
    }
}

static size_t directions_at_once(const nnd_linear_layers *p, const size_t *width) {
    double n = floor(CACHE / nnd_layer_march_numbers(p, width, 0) * 2.0);
    return n < LEAST_AT_ONCE ? LEAST_AT_ONCE : n > MOST_AT_ONCE ? MOST_AT_ONCE : (size_t)n;
}

/* Bytes of a march of `numbers` numbers for each thread, and of all sums. */
static double bytes_of(const nnd_linear_layers *p, double numbers, size_t at_once, int threads) {
    double times = (double)p->grid->count;
    double held = numbers + (double)at_once * (p->two_time ? times * (double)p->train : 0.0);
    double sums = nnd_fluctuations_bytes(p->grid->count, p->train, nnd_linear_layers_observables(p),
                                         p->bias, p->two_time);
    return sizeof(double) * held * fmin((double)threads, GROUPS) + (GROUPS + 1.0) * sums;
}

static nnd_status follow_all(run *r) {
    group_work work = {.r = r};
    r->at_once = directions_at_once(r->p, r->width);
    r->batches = (r->list.directions + r->at_once - 1) / r->at_once;
    double numbers = nnd_layer_march_numbers(r->p, r->width, r->at_once);
    nnd_status status =
        nnd_check_memory(r->ctx, bytes_of(r->p, numbers, r->at_once, nnd_context_threads(r->ctx)),
                         "the fluctuations");
    if (status == NND_OK)
        status = nnd_parallel(r->ctx, nnd_context_threads(r->ctx), GROUPS, work_on_group, &work);
    if (status == NND_OK)
        add_up(&work);
    for (size_t g = 0; g < GROUPS; g++)
        nnd_fluctuations_clear(&work.sum[g]);
    return status;
}

/* ---- from outside ---- */

static nnd_status run_make(run *r) {
    const nnd_linear_layers *p = r->p;
    r->root = calloc(p->points * p->points, sizeof(double));
    r->width = calloc(p->depth, sizeof *r->width);
    if (r->root == NULL || r->width == NULL)
        return nnd_fail_memory(r->ctx, "linear layers");
    return nnd_gram_factor(r->ctx, p->points, p->gram, r->root, &r->rank);
}

nnd_status nnd_linear_layers_run(nnd_context *ctx, const nnd_linear_layers *p,
                                 nnd_fluctuations *out, nnd_linear_layers_report *report) {
    run r = {.ctx = ctx, .p = p, .steps = p->grid->step[p->grid->count - 1], .out = out};
    *report = (nnd_linear_layers_report){0};
    nnd_status status = nnd_fluctuations_make(
        ctx, p->grid->count, p->train, nnd_linear_layers_observables(p), p->bias, p->two_time, out);
    if (status == NND_OK)
        status = run_make(&r);
    if (status == NND_OK)
        status = lead_all(&r);
    if (status == NND_OK)
        status = follow_all(&r);
    if (status == NND_OK) {
        blank(&r, out);
        report->directions = r.list.directions;
        for (size_t l = 0; l < p->depth; l++)
            report->largest_rank =
                r.width[l] > report->largest_rank ? r.width[l] : report->largest_rank;
    }
    nnd_fresh_list_clear(&r.list);
    free(r.root);
    free(r.width);
    if (status != NND_OK)
        nnd_fluctuations_clear(out);
    else if (out->diverged_at != SIZE_MAX)
        status = NND_DIVERGED;
    return status;
}

/* About what the fields of a layer span, in layers of n coordinates: measured at a tolerance of
 * 1e-4, and no more than what every step can add. */
void nnd_linear_layers_cost(const nnd_linear_layers *p, int threads, double *bytes, double *flops) {
    double points = (double)p->points, depth = (double)p->depth, between = depth - 1.0;
    double steps = (double)p->grid->step[p->grid->count - 1] + 1.0;
    double n = fmin(points * (1.0 + 1.5 * between) + 6.0 * between, points + 4.0 * steps) + 1.0;
    double numbers = depth * n * (points + 4.0) + points * n + between * n * n;
    double directions = depth * n * n / 4.0 + 2.0 * n, rows = p->kernels ? points + 1.0 : 1.0;
    /* Measured: three products of a direction take the time of about ten large ones. */
    double each = 10.0 * 2.0 * (between * n * n * (rows + 2.0) + n * points * 3.0);
    size_t at_once = p->depth > 1 ? LEAST_AT_ONCE + MOST_AT_ONCE / 2 : MOST_AT_ONCE;
    *bytes = bytes_of(p, numbers * (2.0 + (double)at_once), at_once, threads);
    *flops = directions * steps * each;
}
