/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mean responses chi = <dO(t)/dDelta_nu(s)> (fluctuations.md#s1-2). Time is cut into blocks. Within
 * a block the tangents of its impulses take one step at a time; tangents of earlier impulses are
 * carried over a whole block at once by the fundamental matrix Y of each unit, and meet the
 * gradients of the block, pulled back to its start by Y, in one matrix product over units and
 * states. No inverse occurs, so the conditioning of Y does not matter.
 */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "solvers/block_products.h"
#include "solvers/influence_impl.h"

enum { BLOCK = 16 };

/* What one group works with. */
typedef struct {
    const nnd_influence *run;
    nnd_neuron_tile units;
    size_t width;        /* state rows of a tile, in numbers */
    double *tangent;     /* one state per impulse */
    double *fundamental; /* one state per state row: columns of Y */
    double *gradient;    /* one state per observable: weighted gradients at a step */
    double *pulled;      /* one state per observable and step of a block: gradients times Y */
    double *mean, *chi;  /* sums of the group */
    double *data;
} worker;

static size_t worker_length(const nnd_influence *run) {
    const nnd_neuron_map *map = &run->map;
    size_t states = run->drives + map->state + (BLOCK + 1) * map->observables + 1;
    return states * map->state * NND_TILE;
}

static nnd_status worker_make(const nnd_influence *run, double *mean, double *chi, worker *k) {
    const nnd_neuron_map *map = &run->map;
    *k = (worker){.run = run, .width = map->state * NND_TILE, .mean = mean, .chi = chi};
    k->data = nnd_pages_new(worker_length(run));
    if (k->data == NULL)
        return nnd_fail_memory(run->ctx, "the responses of units");
    k->tangent = k->data;
    k->fundamental = k->tangent + run->drives * k->width;
    k->gradient = k->fundamental + map->state * k->width;
    k->pulled = k->gradient + map->observables * k->width;
    return nnd_neuron_tile_make(run->ctx, map, &k->units);
}

static void worker_clear(worker *k) {
    nnd_neuron_tile_clear(&k->units);
    free(k->data);
}

static void set_identity(const worker *k) {
    size_t state = k->run->map.state;
    memset(k->fundamental, 0, state * k->width * sizeof(double));
    for (size_t j = 0; j < state; j++)
        for (size_t i = 0; i < NND_TILE; i++)
            k->fundamental[j * k->width + j * NND_TILE + i] = 1.0;
}

/* Means and weighted gradients of the observables of step t. */
static void observe(const worker *k, size_t t) {
    const nnd_influence *run = k->run;
    double value[NND_TILE];
    for (size_t o = 0; o < nnd_influence_rows(run, t); o++) {
        double *gradient = k->gradient + o * k->width;
        nnd_neuron_value(&run->map, &k->units, t, o, value);
        k->mean[run->offset[t] + o] += cblas_ddot(NND_TILE, value, 1, k->units.weight, 1);
        nnd_neuron_gradient(&run->map, &k->units, t, o, gradient);
        for (size_t j = 0; j < k->width; j++)
            gradient[j] *= k->units.weight[j % NND_TILE];
    }
}

/* chi[row..][column..] += rows x columns products of states. */
static void meet(const worker *k, size_t row, size_t rows, const double *gradients, size_t column,
                 size_t columns) {
    size_t drives = k->run->drives;
    nnd_block_add_inner(rows, gradients, columns, k->tangent + column * k->width, k->width, 1.0,
                        k->chi + row * drives + column, drives);
}

/* out_j = sum_i x_i Y_ij: a gradient as a function of the state at the start of the block. */
static void pull_back(const worker *k, const double *x, double *restrict out) {
    size_t state = k->run->map.state;
    for (size_t j = 0; j < state; j++) {
        const double *column = k->fundamental + j * k->width;
        double sum[NND_TILE] = {0.0};
        for (size_t i = 0; i < k->width; i += NND_TILE)
            for (size_t u = 0; u < NND_TILE; u++)
                sum[u] += x[i + u] * column[i + u];
        memcpy(out + j * NND_TILE, sum, sizeof sum);
    }
}

/* x = Y x. */
static void carry(const worker *k, double *restrict x, double *restrict scratch) {
    size_t state = k->run->map.state;
    memset(scratch, 0, k->width * sizeof(double));
    for (size_t j = 0; j < state; j++) {
        const double *column = k->fundamental + j * k->width;
        for (size_t i = 0; i < k->width; i += NND_TILE)
            for (size_t u = 0; u < NND_TILE; u++)
                scratch[i + u] += column[i + u] * x[j * NND_TILE + u];
    }
    memcpy(x, scratch, k->width * sizeof(double));
}

/* From step t to t + 1, with new impulses at t. */
static void advance(const worker *k, size_t first, size_t t) {
    const nnd_neuron_map *map = &k->run->map;
    size_t train = map->p->train;
    for (size_t i = first * train; i < t * train; i++)
        nnd_neuron_tangent(map, &k->units, t, k->tangent + i * k->width);
    for (size_t nu = 0; nu < train; nu++)
        nnd_neuron_impulse(map, &k->units, t, nu, k->tangent + (t * train + nu) * k->width);
    for (size_t j = 0; j < map->state; j++)
        nnd_neuron_tangent(map, &k->units, t, k->fundamental + j * k->width);
}

static void respond_block(const worker *k, size_t first, size_t end) {
    const nnd_influence *run = k->run;
    size_t train = run->p->train, steps = run->map.steps, pulled = 0;
    set_identity(k);
    for (size_t t = first; t < end; t++) {
        size_t rows = nnd_influence_rows(run, t);
        observe(k, t);
        meet(k, run->offset[t], rows, k->gradient, first * train, (t - first) * train);
        for (size_t o = 0; o < rows && first > 0; o++)
            pull_back(k, k->gradient + o * k->width, k->pulled + pulled++ * k->width);
        if (t < steps)
            advance(k, first, t);
    }
    meet(k, run->offset[first], pulled, k->pulled, 0, first * train);
    for (size_t i = 0; i < first * train && end <= steps; i++)
        carry(k, k->tangent + i * k->width, k->gradient);
}

static nnd_status respond_group(const nnd_influence *run, size_t group, double *mean, double *chi) {
    worker k;
    nnd_status status = worker_make(run, mean, chi, &k);
    for (size_t tile = group; status == NND_OK && tile < run->tiles; tile += run->groups) {
        status = nnd_influence_follow(run, tile, &k.units);
        for (size_t first = 0; status == NND_OK && first <= run->map.steps; first += BLOCK) {
            size_t end = first + BLOCK;
            respond_block(&k, first, end < run->map.steps + 1 ? end : run->map.steps + 1);
        }
    }
    worker_clear(&k);
    return status;
}

typedef struct {
    const nnd_influence *run;
    size_t rows;
    double *mean, *response; /* of each group */
} group_work;

static nnd_status work_on_group(nnd_context *ctx, size_t group, void *data) {
    const group_work *work = data;
    nnd_influence run = *work->run;
    run.ctx = ctx;
    double *mean = work->mean + group * work->rows;
    double *response = work->response + group * work->rows * run.drives;
    return nnd_activation_has_kink(run.p->activation)
               ? nnd_influence_difference(&run, group, mean, response)
               : respond_group(&run, group, mean, response);
}

nnd_status nnd_influence_respond(nnd_influence *run) {
    size_t rows = run->offset[run->map.steps + 1], size = rows * (run->drives + 1);
    double *part = nnd_pages_new(run->groups * size);
    if (part == NULL)
        return nnd_fail_memory(run->ctx, "the responses");
    memset(part, 0, run->groups * size * sizeof *part);
    group_work work = {run, rows, part, part + run->groups * rows};
    nnd_status status =
        nnd_parallel(run->ctx, nnd_context_threads(run->ctx), run->groups, work_on_group, &work);
    nnd_influence_add_groups(run->groups, rows, work.mean, run->mean);
    nnd_influence_add_groups(run->groups, rows * run->drives, work.response, run->response);
    free(part);
    return status;
}
