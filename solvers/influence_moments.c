/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Second moments of influences and what they do to means (fluctuations.md#s1-2,
 * fluctuations.md#s1-3). The influence of a unit on Delta is V = -R (F - f), R = 1/(I + chi), on
 * another observable I = O - <O> + chi_O V.
 */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/influence_impl.h"

/* Eigenvectors of sigma below this, relative to the largest, are rounding. */
static const double NEGLIGIBLE = 1e-12;

/* What one group works with. */
typedef struct {
    const nnd_influence *run;
    nnd_neuron_tile units;
    double *influence;                          /* V: drives + train rows of units */
    double *deviation;                          /* O - <O>, then I: rows of units */
    double *gradient;                           /* one state */
    double *tangent;                            /* one state */
    double *nvar, *bias, *ncov, *sigma, *noise; /* sums of the group */
    double *data;
} worker;

/* Numbers that a group adds up. */
static size_t sums_length(const nnd_influence *run) {
    size_t rows = run->offset[run->map.steps + 1], n = run->drives + run->p->train;
    return rows * (2 + run->p->train) + (run->sigma != NULL ? n * n : 0) +
           (run->noise != NULL ? n * n : 0);
}

/* Where a group adds up what moments_of_group averages. */
static void assign_sums(worker *k, double *sums) {
    const nnd_influence *run = k->run;
    size_t rows = run->offset[run->map.steps + 1], n = run->drives + run->p->train;
    k->nvar = sums;
    k->bias = k->nvar + rows;
    k->ncov = k->bias + rows;
    double *next = k->ncov + rows * run->p->train;
    if (run->sigma != NULL) {
        k->sigma = next;
        next += n * n;
    }
    if (run->noise != NULL)
        k->noise = next;
}

static nnd_status worker_make(const nnd_influence *run, worker *k) {
    size_t rows = run->offset[run->map.steps + 1], n = run->drives + run->p->train;
    *k = (worker){.run = run};
    k->data = calloc((n + rows + 2 * run->map.state) * NND_TILE, sizeof(double));
    if (k->data == NULL)
        return nnd_fail_memory(run->ctx, "the influence of units");
    k->influence = k->data;
    k->deviation = k->influence + n * NND_TILE;
    k->gradient = k->deviation + rows * NND_TILE;
    k->tangent = k->gradient + run->map.state * NND_TILE;
    return nnd_neuron_tile_make(run->ctx, &run->map, &k->units);
}

static void worker_clear(worker *k) {
    nnd_neuron_tile_clear(&k->units);
    free(k->data);
}

/* O - <O> at all steps, and F - f, which becomes V. */
static void deviate(const worker *k) {
    const nnd_influence *run = k->run;
    size_t train = run->p->train;
    for (size_t t = 0; t <= run->map.steps; t++)
        for (size_t o = 0; o < nnd_influence_rows(run, t); o++) {
            size_t at = run->offset[t] + o;
            double *row = k->deviation + at * NND_TILE;
            nnd_neuron_value(&run->map, &k->units, t, o, row);
            for (size_t i = 0; i < NND_TILE; i++)
                row[i] -= run->mean[at];
            if (o < train)
                memcpy(k->influence + (t * train + o) * NND_TILE, row, NND_TILE * sizeof(double));
        }
}

/* sum (n x n, lower) += sum over units of weight x x^T, x being n rows that are spoilt. */
static void add_square(size_t n, double *x, const double *weight, double *sum) {
    for (size_t i = 0; i < n * NND_TILE; i++)
        x[i] *= sqrt(weight[i % NND_TILE]);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, NND_TILE, 1.0, x, NND_TILE, 1.0,
                sum, (int)n);
}

/* V = -R (F - f): forward substitution. */
static void influence(const worker *k) {
    int n = (int)(k->run->drives + k->run->p->train);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasUnit, n, NND_TILE, -1.0,
                k->run->solve, n, k->influence, NND_TILE);
}

/* I = O - <O> + chi_O V at the recorded steps, and its products with the influence on f. */
static void add_products(const worker *k) {
    const nnd_influence *run = k->run;
    size_t train = run->p->train;
    for (size_t t = 0; t <= run->map.steps; t++) {
        size_t rows = nnd_influence_rows(run, t), first = run->offset[t];
        double *own = k->deviation + first * NND_TILE;
        if (t > 0)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, NND_TILE,
                        (int)(t * train), 1.0, run->response + first * run->drives,
                        (int)run->drives, k->influence, NND_TILE, 1.0, own, NND_TILE);
        for (size_t o = 0; o < rows; o++) {
            double weighted[NND_TILE];
            for (size_t i = 0; i < NND_TILE; i++)
                weighted[i] = own[o * NND_TILE + i] * k->units.weight[i];
            k->nvar[first + o] += cblas_ddot(NND_TILE, weighted, 1, own + o * NND_TILE, 1);
            for (size_t mu = 0; mu < train; mu++)
                k->ncov[(first + o) * train + mu] +=
                    cblas_ddot(NND_TILE, weighted, 1, own + mu * NND_TILE, 1);
        }
    }
}

/* <DO[V]>: every unit is pushed along its own influence. */
static void add_own_effect(const worker *k) {
    const nnd_influence *run = k->run;
    const nnd_neuron_map *map = &run->map;
    size_t width = map->state * NND_TILE;
    memset(k->tangent, 0, width * sizeof(double));
    for (size_t t = 0; t <= map->steps; t++) {
        for (size_t o = 0; o < nnd_influence_rows(run, t); o++) {
            double sum = 0.0;
            nnd_neuron_gradient(map, &k->units, t, o, k->gradient);
            for (size_t i = 0; i < width; i++)
                sum += k->units.weight[i % NND_TILE] * k->gradient[i] * k->tangent[i];
            k->bias[run->offset[t] + o] += sum;
        }
        if (t < map->steps)
            nnd_neuron_tangent_along(map, &k->units, t, k->influence + t * map->p->train * NND_TILE,
                                     k->tangent);
    }
}

static void add_tile(const worker *k) {
    const nnd_influence *run = k->run;
    size_t n = run->drives + run->p->train;
    deviate(k);
    if (run->noise != NULL) {
        add_square(n, k->influence, k->units.weight, k->noise);
        deviate(k);
    }
    influence(k);
    add_products(k);
    if (run->p->bias)
        add_own_effect(k);
    if (run->sigma != NULL)
        add_square(n, k->influence, k->units.weight, k->sigma);
}

typedef nnd_status (*group_task)(const nnd_influence *run, size_t group, const void *data,
                                 double *sums);

/* A task for all groups, each with `length` sums of its own. */
typedef struct {
    const nnd_influence *run;
    group_task task;
    const void *data;
    size_t length;
    double *part;
} group_work;

static nnd_status work_on_group(nnd_context *ctx, size_t group, void *data) {
    const group_work *work = data;
    nnd_influence run = *work->run;
    run.ctx = ctx;
    return work->task(&run, group, work->data, work->part + group * work->length);
}

/* Runs a task for all groups and adds their sums up. */
static nnd_status for_groups(const nnd_influence *run, group_task task, const void *data,
                             size_t length, double *sum) {
    group_work work = {run, task, data, length, calloc(run->groups * length + 1, sizeof(double))};
    if (work.part == NULL)
        return nnd_fail_memory(run->ctx, "averages over units");
    nnd_status status =
        nnd_parallel(run->ctx, nnd_context_threads(run->ctx), run->groups, work_on_group, &work);
    nnd_influence_add_groups(run->groups, length, work.part, sum);
    free(work.part);
    return status;
}

static nnd_status moments_of_group(const nnd_influence *run, size_t group, const void *data,
                                   double *sums) {
    worker k;
    (void)data;
    nnd_status status = worker_make(run, &k);
    assign_sums(&k, sums);
    for (size_t tile = group; status == NND_OK && tile < run->tiles; tile += run->groups) {
        status = nnd_influence_follow(run, tile, &k.units);
        if (status == NND_OK)
            add_tile(&k);
    }
    worker_clear(&k);
    return status;
}

nnd_status nnd_influence_moments(nnd_influence *run) {
    size_t rows = run->offset[run->map.steps + 1], n = run->drives + run->p->train;
    size_t length = sums_length(run);
    double *sum = calloc(length, sizeof *sum);
    nnd_status status = sum != NULL ? for_groups(run, moments_of_group, NULL, length, sum)
                                    : nnd_fail_memory(run->ctx, "averages over units");
    if (status == NND_OK) {
        const double *next = sum;
        double *const part[] = {run->nvar, run->bias, run->ncov, run->sigma, run->noise};
        const size_t size[] = {rows, rows, rows * run->p->train, n * n, n * n};
        for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
            if (part[i] == NULL)
                continue;
            memcpy(part[i], next, size[i] * sizeof(double));
            next += size[i];
        }
    }
    free(sum);
    return status;
}

/* ---- second derivatives ---- */

/* Eigenvectors of sigma, each times the root of its eigenvalue: sigma = sum_k e_k e_k^T. */
typedef struct {
    size_t count;
    double *vector; /* count x drives, the last rows of `data` */
    double *data;
} modes;

/* The rows and columns of sigma that Delta can respond to, lower triangle. */
static double *driving_block(const nnd_influence *run) {
    size_t n = run->drives, ld = n + run->p->train;
    double *block = calloc(n * n + 1, sizeof *block);
    for (size_t i = 0; block != NULL && i < n; i++)
        memcpy(block + i * n, run->sigma + i * ld, n * sizeof *block);
    return block;
}

static nnd_status find_modes(const nnd_influence *run, modes *m) {
    lapack_int n = (lapack_int)run->drives;
    double *a = driving_block(run), *value = calloc(run->drives + 1, sizeof *value);
    nnd_status status =
        a != NULL && value != NULL ? NND_OK : nnd_fail_memory(run->ctx, "modes of the covariance");
    /* Row-major lower is column-major upper; eigenvectors come out as rows. */
    if (status == NND_OK && LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, a, n, value) != 0)
        status = nnd_fail(run->ctx, NND_E_INPUT, "the covariance has no eigenvalues");
    m->data = a;
    for (lapack_int j = n; status == NND_OK && j-- > 0;) {
        if (!(value[j] > NEGLIGIBLE * value[n - 1]))
            break;
        m->count++;
        cblas_dscal(n, sqrt(value[j]), a + (size_t)j * (size_t)n, 1);
    }
    if (status == NND_OK)
        m->vector = a + (run->drives - m->count) * run->drives;
    free(value);
    return status;
}

/* What one group works with: derivatives of all units along all modes. */
typedef struct {
    const nnd_influence *run;
    const modes *m;
    nnd_neuron_tile units;
    double *first, *second; /* one state per mode */
    double *pairs;          /* state x state rows: sum over modes of products of `first` */
    double *total;          /* one state: sum over modes of `second` */
    double *gradient;       /* one state */
    double *bias;           /* sums of the group */
    double *data;
} bender;

static nnd_status bender_make(const nnd_influence *run, const modes *m, double *bias, bender *k) {
    size_t width = run->map.state * NND_TILE;
    *k = (bender){.run = run, .m = m, .bias = bias};
    k->data = calloc((2 * m->count + run->map.state + 2) * width, sizeof(double));
    if (k->data == NULL)
        return nnd_fail_memory(run->ctx, "the modes of units");
    k->first = k->data;
    k->second = k->first + m->count * width;
    k->pairs = k->second + m->count * width;
    k->total = k->pairs + run->map.state * width;
    k->gradient = k->total + width;
    return nnd_neuron_tile_make(run->ctx, &run->map, &k->units);
}

static void bender_clear(bender *k) {
    nnd_neuron_tile_clear(&k->units);
    free(k->data);
}

/* Sums over modes at the present step. */
static void sum_modes(const bender *k) {
    size_t state = k->run->map.state, width = state * NND_TILE;
    memset(k->pairs, 0, (state + 1) * width * sizeof(double));
    for (size_t j = 0; j < k->m->count; j++) {
        const double *first = k->first + j * width, *second = k->second + j * width;
        for (size_t a = 0; a < state; a++)
            for (size_t b = 0; b <= a; b++) {
                double *restrict sum = k->pairs + (a * state + b) * NND_TILE;
                for (size_t i = 0; i < NND_TILE; i++)
                    sum[i] += first[a * NND_TILE + i] * first[b * NND_TILE + i];
            }
        for (size_t i = 0; i < width; i++)
            k->total[i] += second[i];
    }
}

/* (1/2) sum over modes of <D^2 O [e, e]> at step t. */
static void add_bends(const bender *k, size_t t) {
    const nnd_influence *run = k->run;
    double value[NND_TILE];
    sum_modes(k);
    for (size_t o = 0; o < nnd_influence_rows(run, t); o++) {
        nnd_neuron_bend(&run->map, &k->units, t, o, k->pairs, value);
        nnd_neuron_gradient(&run->map, &k->units, t, o, k->gradient);
        for (size_t i = 0; i < run->map.state * NND_TILE; i++)
            value[i % NND_TILE] += k->gradient[i] * k->total[i];
        k->bias[run->offset[t] + o] += 0.5 * cblas_ddot(NND_TILE, value, 1, k->units.weight, 1);
    }
}

static void bend_tile(const bender *k) {
    const nnd_neuron_map *map = &k->run->map;
    size_t width = map->state * NND_TILE;
    memset(k->first, 0, 2 * k->m->count * width * sizeof(double));
    for (size_t t = 0; t <= map->steps; t++) {
        if (t > 0)
            add_bends(k, t);
        for (size_t j = 0; t < map->steps && j < k->m->count; j++)
            nnd_neuron_second_tangent(map, &k->units, t,
                                      k->m->vector + j * k->run->drives + t * map->p->train,
                                      k->first + j * width, k->second + j * width);
    }
}

static nnd_status bend_group(const nnd_influence *run, size_t group, const void *data,
                             double *sums) {
    bender k;
    nnd_status status = bender_make(run, data, sums, &k);
    for (size_t tile = group; status == NND_OK && tile < run->tiles; tile += run->groups) {
        status = nnd_influence_follow(run, tile, &k.units);
        if (status == NND_OK)
            bend_tile(&k);
    }
    bender_clear(&k);
    return status;
}

nnd_status nnd_influence_curve(nnd_influence *run) {
    size_t rows = run->offset[run->map.steps + 1];
    modes m = {0};
    if (run->drives == 0)
        return NND_OK;
    double *part = calloc(rows + 1, sizeof *part);
    nnd_status status =
        part != NULL ? find_modes(run, &m) : nnd_fail_memory(run->ctx, "averages over units");
    if (status == NND_OK)
        status = for_groups(run, bend_group, &m, rows, part);
    if (status == NND_OK)
        cblas_daxpy((int)rows, 1.0, part, 1, run->bias, 1);
    free(m.data);
    free(part);
    return status;
}
