/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The parts of influence.h: influence.c sets up, follows the mean and assembles the results;
 * influence_response.c averages first derivatives, influence_difference.c takes differences of
 * averages instead; influence_moments.c averages products of influences and second derivatives;
 * influence_frame.c is what these share.
 */
#ifndef NNDMFT_SOLVERS_INFLUENCE_IMPL_H
#define NNDMFT_SOLVERS_INFLUENCE_IMPL_H

#include "solvers/neurons.h"

/**
 * A run. Averages are over tiles of units, tile i belongs to group i % groups; a group adds its
 * tiles up in order, then the groups are added up in order: the same sum for any number of threads.
 * Rows are the observables that are needed at each step: the outputs at all, the others where
 * recorded.
 */
typedef struct {
    nnd_context *ctx;
    const nnd_units *p;
    nnd_neuron_map map;
    size_t tiles, groups;
    double *initial, *weight; /* per tile: state rows, one row */
    double *delta, *output;   /* mean path, (steps + 1) x train */
    size_t *offset;           /* first row of each step; the last entry is the number of rows */
    size_t drives;            /* steps x train: what Delta can respond to */
    double *mean;             /* rows */
    double *response;         /* chi: rows x drives */
    double *solve;            /* I + chi of the outputs: (drives + train) squared, lower */
    double *sigma, *noise;    /* (drives + train) squared, lower; NULL: not wanted */
    double *nvar, *bias;      /* rows */
    double *ncov;             /* rows x train */
} nnd_influence;

/** Rows of a step: train where nothing else is recorded, else all observables. */
size_t nnd_influence_rows(const nnd_influence *run, size_t t);
/** Copies initial states of a tile and follows it; NND_E_INTERRUPTED if the context is. */
NND_MUST_USE nnd_status nnd_influence_follow(const nnd_influence *run, size_t tile,
                                             nnd_neuron_tile *units);
/** sum = the sum of `groups` arrays of `count` numbers that follow each other; in order. */
void nnd_influence_add_groups(size_t groups, size_t count, const double *part, double *sum);

/** Fills mean and response: by means of derivatives, or (kinks) by differences of means. */
NND_MUST_USE nnd_status nnd_influence_respond(nnd_influence *run);
/** The second way: adds the sums of one group to mean (rows) and chi (rows x drives). */
NND_MUST_USE nnd_status nnd_influence_difference(const nnd_influence *run, size_t group,
                                                 double *mean, double *chi);
/** Fills nvar, ncov, sigma, noise and, of bias, what each unit's own influence does. */
NND_MUST_USE nnd_status nnd_influence_moments(nnd_influence *run);
/** Adds to bias the part of second derivatives: (1/2) <D^2 O [sigma]>. */
NND_MUST_USE nnd_status nnd_influence_curve(nnd_influence *run);

#endif
