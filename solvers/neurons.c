/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/neurons.h"

#include <stdlib.h>
#include <string.h>

/* Rows of a tile. */
typedef double row[NND_TILE];

nnd_observable nnd_neuron_observable(const nnd_units *p, size_t k) {
    if (k < p->train)
        return (nnd_observable){NND_OBSERVE_OUTPUT, k, k};
    return p->observable[k - p->train];
}

/* ---- a tile and its path ---- */

static size_t tile_rows(const nnd_neuron_map *map) {
    size_t times = map->steps + 1;
    return times * (map->state + 4 * map->p->points + 2 * map->p->train) + 2 * map->p->train;
}

nnd_status nnd_neuron_tile_make(nnd_context *ctx, const nnd_neuron_map *map,
                                nnd_neuron_tile *tile) {
    size_t times = map->steps + 1, points = map->p->points;
    *tile = (nnd_neuron_tile){.data = calloc(tile_rows(map), sizeof(row))};
    if (tile->data == NULL)
        return nnd_fail_memory(ctx, "the paths of units");
    tile->z = tile->data;
    double *next = tile->z + times * map->state * NND_TILE;
    for (size_t d = 0; d < 4; d++, next += times * points * NND_TILE)
        tile->phi[d] = next;
    tile->a = next;
    tile->b = next + times * map->p->train * NND_TILE;
    tile->scratch = tile->b + times * map->p->train * NND_TILE;
    return NND_OK;
}

void nnd_neuron_tile_clear(nnd_neuron_tile *tile) {
    free(tile->data);
    tile->data = NULL;
}

/* y += factor x, element by element. */
static void add(double factor, const double *restrict x, double *restrict y) {
    for (size_t i = 0; i < NND_TILE; i++)
        y[i] += factor * x[i];
}

/* h_nu += sum_mu gram(nu,mu) source_mu. */
static void spread(const nnd_units *p, const double *source, double *h) {
    for (size_t nu = 0; nu < p->points; nu++)
        for (size_t mu = 0; mu < p->train; mu++)
            add(p->gram[nu * p->points + mu], source + mu * NND_TILE, h + nu * NND_TILE);
}

/* c at step t. */
static double rate(const nnd_neuron_map *map, size_t t) {
    return map->p->schedule != NULL ? map->c * nnd_rates_at(map->p->schedule, t) : map->c;
}

void nnd_neuron_step(const nnd_neuron_map *map, size_t t, const double *delta, const double *phi,
                     const double *dphi, double *z) {
    const nnd_units *p = map->p;
    double c = rate(map, t);
    double *w = z + p->points * NND_TILE;
    row source, kick = {0.0};
    for (size_t mu = 0; mu < p->train; mu++) {
        double strength = c * delta[mu];
        for (size_t i = 0; i < NND_TILE; i++) {
            source[i] = strength * dphi[mu * NND_TILE + i] * w[i];
            kick[i] += strength * phi[mu * NND_TILE + i];
        }
        for (size_t nu = 0; nu < p->points; nu++)
            add(p->gram[nu * p->points + mu], source, z + nu * NND_TILE);
    }
    add(1.0, kick, w);
}

static const double *at(const double *rows, size_t per_time, size_t t, size_t i) {
    return rows + (t * per_time + i) * NND_TILE;
}

/* Coefficients of the tangent step at time t. */
static void linearise(const nnd_neuron_map *map, nnd_neuron_tile *tile, size_t t) {
    const nnd_units *p = map->p;
    const double *w = at(tile->z, map->state, t, p->points);
    double c = rate(map, t);
    for (size_t mu = 0; mu < p->train; mu++) {
        double strength = c * map->delta[t * p->train + mu];
        const double *d1 = at(tile->phi[1], p->points, t, mu);
        const double *d2 = at(tile->phi[2], p->points, t, mu);
        double *a = tile->a + (t * p->train + mu) * NND_TILE;
        double *b = tile->b + (t * p->train + mu) * NND_TILE;
        for (size_t i = 0; i < NND_TILE; i++) {
            a[i] = strength * d2[i] * w[i];
            b[i] = strength * d1[i];
        }
    }
}

void nnd_neuron_path(const nnd_neuron_map *map, const double *initial, nnd_neuron_tile *tile) {
    const nnd_units *p = map->p;
    size_t rows = p->points * NND_TILE, state = map->state * NND_TILE;
    memcpy(tile->z, initial, state * sizeof(double));
    for (size_t t = 0; t <= map->steps; t++) {
        double *z = tile->z + t * state;
        nnd_activation_apply(p->activation, rows, z, tile->phi[0] + t * rows,
                             tile->phi[1] + t * rows, tile->phi[2] + t * rows,
                             tile->phi[3] + t * rows);
        linearise(map, tile, t);
        if (t == map->steps)
            break;
        memcpy(z + state, z, state * sizeof(double));
        nnd_neuron_step(map, t, map->delta + t * p->train, tile->phi[0] + t * rows,
                        tile->phi[1] + t * rows, z + state);
    }
}

/* ---- observables ---- */

/* Rows of phi and its derivatives at one point and time. */
typedef struct {
    const double *d0, *d1, *d2, *d3;
} jet;

static jet jet_at(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t mu) {
    size_t points = map->p->points;
    return (jet){at(tile->phi[0], points, t, mu), at(tile->phi[1], points, t, mu),
                 at(tile->phi[2], points, t, mu), at(tile->phi[3], points, t, mu)};
}

void nnd_neuron_value(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                      double *restrict value) {
    const nnd_units *p = map->p;
    nnd_observable o = nnd_neuron_observable(p, k);
    jet m = jet_at(map, tile, t, o.mu), n = jet_at(map, tile, t, o.nu);
    const double *w = at(tile->z, map->state, t, p->points);
    double gram = p->gram[o.mu * p->points + o.nu];
    switch (o.kind) {
    case NND_OBSERVE_OUTPUT: {
        const double *w0 = at(tile->z, map->state, 0, p->points);
        const double *start = at(tile->phi[0], p->points, 0, o.mu);
        double centred = p->center ? 1.0 : 0.0;
        if (p->center && t == 0) {
            memset(value, 0, sizeof(row));
            return;
        }
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = (w[i] * m.d0[i] - centred * w0[i] * start[i]) / p->gamma0;
        return;
    }
    case NND_OBSERVE_NTK:
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = m.d0[i] * n.d0[i] + gram * w[i] * w[i] * m.d1[i] * n.d1[i];
        return;
    case NND_OBSERVE_FEATURES:
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = m.d0[i] * n.d0[i];
        return;
    case NND_OBSERVE_READOUT:
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = w[i] * w[i];
        return;
    }
}

/* Gradient of the two kernels: of phi phi', and of gram w^2 phi_1 phi_1' unless gram is 0. */
static void kernel_gradient(jet m, jet n, const double *w, double gram, double *restrict at_mu,
                            double *restrict at_w) {
    for (size_t i = 0; i < NND_TILE; i++) {
        at_mu[i] += m.d1[i] * n.d0[i] + gram * w[i] * w[i] * m.d2[i] * n.d1[i];
        at_w[i] += gram * w[i] * m.d1[i] * n.d1[i];
    }
}

void nnd_neuron_gradient(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                         double *gradient) {
    const nnd_units *p = map->p;
    nnd_observable o = nnd_neuron_observable(p, k);
    jet m = jet_at(map, tile, t, o.mu), n = jet_at(map, tile, t, o.nu);
    const double *w = at(tile->z, map->state, t, p->points);
    double *at_w = gradient + p->points * NND_TILE, *at_mu = gradient + o.mu * NND_TILE;
    double gram = o.kind == NND_OBSERVE_NTK ? p->gram[o.mu * p->points + o.nu] : 0.0;
    memset(gradient, 0, map->state * sizeof(row));
    switch (o.kind) {
    case NND_OBSERVE_OUTPUT:
        for (size_t i = 0; i < NND_TILE; i++) {
            at_mu[i] = w[i] * m.d1[i] / p->gamma0;
            at_w[i] = m.d0[i] / p->gamma0;
        }
        return;
    case NND_OBSERVE_NTK:
    case NND_OBSERVE_FEATURES:
        kernel_gradient(m, n, w, gram, at_mu, at_w);
        kernel_gradient(n, m, w, gram, gradient + o.nu * NND_TILE, at_w);
        return;
    case NND_OBSERVE_READOUT:
        for (size_t i = 0; i < NND_TILE; i++)
            at_w[i] = 2.0 * w[i];
        return;
    }
}

/* Second derivatives of phi phi' with respect to the two points: a half of it, times pairs. */
static void bend_features(jet m, jet n, const double *mm, const double *mn,
                          double *restrict value) {
    for (size_t i = 0; i < NND_TILE; i++)
        value[i] += m.d2[i] * n.d0[i] * mm[i] + m.d1[i] * n.d1[i] * mn[i];
}

/* The same of gram w^2 phi_1 phi_1'. */
static void bend_gradients(jet m, jet n, double gram, const double *w, const double *mm,
                           const double *mn, const double *mw, const double *ww,
                           double *restrict value) {
    for (size_t i = 0; i < NND_TILE; i++)
        value[i] += gram * (w[i] * w[i] * (m.d3[i] * n.d1[i] * mm[i] + m.d2[i] * n.d2[i] * mn[i]) +
                            4.0 * w[i] * m.d2[i] * n.d1[i] * mw[i] + m.d1[i] * n.d1[i] * ww[i]);
}

void nnd_neuron_bend(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                     const double *pairs, double *restrict value) {
    const nnd_units *p = map->p;
    nnd_observable o = nnd_neuron_observable(p, k);
    jet m = jet_at(map, tile, t, o.mu), n = jet_at(map, tile, t, o.nu);
    const double *w = at(tile->z, map->state, t, p->points);
    const double *mm = at(pairs, map->state, o.mu, o.mu), *nn = at(pairs, map->state, o.nu, o.nu);
    const double *mn = at(pairs, map->state, o.nu > o.mu ? o.nu : o.mu, o.nu > o.mu ? o.mu : o.nu);
    const double *mw = at(pairs, map->state, p->points, o.mu);
    const double *nw = at(pairs, map->state, p->points, o.nu);
    const double *ww = at(pairs, map->state, p->points, p->points);
    double gram = p->gram[o.mu * p->points + o.nu];
    memset(value, 0, sizeof(row));
    switch (o.kind) {
    case NND_OBSERVE_OUTPUT:
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = (w[i] * m.d2[i] * mm[i] + 2.0 * m.d1[i] * mw[i]) / p->gamma0;
        return;
    case NND_OBSERVE_NTK:
        bend_gradients(m, n, gram, w, mm, mn, mw, ww, value);
        bend_gradients(n, m, gram, w, nn, mn, nw, ww, value);
        /* fall through */
    case NND_OBSERVE_FEATURES:
        bend_features(m, n, mm, mn, value);
        bend_features(n, m, nn, mn, value);
        return;
    case NND_OBSERVE_READOUT:
        for (size_t i = 0; i < NND_TILE; i++)
            value[i] = 2.0 * ww[i];
        return;
    }
}

/* ---- tangents (fluctuations.md#s1-4) ---- */

void nnd_neuron_impulse(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t nu,
                        double *dz) {
    const nnd_units *p = map->p;
    jet m = jet_at(map, tile, t, nu);
    const double *w = at(tile->z, map->state, t, p->points);
    double c = rate(map, t);
    for (size_t i = 0; i < NND_TILE; i++)
        dz[p->points * NND_TILE + i] = c * m.d0[i];
    for (size_t kappa = 0; kappa < p->points; kappa++) {
        double strength = c * p->gram[kappa * p->points + nu];
        for (size_t i = 0; i < NND_TILE; i++)
            dz[kappa * NND_TILE + i] = strength * m.d1[i] * w[i];
    }
}

/* Sources of the tangent step at time t: a dh + b dw of each training point; adds b dh to dw. */
static void tangent_sources(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                            const double *dz, double *source, double *restrict kick) {
    size_t train = map->p->train;
    const double *dw = dz + map->p->points * NND_TILE;
    for (size_t mu = 0; mu < train; mu++) {
        const double *a = at(tile->a, train, t, mu), *b = at(tile->b, train, t, mu);
        const double *dh = dz + mu * NND_TILE;
        double *restrict s = source + mu * NND_TILE;
        for (size_t i = 0; i < NND_TILE; i++) {
            s[i] = a[i] * dh[i] + b[i] * dw[i];
            kick[i] += b[i] * dh[i];
        }
    }
}

void nnd_neuron_tangent(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                        double *dz) {
    row kick = {0.0};
    tangent_sources(map, tile, t, dz, tile->scratch, kick);
    spread(map->p, tile->scratch, dz);
    add(1.0, kick, dz + map->p->points * NND_TILE);
}

void nnd_neuron_tangent_along(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                              const double *e, double *dz) {
    const double *w = at(tile->z, map->state, t, map->p->points);
    double c = rate(map, t);
    row kick = {0.0};
    tangent_sources(map, tile, t, dz, tile->scratch, kick);
    for (size_t mu = 0; mu < map->p->train; mu++) {
        jet m = jet_at(map, tile, t, mu);
        const double *own = e + mu * NND_TILE;
        double *restrict s = tile->scratch + mu * NND_TILE;
        for (size_t i = 0; i < NND_TILE; i++) {
            s[i] += c * own[i] * m.d1[i] * w[i];
            kick[i] += c * own[i] * m.d0[i];
        }
    }
    spread(map->p, tile->scratch, dz);
    add(1.0, kick, dz + map->p->points * NND_TILE);
}

void nnd_neuron_second_tangent(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                               const double *e, double *d1, double *d2) {
    const nnd_units *p = map->p;
    const double *w = at(tile->z, map->state, t, p->points);
    double *dw = d1 + p->points * NND_TILE, *d2w = d2 + p->points * NND_TILE;
    double *first = tile->scratch, *second = first + p->train * NND_TILE;
    double c = rate(map, t);
    row kick = {0.0}, kick2 = {0.0};
    for (size_t mu = 0; mu < p->train; mu++) {
        jet m = jet_at(map, tile, t, mu);
        double strength = c * map->delta[t * p->train + mu], push = c * e[mu];
        const double *h1 = d1 + mu * NND_TILE, *h2 = d2 + mu * NND_TILE;
        double *restrict s1 = first + mu * NND_TILE, *restrict s2 = second + mu * NND_TILE;
        for (size_t i = 0; i < NND_TILE; i++) {
            double slope = m.d2[i] * h1[i];
            double bend = m.d3[i] * h1[i] * h1[i] + m.d2[i] * h2[i];
            double turn = slope * w[i] + m.d1[i] * dw[i];
            s1[i] = strength * turn + push * m.d1[i] * w[i];
            kick[i] += strength * m.d1[i] * h1[i] + push * m.d0[i];
            s2[i] = strength * (bend * w[i] + 2.0 * slope * dw[i] + m.d1[i] * d2w[i]) +
                    2.0 * push * turn;
            kick2[i] += strength * (slope * h1[i] + m.d1[i] * h2[i]) + 2.0 * push * m.d1[i] * h1[i];
        }
    }
    spread(p, first, d1);
    spread(p, second, d2);
    add(1.0, kick, dw);
    add(1.0, kick2, d2w);
}
