/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The second-moment matrix M of z = (scale h_1, .., scale h_points, w) obeys M+ = A M A^T with
 *     A = 1 + c (gram Delta in the column of w, Delta^T in the row of w).
 * Its initial fluctuation has independent directions of unit variance; along each, M is expanded to
 * second order: M = M_0 + eps M_1 + eps^2 M_2.
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "nndmft/solvers/linear_population.h"
#include "solvers/gram_factor.h"
#include "solvers/influence_impl.h"

enum { ORDERS = 3, GROUPS = 8 };

typedef struct {
    nnd_context *ctx;
    const nnd_units *p;
    size_t n, rank, directions; /* n: points + 1 */
    size_t steps, done;         /* asked for, sound */
    double c, slope2;           /* slope of phi, squared */
    double *factor;             /* n x n: of the initial mean of M, `rank` columns */
    double *path;               /* (steps + 1) n x n: M_0 */
    double *delta;              /* (steps + 1) x train */
    double *start;              /* column of w of M_0 at t = 0 */
    double *first;              /* directions x times x train: first derivatives of f */
} wishart;

/* M of one direction, its image under A from the left, and Delta, order by order. */
typedef struct {
    double c; /* of the step to come */
    double *m[ORDERS], *left[ORDERS], *delta[ORDERS], *push[ORDERS];
    double *start[ORDERS]; /* f gamma0 at t = 0 */
    double *data;
} expansion;

static nnd_status expansion_make(const wishart *w, expansion *e) {
    size_t square = w->n * w->n, each = 2 * square + 2 * w->n + w->n;
    *e = (expansion){.data = calloc(ORDERS * each, sizeof(double))};
    if (e->data == NULL)
        return nnd_fail_memory(w->ctx, "second moments");
    for (size_t k = 0; k < ORDERS; k++) {
        e->m[k] = e->data + k * each;
        e->left[k] = e->m[k] + square;
        e->delta[k] = e->left[k] + square;
        e->push[k] = e->delta[k] + w->n;
        e->start[k] = e->push[k] + w->n;
    }
    return NND_OK;
}

/* delta_k, and push_k = c gram delta_k, c delta_k alone being what moves w. */
static void find_push(const wishart *w, const expansion *e, size_t k) {
    const nnd_units *p = w->p;
    for (size_t mu = 0; mu < p->train; mu++) {
        double output = e->m[k][mu * w->n + p->points] - (p->center ? e->start[k][mu] : 0.0);
        e->delta[k][mu] = (k == 0 ? p->targets[mu] : 0.0) - output / p->gamma0;
    }
    for (size_t nu = 0; nu < p->points; nu++) {
        double sum = 0.0;
        for (size_t mu = 0; mu < p->train; mu++)
            sum += p->gram[nu * p->points + mu] * e->delta[k][mu];
        e->push[k][nu] = e->c * w->slope2 * sum;
    }
}

/* left_k = (A M)_k: order k of A M. */
static void from_left(const wishart *w, const expansion *e, size_t k) {
    size_t n = w->n, last = w->p->points;
    memcpy(e->left[k], e->m[k], n * n * sizeof(double));
    for (size_t j = 0; j <= k; j++) {
        const double *m = e->m[k - j];
        for (size_t nu = 0; nu < last; nu++)
            cblas_daxpy((int)n, e->push[j][nu], m + last * n, 1, e->left[k] + nu * n, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)w->p->train, (int)n, e->c, m, (int)n,
                    e->delta[j], 1, 1.0, e->left[k] + last * n, 1);
    }
}

/* m_k = (left A^T)_k. */
static void from_right(const wishart *w, const expansion *e, size_t k) {
    size_t n = w->n, last = w->p->points, train = w->p->train;
    memcpy(e->m[k], e->left[k], n * n * sizeof(double));
    for (size_t j = 0; j <= k; j++)
        for (size_t i = 0; i < n; i++) {
            const double *left = e->left[k - j] + i * n;
            double *row = e->m[k] + i * n;
            for (size_t nu = 0; nu < last; nu++)
                row[nu] += e->push[j][nu] * left[last];
            row[last] += e->c * cblas_ddot((int)train, e->delta[j], 1, left, 1);
        }
}

/* Orders from..ORDERS-1 take one step, the lower ones are known. */
static void advance(const wishart *w, const expansion *e, size_t from, size_t to) {
    for (size_t k = from; k < to; k++)
        find_push(w, e, k);
    for (size_t k = 0; k < to; k++)
        from_left(w, e, k);
    for (size_t k = to; k-- > from;)
        from_right(w, e, k);
}

static double rate(const wishart *w, size_t t) {
    return w->p->schedule != NULL ? w->c * nnd_rates_at(w->p->schedule, t) : w->c;
}

/* The column of w at t = 0, which outputs are centred with. */
static void keep_start(const wishart *w, const double *m, double *start) {
    for (size_t mu = 0; mu < w->p->points; mu++)
        start[mu] = m[mu * w->n + w->p->points];
}

/* The mean: order 0. Where it diverges the run ends before. */
static nnd_status follow_mean(wishart *w, size_t *diverged_at) {
    size_t n = w->n, train = w->p->train;
    expansion e;
    nnd_status status = expansion_make(w, &e);
    w->done = w->steps;
    if (status == NND_OK) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)w->rank, 1.0,
                    w->factor, (int)n, w->factor, (int)n, 0.0, e.m[0], (int)n);
        keep_start(w, e.m[0], e.start[0]);
        keep_start(w, e.m[0], w->start);
    }
    for (size_t t = 0; status == NND_OK && t <= w->steps; t++) {
        if (nnd_context_interrupted(w->ctx)) {
            status = nnd_fail(w->ctx, NND_E_INTERRUPTED, "interrupted at step %zu", t);
            break;
        }
        e.c = rate(w, t);
        find_push(w, &e, 0);
        memcpy(w->path + t * n * n, e.m[0], n * n * sizeof(double));
        memcpy(w->delta + t * train, e.delta[0], train * sizeof(double));
        double limit =
            nnd_divergence_limit(NND_DIVERGENCE_BOUND, nnd_half_mean_square(train, w->delta),
                                 nnd_half_mean_square(train, w->p->targets));
        if (nnd_has_diverged(limit, nnd_half_mean_square(train, e.delta[0]))) {
            *diverged_at = t;
            w->done = t > 0 ? t - 1 : 0;
            break;
        }
        advance(w, &e, 0, 1);
    }
    free(e.data);
    return status;
}

/* ---- one direction ---- */

/* Order k of observable o, as far as it is linear in M. */
static double observe(const wishart *w, const double *m, size_t o, const double *start) {
    const nnd_units *p = w->p;
    nnd_observable x = nnd_neuron_observable(p, o);
    size_t n = w->n, last = p->points;
    switch (x.kind) {
    case NND_OBSERVE_OUTPUT:
        return (m[x.mu * n + last] - (p->center ? start[x.mu] : 0.0)) / p->gamma0;
    case NND_OBSERVE_NTK:
        return m[x.mu * n + x.nu] +
               w->slope2 * p->gram[x.mu * p->points + x.nu] * m[last * n + last];
    case NND_OBSERVE_FEATURES:
        return m[x.mu * n + x.nu];
    case NND_OBSERVE_READOUT:
        return m[last * n + last];
    }
    return NAN;
}

/* The direction that pairs columns i and j of the factor (fluctuations.md#s2-2). */
static void set_direction(const wishart *w, size_t direction, double *m) {
    size_t i = 0, n = w->n;
    while (direction > i)
        direction -= ++i;
    const double *a = w->factor + i, *b = w->factor + direction;
    double strength = i == direction ? sqrt(0.5) : 1.0;
    for (size_t r = 0; r < n; r++)
        for (size_t s = 0; s < n; s++)
            m[r * n + s] = strength * (a[r * n] * b[s * n] + b[r * n] * a[s * n]);
}

/* Adds what one direction contributes at recorded time i. */
static void add_time(const wishart *w, const expansion *e, size_t direction, size_t i,
                     nnd_fluctuations *sum, double *first) {
    size_t k = sum->observables, train = sum->train, times = sum->times;
    for (size_t o = 0; o < k; o++) {
        first[o] = observe(w, e->m[1], o, e->start[1]);
        sum->nvar[i * k + o] += first[o] * first[o];
        if (sum->bias != NULL)
            sum->bias[i * k + o] += observe(w, e->m[2], o, e->start[2]);
    }
    for (size_t mu = 0; mu < train; mu++)
        cblas_daxpy((int)k, first[mu], first, 1, sum->ncov + (i * train + mu) * k, 1);
    if (w->first != NULL)
        memcpy(w->first + (direction * times + i) * train, first, train * sizeof(double));
}

static void follow_direction(const wishart *w, size_t direction, expansion *e,
                             nnd_fluctuations *sum, double *first) {
    const nnd_timegrid *grid = w->p->grid;
    size_t square = w->n * w->n, next = 0;
    set_direction(w, direction, e->m[1]);
    memset(e->m[2], 0, square * sizeof(double));
    for (size_t k = 0; k < ORDERS; k++)
        keep_start(w, k == 0 ? w->path : e->m[k], e->start[k]);
    /* The caller polls too, and knows what to say. */
    for (size_t t = 0; t <= w->done && !nnd_context_interrupted(w->ctx); t++) {
        if (next < grid->count && grid->step[next] == t)
            add_time(w, e, direction, next++, sum, first);
        memcpy(e->m[0], w->path + t * square, square * sizeof(double));
        e->c = rate(w, t);
        find_push(w, e, 0);
        advance(w, e, 1, ORDERS);
    }
}

static nnd_status follow_group(const wishart *w, size_t group, nnd_fluctuations *sum) {
    expansion e;
    double *first = calloc(sum->observables, sizeof *first);
    nnd_status status = expansion_make(w, &e);
    if (first == NULL)
        status = nnd_fail_memory(w->ctx, "second moments");
    for (size_t d = group; status == NND_OK && d < w->directions; d += GROUPS) {
        follow_direction(w, d, &e, sum, first);
        if (nnd_context_interrupted(w->ctx))
            status = nnd_fail(w->ctx, NND_E_INTERRUPTED, "interrupted at direction %zu", d);
    }
    free(first);
    free(e.data);
    return status;
}

typedef struct {
    const wishart *w;
    const nnd_fluctuations *like;
    nnd_fluctuations sum[GROUPS];
} group_work;

static nnd_status work_on_group(nnd_context *ctx, size_t group, void *data) {
    group_work *work = data;
    nnd_fluctuations *sum = &work->sum[group];
    wishart w = *work->w;
    w.ctx = ctx;
    nnd_status status = nnd_fluctuations_make(ctx, work->like->times, work->like->train,
                                              work->like->observables, w.p->bias, false, sum);
    for (size_t i = 0; i < sum->count; i++)
        sum->data[i] = 0.0;
    return status == NND_OK ? follow_group(&w, group, sum) : status;
}

/* All directions; the groups are added up in order. */
static nnd_status follow_all(const wishart *w, nnd_fluctuations *out) {
    group_work work = {.w = w, .like = out};
    const nnd_fluctuations *sum = work.sum;
    nnd_status status =
        nnd_parallel(w->ctx, nnd_context_threads(w->ctx), GROUPS, work_on_group, &work);
    for (size_t g = 0; status == NND_OK && g < GROUPS; g++)
        for (size_t i = 0; i < sum[g].count; i++)
            out->data[i] = g == 0 ? sum[g].data[i] : out->data[i] + sum[g].data[i];
    for (size_t g = 0; g < GROUPS; g++)
        nnd_fluctuations_clear(&work.sum[g]);
    return status;
}

/* ---- results ---- */

/* N Cov(f(t), f(s)) = sum over directions of products of first derivatives. */
static void fill_two_time(const wishart *w, nnd_fluctuations *out) {
    size_t train = out->train, times = out->times, n = times * train;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t at = (i / train * times + j / train) * train * train;
            out->two_time[at + i % train * train + j % train] =
                cblas_ddot((int)w->directions, w->first + i, (int)n, w->first + j, (int)n);
        }
}

/* Means, and NaN where there is nothing sound. */
static void finish(const wishart *w, nnd_fluctuations *out) {
    size_t k = out->observables, square = w->n * w->n;
    for (size_t i = 0; i < out->times; i++) {
        size_t t = w->p->grid->step[i];
        bool sound = t <= w->done;
        for (size_t o = 0; o < k; o++) {
            out->mean[i * k + o] = sound ? observe(w, w->path + t * square, o, w->start) : NAN;
            if (!sound)
                out->nvar[i * k + o] = NAN;
            if (!sound && out->bias != NULL)
                out->bias[i * k + o] = NAN;
            for (size_t mu = 0; mu < out->train && !sound; mu++)
                out->ncov[(i * out->train + mu) * k + o] = NAN;
        }
    }
    if (out->two_time != NULL)
        fill_two_time(w, out);
}

static size_t directions_of(size_t rank) {
    return rank * (rank + 1) / 2;
}

void nnd_wishart_cost(const nnd_units *p, double *bytes, double *flops) {
    double n = (double)p->points + 1.0, directions = 0.5 * n * (n + 1.0);
    double steps = (double)p->grid->step[p->grid->count - 1] + 1.0;
    double times = (double)p->grid->count, train = (double)p->train;
    double observables = train + (double)p->observables;
    *bytes = sizeof(double) * (steps * (n * n + train) + GROUPS * 9.0 * n * n +
                               (GROUPS + 1.0) * times * observables * (3.0 + train));
    if (p->two_time)
        *bytes += sizeof(double) * times * train * (directions + 3.0 * times * train);
    *flops = directions * (steps * 12.0 * n * (n + train) + times * observables * (4.0 + train));
}

/* The initial mean of M is diag(slope^2 gram, 1): each block is factored at its own scale. */
static nnd_status factor_start(wishart *w) {
    const nnd_units *p = w->p;
    size_t n = w->n, points = p->points, rank = 0;
    double slope = sqrt(w->slope2), *root = calloc(points * points, sizeof *root);
    nnd_status status = root != NULL ? nnd_gram_factor(w->ctx, points, p->gram, root, &rank)
                                     : nnd_fail_memory(w->ctx, "second moments");
    for (size_t i = 0; status == NND_OK && i < points; i++)
        for (size_t k = 0; k < rank; k++)
            w->factor[i * n + k] = slope * root[i * points + k];
    w->factor[points * n + rank] = 1.0;
    w->rank = rank + 1;
    w->directions = directions_of(w->rank);
    free(root);
    return status;
}

static nnd_status wishart_make(wishart *w) {
    const nnd_units *p = w->p;
    size_t n = w->n;
    w->factor = calloc(n * n, sizeof(double));
    w->path = malloc((w->steps + 1) * n * n * sizeof(double));
    w->delta = calloc((w->steps + 1) * p->train, sizeof(double));
    w->start = calloc(n, sizeof(double));
    if (w->factor == NULL || w->path == NULL || w->delta == NULL || w->start == NULL)
        return nnd_fail_memory(w->ctx, "second moments");
    nnd_status status = factor_start(w);
    if (status == NND_OK && p->two_time) {
        w->first = calloc(w->directions * p->grid->count * p->train, sizeof(double));
        if (w->first == NULL)
            status = nnd_fail_memory(w->ctx, "second moments");
    }
    return status;
}

static void wishart_clear(wishart *w) {
    free(w->factor);
    free(w->path);
    free(w->delta);
    free(w->start);
    free(w->first);
}

nnd_status nnd_wishart_run(nnd_context *ctx, const nnd_units *p, nnd_fluctuations *out) {
    wishart w = {
        .ctx = ctx,
        .p = p,
        .n = p->points + 1,
        .steps = p->grid->step[p->grid->count - 1],
        .c = p->lr * p->gamma0 / (double)p->train,
        .slope2 = p->activation->scale * p->activation->scale,
    };
    *out = (nnd_fluctuations){0};
    if (p->activation->name != NND_LINEAR)
        return nnd_fail(ctx, NND_E_INPUT, "the activation is not linear");
    double bytes, flops;
    nnd_wishart_cost(p, &bytes, &flops);
    nnd_status status = nnd_check_memory(ctx, bytes, "the fluctuations");
    if (status == NND_OK)
        status = wishart_make(&w);
    if (status == NND_OK)
        status = nnd_fluctuations_make(ctx, p->grid->count, p->train, p->train + p->observables,
                                       p->bias, p->two_time, out);
    if (status == NND_OK)
        status = follow_mean(&w, &out->diverged_at);
    if (status == NND_OK)
        status = follow_all(&w, out);
    if (status == NND_OK)
        finish(&w, out);
    wishart_clear(&w);
    if (status != NND_OK)
        nnd_fluctuations_clear(out);
    else if (out->diverged_at != SIZE_MAX)
        status = NND_DIVERGED;
    return status;
}
