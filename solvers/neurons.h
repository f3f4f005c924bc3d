/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The map of a single unit (influence.h) with its derivatives, for a tile of units side by side:
 * every quantity of a tile is a row of NND_TILE numbers, one per unit.
 */
#ifndef NNDMFT_SOLVERS_NEURONS_H
#define NNDMFT_SOLVERS_NEURONS_H

#include "nndmft/solvers/influence.h"

enum { NND_TILE = 64 };

/** What all tiles share. */
typedef struct {
    const nnd_units *p;
    size_t steps;        /**< T */
    size_t state;        /**< rows of a state: points, then w */
    size_t observables;  /**< train outputs, then those asked for */
    double c;            /**< lr gamma0/train, before the schedule of rates */
    const double *delta; /**< (steps + 1) x train: the mean path */
} nnd_neuron_map;

/** A tile: its path along `delta` and what derivatives need of it. */
typedef struct {
    double weight[NND_TILE]; /**< 0: no unit */
    double *z;               /**< (steps + 1) x state rows */
    double *phi[4];          /**< phi to phi''', each (steps + 1) x points rows */
    double *a, *b;           /**< c Delta phi'' w and c Delta phi': steps x train rows */
    double *scratch;         /**< 2 train rows */
    double *data;
} nnd_neuron_tile;

/** Observable k of a map. */
nnd_observable nnd_neuron_observable(const nnd_units *p, size_t k);

NND_MUST_USE nnd_status nnd_neuron_tile_make(nnd_context *ctx, const nnd_neuron_map *map,
                                             nnd_neuron_tile *tile);
void nnd_neuron_tile_clear(nnd_neuron_tile *tile);

/** Follows the units from `initial` (state rows) through all steps. */
void nnd_neuron_path(const nnd_neuron_map *map, const double *initial, nnd_neuron_tile *tile);
/** Step t of the map; phi and phi' are those of z (points rows). */
void nnd_neuron_step(const nnd_neuron_map *map, size_t t, const double *delta, const double *phi,
                     const double *dphi, double *z);

/** Value of observable k at step t: one row. */
void nnd_neuron_value(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                      double *value);
/** Its gradient with respect to the state: state rows. */
void nnd_neuron_gradient(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                         double *gradient);
/**
 * Its second derivatives with respect to the state, contracted with a symmetric matrix of each
 * unit: pairs[i][j], state x state rows of which i >= j are read.
 */
void nnd_neuron_bend(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t k,
                     const double *pairs, double *value);

/** State just after step t per unit of an impulse in Delta_nu(t): state rows. */
void nnd_neuron_impulse(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t, size_t nu,
                        double *dz);
/** One step of the tangent recursion, from t to t + 1, without a source, in place. */
void nnd_neuron_tangent(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                        double *dz);
/** The same with a source of each unit's own: train rows e. */
void nnd_neuron_tangent_along(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                              const double *e, double *dz);
/** One step of first and second derivative along the source e[train], common to all units. */
void nnd_neuron_second_tangent(const nnd_neuron_map *map, const nnd_neuron_tile *tile, size_t t,
                               const double *e, double *d1, double *d2);

#endif
