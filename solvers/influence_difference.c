/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mean responses chi = d<O(t)>/dDelta_nu(s) of units whose activation has a kink. <O> is a smooth
 * function of Delta, but O of a single unit is not: near the kink of phi a unit goes on, or stays
 * behind, and its O jumps. The mean of derivatives lacks what these jumps contribute
 * (fluctuations.md#s1-6); the derivative of the mean does not. Hence differences of means over the
 * same units,
 *     chi = (<O>[Delta + d e] - <O>[Delta - d e])/2d,    d = STEP rms Delta(s),
 * e the impulse at (nu, s). Each unit has a weight of order 1/d at most, hence no heavy tails,
 * which products of phi'' have if a kink is smoothed over a small width. The difference is off by
 * order d: second derivatives of <O> jump where velocities of units change sign.
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/influence_impl.h"

/* Of differences, relative to rms Delta: h moves by c times that, little against its width. */
static const double STEP = 0.1;
/* Steps are not smaller than this part of the largest one. */
static const double LEAST_STEP = 1e-3;

/* What one group works with. */
typedef struct {
    const nnd_influence *run;
    nnd_neuron_tile units;
    double *step;       /* d of each time */
    double *delta;      /* of one step, scratch */
    double *mean, *chi; /* sums of the group */
} worker;

static double weighted(const worker *k, size_t t, size_t o) {
    double value[NND_TILE];
    nnd_neuron_value(&k->run->map, &k->units, t, o, value);
    return cblas_ddot(NND_TILE, value, 1, k->units.weight, 1);
}

/* Adds factor times the observables of step t to entries `stride` apart. */
static void observe(const worker *k, size_t t, double factor, size_t stride, double *sum) {
    for (size_t o = 0; o < nnd_influence_rows(k->run, t); o++)
        sum[(k->run->offset[t] + o) * stride] += factor * weighted(k, t, o);
}

/* Follows the units from step s with Delta(s) = `delta`, in place: only what comes after s changes.
 */
static void follow_from(const worker *k, size_t s, const double *delta) {
    const nnd_neuron_map *map = &k->run->map;
    const nnd_units *p = map->p;
    size_t rows = p->points * NND_TILE, state = map->state * NND_TILE;
    for (size_t t = s; t < map->steps; t++) {
        double *z = k->units.z + t * state, *next = z + state;
        double *phi = k->units.phi[0] + t * rows, *dphi = k->units.phi[1] + t * rows;
        memcpy(next, z, state * sizeof(double));
        nnd_neuron_step(map, t, t == s ? delta : map->delta + t * p->train, phi, dphi, next);
        nnd_activation_apply(p->activation, rows, next, phi + rows, dphi + rows, NULL, NULL);
    }
}

/* The column of chi that belongs to nu and s: from Delta - d, or Delta itself, to Delta + d. */
static void respond(const worker *k, size_t s, size_t nu) {
    const nnd_influence *run = k->run;
    size_t train = run->p->train, column = s * train + nu;
    const double ends[] = {run->p->one_sided ? 0.0 : -1.0, 1.0};
    double width = (ends[1] - ends[0]) * k->step[s];
    for (int i = 0; i < 2; i++) {
        memcpy(k->delta, run->delta + s * train, train * sizeof(double));
        k->delta[nu] += ends[i] * k->step[s];
        follow_from(k, s, k->delta);
        for (size_t t = s + 1; t <= run->map.steps; t++)
            observe(k, t, (i == 0 ? -1.0 : 1.0) / width, run->drives, k->chi + column);
    }
}

static void choose_steps(const nnd_influence *run, double *step) {
    size_t train = run->p->train;
    double largest = 0.0, unit = STEP / sqrt((double)train);
    for (size_t t = 0; t < run->map.steps; t++) {
        step[t] = unit * cblas_dnrm2((int)train, run->delta + t * train, 1);
        largest = fmax(largest, step[t]);
    }
    for (size_t t = 0; t < run->map.steps; t++)
        step[t] = largest > 0.0 ? fmax(step[t], LEAST_STEP * largest) : STEP;
}

static nnd_status worker_make(const nnd_influence *run, double *mean, double *chi, worker *k) {
    *k = (worker){.run = run, .mean = mean, .chi = chi};
    k->step = malloc((run->map.steps + 1) * sizeof(double));
    k->delta = malloc(run->p->train * sizeof(double));
    if (k->step == NULL || k->delta == NULL)
        return nnd_fail_memory(run->ctx, "the responses of units");
    choose_steps(run, k->step);
    return nnd_neuron_tile_make(run->ctx, &run->map, &k->units);
}

static void worker_clear(worker *k) {
    nnd_neuron_tile_clear(&k->units);
    free(k->step);
    free(k->delta);
}

nnd_status nnd_influence_difference(const nnd_influence *run, size_t group, double *mean,
                                    double *chi) {
    size_t train = run->p->train;
    worker k;
    nnd_status status = worker_make(run, mean, chi, &k);
    for (size_t tile = group; status == NND_OK && tile < run->tiles; tile += run->groups) {
        status = nnd_influence_follow(run, tile, &k.units);
        for (size_t t = 0; status == NND_OK && t <= run->map.steps; t++)
            observe(&k, t, 1.0, 1, mean);
        /* Backwards: a path up to s is then still that of Delta. */
        for (size_t i = run->drives; status == NND_OK && i-- > 0;)
            respond(&k, i / train, i % train);
    }
    worker_clear(&k);
    return status;
}
