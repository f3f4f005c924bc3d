/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/influence.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "solvers/gram_factor.h"
#include "solvers/influence_impl.h"

/* Sums of groups may take this many bytes before there are fewer groups. */
static const double GROUP_BYTES = 5e8;
enum { MOST_GROUPS = 16, FEWEST_GROUPS = 2 };
/* Rows of units in a step from which on threads pay. */
enum { WORTHWHILE = 128 };

/* ---- results ---- */

static size_t result_numbers(size_t times, size_t train, size_t observables, bool bias,
                             bool two_time) {
    size_t square = times * times * train * train;
    return times * observables * (2 + bias + train) + (two_time ? 3 * square : 0);
}

double nnd_fluctuations_bytes(size_t times, size_t train, size_t observables, bool bias,
                              bool two_time) {
    return (double)result_numbers(times, train, observables, bias, two_time) * sizeof(double);
}

nnd_status nnd_fluctuations_make(nnd_context *ctx, size_t times, size_t train, size_t observables,
                                 bool bias, bool two_time, nnd_fluctuations *out) {
    size_t curve = times * observables, square = times * times * train * train;
    *out = (nnd_fluctuations){
        .times = times,
        .train = train,
        .observables = observables,
        .count = result_numbers(times, train, observables, bias, two_time),
        .diverged_at = SIZE_MAX,
    };
    out->data = malloc((out->count + 1) * sizeof(double));
    if (out->data == NULL)
        return nnd_fail_memory(ctx, "the fluctuations");
    for (size_t i = 0; i < out->count; i++)
        out->data[i] = NAN;
    out->mean = out->data;
    out->nvar = out->mean + curve;
    out->ncov = out->nvar + curve;
    double *next = out->ncov + curve * train;
    if (bias) {
        out->bias = next;
        next += curve;
    }
    if (two_time) {
        out->two_time = next;
        out->noise = next + square;
        out->response = next + 2 * square;
    }
    return NND_OK;
}

void nnd_fluctuations_clear(nnd_fluctuations *out) {
    free(out->data);
    *out = (nnd_fluctuations){0};
}

/* ---- a run ---- */

nnd_status nnd_influence_dims(nnd_context *ctx, const nnd_units *p, size_t *dims) {
    size_t rank;
    nnd_status status = nnd_gram_factor(ctx, p->points, p->gram, NULL, &rank);
    *dims = rank + 1;
    return status;
}

/* States of all units at t = 0, tile by tile; where a tile is not full its first unit is repeated
 * without weight. */
static nnd_status place_units(nnd_influence *run, const nnd_nodes *nodes) {
    const nnd_units *p = run->p;
    size_t state = run->map.state, rank = 0;
    double *factor = calloc(p->points * p->points, sizeof *factor);
    nnd_status status = factor != NULL
                            ? nnd_gram_factor(run->ctx, p->points, p->gram, factor, &rank)
                            : nnd_fail_memory(run->ctx, "the Gram matrix");
    if (status == NND_OK && nodes->dims != rank + 1)
        status = nnd_fail(run->ctx, NND_E_INPUT, "nodes in %zu dimensions; wanted: %zu",
                          nodes->dims, rank + 1);
    for (size_t i = 0; status == NND_OK && i < run->tiles * NND_TILE; i++) {
        bool there = i < nodes->count;
        size_t node = there ? i : i / NND_TILE * NND_TILE, lane = i % NND_TILE;
        double *to = run->initial + i / NND_TILE * state * NND_TILE;
        run->weight[i] = there ? nodes->weight[i] : 0.0;
        for (size_t mu = 0; mu < p->points; mu++) {
            double h = 0.0;
            for (size_t k = 0; k < rank; k++)
                h += factor[mu * p->points + k] * nodes->x[k * nodes->count + node];
            to[mu * NND_TILE + lane] = h;
        }
        to[p->points * NND_TILE + lane] = nodes->x[rank * nodes->count + node];
    }
    free(factor);
    return status;
}

/* ---- the mean path: all units in lock-step ---- */

typedef struct {
    double *state, *phi, *dphi; /* of all tiles */
    double *part;               /* tiles x train: weighted outputs */
} front;

static nnd_status front_make(const nnd_influence *run, front *f) {
    size_t units = run->tiles * NND_TILE, train = run->p->train;
    *f = (front){
        .state = malloc(units * run->map.state * sizeof(double)),
        .phi = malloc(units * train * sizeof(double)),
        .dphi = malloc(units * train * sizeof(double)),
        .part = malloc(run->tiles * train * sizeof(double)),
    };
    if (f->state == NULL || f->phi == NULL || f->dphi == NULL || f->part == NULL)
        return nnd_fail_memory(run->ctx, "the mean path");
    memcpy(f->state, run->initial, units * run->map.state * sizeof(double));
    return NND_OK;
}

static void front_clear(front *f) {
    free(f->state);
    free(f->phi);
    free(f->dphi);
    free(f->part);
}

/* Takes a tile to step t and sums its outputs. */
static void advance_tile(const nnd_influence *run, const front *f, size_t tile, size_t t) {
    const nnd_units *p = run->p;
    size_t rows = p->train * NND_TILE;
    double *z = f->state + tile * run->map.state * NND_TILE;
    double *phi = f->phi + tile * rows, *dphi = f->dphi + tile * rows;
    const double *w = z + p->points * NND_TILE;
    if (t > 0)
        nnd_neuron_step(&run->map, t - 1, run->delta + (t - 1) * p->train, phi, dphi, z);
    nnd_activation_apply(p->activation, rows, z, phi, dphi, NULL, NULL);
    for (size_t mu = 0; mu < p->train; mu++) {
        double sum = 0.0;
        for (size_t i = 0; i < NND_TILE; i++)
            sum += run->weight[tile * NND_TILE + i] * w[i] * phi[mu * NND_TILE + i];
        f->part[tile * p->train + mu] = sum / p->gamma0;
    }
}

/* Sets f and Delta at step t; false if they have diverged. */
static bool close_step(nnd_influence *run, const front *f, double *start, size_t t) {
    const nnd_units *p = run->p;
    double *delta = run->delta + t * p->train;
    for (size_t mu = 0; mu < p->train; mu++) {
        double sum = 0.0;
        for (size_t tile = 0; tile < run->tiles; tile++)
            sum += f->part[tile * p->train + mu];
        if (t == 0)
            start[mu] = sum;
        double output = p->center ? sum - start[mu] : sum;
        run->output[t * p->train + mu] = output;
        delta[mu] = p->targets[mu] - output;
    }
    double limit =
        nnd_divergence_limit(NND_DIVERGENCE_BOUND, nnd_half_mean_square(p->train, run->delta),
                             nnd_half_mean_square(p->train, p->targets));
    return !nnd_has_diverged(limit, nnd_half_mean_square(p->train, delta));
}

/* Where the path diverges the run ends before. */
static nnd_status follow_mean(nnd_influence *run, size_t *diverged_at) {
    front f;
    nnd_status status = front_make(run, &f);
    double *start = calloc(run->p->train, sizeof *start);
    if (start == NULL)
        status = nnd_fail_memory(run->ctx, "the mean path");
    for (size_t t = 0; status == NND_OK && t <= run->map.steps; t++) {
#pragma omp parallel for schedule(static)                                                          \
    num_threads(nnd_context_threads(run->ctx)) if (run->tiles * run->p->train >= WORTHWHILE)
        for (size_t tile = 0; tile < run->tiles; tile++)
            advance_tile(run, &f, tile, t);
        if (close_step(run, &f, start, t))
            continue;
        *diverged_at = t;
        run->map.steps = t > 0 ? t - 1 : 0;
    }
    free(start);
    front_clear(&f);
    return status;
}

/* ---- set-up ---- */

static size_t observables_of(const nnd_units *p) {
    return p->train + p->observables;
}

static size_t steps_of(const nnd_units *p) {
    return p->grid->step[p->grid->count - 1];
}

/* First row of each step. */
static void number_rows(nnd_influence *run) {
    const nnd_units *p = run->p;
    size_t next = 0;
    for (size_t t = 0; t <= run->map.steps; t++) {
        bool recorded = next < p->grid->count && p->grid->step[next] == t;
        next += recorded;
        run->offset[t + 1] = run->offset[t] + (recorded ? observables_of(p) : p->train);
    }
}

static double rows_of(const nnd_units *p) {
    return (double)((steps_of(p) + 1) * p->train + p->grid->count * p->observables);
}

/* Numbers that all groups together add up, at most, if there are `groups`. */
static double group_numbers(const nnd_units *p) {
    double drives = (double)(steps_of(p) * p->train), n = drives + (double)p->train;
    double squares = (p->bias || p->two_time) + p->two_time;
    return fmax(rows_of(p) * (drives + 1.0),
                rows_of(p) * (2.0 + (double)p->train) + squares * n * n);
}

static size_t groups_of(const nnd_units *p) {
    size_t groups = MOST_GROUPS;
    while (groups > FEWEST_GROUPS &&
           (double)groups * group_numbers(p) * sizeof(double) > GROUP_BYTES)
        groups /= 2;
    return groups;
}

void nnd_influence_cost(const nnd_units *p, double nodes, int threads, double *bytes,
                        double *flops) {
    double train = (double)p->train, points = (double)p->points, state = points + 1.0;
    double times = (double)steps_of(p) + 1.0, drives = (times - 1.0) * train, rows = rows_of(p);
    double n = drives + train, squares = 1.0 + 2.0 * ((p->bias || p->two_time) + p->two_time);
    double units = ceil(nodes / NND_TILE) * NND_TILE;
    double tile =
        NND_TILE *
        (times * (state + 4.0 * points + 2.0 * train) +
         fmax((drives + state + 17.0 * (train + (double)p->observables)) * state, n + rows));
    double groups = (double)groups_of(p);
    *bytes = sizeof(double) *
             (units * (2.0 * state + 2.0 * train + 1.0) + rows * (drives + 6.0) + squares * n * n +
              groups * group_numbers(p) + fmin(groups, threads) * tile);
    /* Responses, the two triangular solves and products, and the second tangents of some modes. */
    double modes = p->bias ? fmin(drives, 20.0 * train) : 0.0;
    double responses = rows * drives * state;
    /* Differences: each impulse is followed twice, and twice again to one side. */
    if (nnd_activation_has_kink(p->activation))
        responses = 2.0 * drives * times *
                    (4.0 * train * points + 40.0 * points + 10.0 * (double)observables_of(p));
    *flops = units * (responses + 2.0 * n * n + rows * drives +
                      modes * times * (4.0 * train * points + 30.0 * (double)p->observables));
}

static nnd_status run_make(nnd_influence *run, const nnd_nodes *nodes) {
    const nnd_units *p = run->p;
    size_t steps = run->map.steps, units = run->tiles * NND_TILE;
    run->initial = malloc(units * run->map.state * sizeof(double));
    run->weight = calloc(units, sizeof(double));
    run->delta = calloc((steps + 1) * p->train, sizeof(double));
    run->output = calloc((steps + 1) * p->train, sizeof(double));
    run->offset = calloc(steps + 2, sizeof(size_t));
    run->map.delta = run->delta;
    if (run->initial == NULL || run->weight == NULL || run->delta == NULL || run->output == NULL ||
        run->offset == NULL)
        return nnd_fail_memory(run->ctx, "the population");
    return place_units(run, nodes);
}

/* What depends on how far the mean path goes. */
static nnd_status reserve_averages(nnd_influence *run) {
    const nnd_units *p = run->p;
    number_rows(run);
    run->drives = run->map.steps * p->train;
    size_t rows = run->offset[run->map.steps + 1], n = run->drives + p->train;
    run->mean = calloc(rows, sizeof(double));
    run->nvar = calloc(rows, sizeof(double));
    run->bias = calloc(rows, sizeof(double));
    run->ncov = calloc(rows * p->train, sizeof(double));
    run->response = calloc(rows * run->drives + 1, sizeof(double));
    run->solve = calloc(n * n, sizeof(double));
    run->sigma = p->bias || p->two_time ? calloc(n * n, sizeof(double)) : NULL;
    run->noise = p->two_time ? calloc(n * n, sizeof(double)) : NULL;
    bool done = run->mean != NULL && run->nvar != NULL && run->bias != NULL && run->ncov != NULL &&
                run->response != NULL && run->solve != NULL &&
                (run->sigma != NULL || !(p->bias || p->two_time)) &&
                (run->noise != NULL || !p->two_time);
    return done ? NND_OK : nnd_fail_memory(run->ctx, "the fluctuations");
}

static void run_clear(nnd_influence *run) {
    free(run->initial);
    free(run->weight);
    free(run->delta);
    free(run->output);
    free(run->offset);
    free(run->mean);
    free(run->nvar);
    free(run->bias);
    free(run->ncov);
    free(run->response);
    free(run->solve);
    free(run->sigma);
    free(run->noise);
}

/* I + chi of the outputs, block strictly lower triangular but for the unit diagonal. */
static void make_solve(nnd_influence *run) {
    size_t train = run->p->train, n = run->drives + train;
    for (size_t i = 0; i < n; i++) {
        size_t t = i / train, row = run->offset[t] + i % train;
        memcpy(run->solve + i * n, run->response + row * run->drives, t * train * sizeof(double));
        run->solve[i * n + i] = 1.0;
    }
}

/* b_Delta = -R B, then b_O = B_O + chi_O b_Delta for all rows. */
static nnd_status finish_bias(nnd_influence *run) {
    size_t train = run->p->train, n = run->drives + train;
    size_t rows = run->offset[run->map.steps + 1];
    double *shift = calloc(n, sizeof *shift);
    if (shift == NULL)
        return nnd_fail_memory(run->ctx, "the bias");
    for (size_t i = 0; i < n; i++)
        shift[i] = -run->bias[run->offset[i / train] + i % train];
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasUnit, (int)n, run->solve, (int)n,
                shift, 1);
    if (run->drives > 0)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)run->drives, 1.0, run->response,
                    (int)run->drives, shift, 1, 1.0, run->bias, 1);
    free(shift);
    return NND_OK;
}

/* ---- from rows to results ---- */

/* Entries (t, s, mu, nu) of a square matrix given by its lower triangle; `symmetric` or not. */
static void copy_square(const nnd_influence *run, const double *from, size_t ld, bool symmetric,
                        size_t times, double *to) {
    size_t train = run->p->train, count = run->p->grid->count;
    const size_t *step = run->p->grid->step;
    for (size_t i = 0; i < times; i++)
        for (size_t j = 0; j < times; j++)
            for (size_t mu = 0; mu < train; mu++)
                for (size_t nu = 0; nu < train; nu++) {
                    size_t row = step[i] * train + mu, column = step[j] * train + nu;
                    bool swap = symmetric && column > row, zero = !symmetric && step[j] >= step[i];
                    to[((i * count + j) * train + mu) * train + nu] = zero ? 0.0
                                                                      : swap
                                                                          ? from[column * ld + row]
                                                                          : from[row * ld + column];
                }
}

static void fill(const nnd_influence *run, nnd_fluctuations *out) {
    const nnd_units *p = run->p;
    size_t k = out->observables, times = 0, n = run->drives + p->train;
    for (; times < p->grid->count && p->grid->step[times] <= run->map.steps; times++) {
        size_t row = run->offset[p->grid->step[times]];
        memcpy(out->mean + times * k, run->mean + row, k * sizeof(double));
        memcpy(out->nvar + times * k, run->nvar + row, k * sizeof(double));
        if (out->bias != NULL)
            memcpy(out->bias + times * k, run->bias + row, k * sizeof(double));
        for (size_t mu = 0; mu < p->train; mu++)
            for (size_t o = 0; o < k; o++)
                out->ncov[(times * p->train + mu) * k + o] = run->ncov[(row + o) * p->train + mu];
    }
    if (out->two_time == NULL)
        return;
    copy_square(run, run->sigma, n, true, times, out->two_time);
    copy_square(run, run->noise, n, true, times, out->noise);
    copy_square(run, run->solve, n, false, times, out->response);
}

/* All that follows the mean path. */
static nnd_status run_averages(nnd_influence *run, nnd_fluctuations *out) {
    nnd_status status = reserve_averages(run);
    if (status == NND_OK)
        status = nnd_influence_respond(run);
    if (status == NND_OK) {
        make_solve(run);
        status = nnd_influence_moments(run);
    }
    if (status == NND_OK && run->p->bias)
        status = nnd_influence_curve(run);
    if (status == NND_OK && run->p->bias)
        status = finish_bias(run);
    if (status == NND_OK)
        fill(run, out);
    return status;
}

nnd_status nnd_influence_run(nnd_context *ctx, const nnd_units *p, const nnd_nodes *nodes,
                             nnd_fluctuations *out) {
    nnd_influence run = {
        .ctx = ctx,
        .p = p,
        .map = {.p = p,
                .steps = steps_of(p),
                .state = p->points + 1,
                .observables = observables_of(p),
                .c = p->lr * p->gamma0 / (double)p->train},
        .tiles = (nodes->count + NND_TILE - 1) / NND_TILE,
        .groups = groups_of(p),
    };
    double bytes, flops;
    *out = (nnd_fluctuations){0};
    if (nnd_activation_has_kink(p->activation) && p->bias)
        return nnd_fail(ctx, NND_E_INPUT, "no bias of an activation with a kink");
    nnd_influence_cost(p, (double)nodes->count, nnd_context_threads(ctx), &bytes, &flops);
    nnd_status status = nnd_check_memory(ctx, bytes, "the fluctuations");
    if (status == NND_OK)
        status = nnd_fluctuations_make(ctx, p->grid->count, p->train, observables_of(p), p->bias,
                                       p->two_time, out);
    if (status == NND_OK)
        status = run_make(&run, nodes);
    if (status == NND_OK)
        status = follow_mean(&run, &out->diverged_at);
    if (status == NND_OK && out->diverged_at > 0)
        status = run_averages(&run, out);
    run_clear(&run);
    if (status != NND_OK)
        nnd_fluctuations_clear(out);
    else if (out->diverged_at != SIZE_MAX)
        status = NND_DIVERGED;
    return status;
}
