/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The parts of linear_layers.h: linear_layers_march.c follows the fields of all layers, in jets;
 * linear_layers_observe.c forms observables from them and sums over directions; linear_layers.c
 * finds the path at infinite width, has groups of directions follow it, and adds them up.
 */
#ifndef NNDMFT_SOLVERS_LINEAR_LAYERS_IMPL_H
#define NNDMFT_SOLVERS_LINEAR_LAYERS_IMPL_H

#include "nndmft/solvers/direction.h"
#include "nndmft/solvers/linear_layers.h"
#include "solvers/jets.h"

/**
 * A fresh Gaussian vector on a layer. Its part off all earlier vectors of the layer is the layer's
 * new coordinate; along those it has independent components, of which an orthonormal basis `other`
 * is free to fluctuate (the rest is known from queries the other way).
 */
typedef struct {
    size_t query;             /**< that it answers; 0: it is there from the start */
    double *asked;            /**< what was asked, as wide as its layer; NULL: the query itself */
    size_t layer, coordinate; /**< of its own */
    size_t others;
    double *other;    /**< others x coordinate */
    size_t direction; /**< number of its first direction of fluctuation; has others + 1 */
} nnd_fresh;

/** All fresh vectors of a run, in order. */
typedef struct {
    size_t count, room, directions;
    nnd_fresh *fresh;
} nnd_fresh_list;

/** An orthonormal set of jets of vectors. */
typedef struct {
    size_t count, room;
    nnd_jet *vector;
} nnd_jet_basis;

/** A run: layers are l = 0..depth-1, matrices m = 0..depth-2 from layer m to layer m + 1. */
typedef struct {
    const nnd_linear_layers *p;
    nnd_context *ctx;
    nnd_jets jets;
    size_t first;        /**< number of the first direction that is followed */
    size_t rank;         /**< gram = root root^T */
    const double *root;  /**< points x points, `rank` columns */
    const size_t *width; /**< room for coordinates of each layer */
    size_t *used;        /**< coordinates of each layer so far */
    nnd_fresh_list *list;
    /** Finds out where fresh vectors are needed, and adds to the list; its directions are random
     * combinations of all. */
    bool leads;
    bool full; /**< of a run that leads: there is no more room */
    size_t next, query;
    size_t rows;             /**< of fields forward: s, and all points if kernels are wanted */
    nnd_jet u;               /**< h^1: points x width[0] */
    nnd_jet z;               /**< sigma w: width of the last layer */
    nnd_jet *m;              /**< matrices, width[m + 1] x width[m] */
    nnd_jet *g, *h;          /**< fields of each layer: width; rows x width */
    nnd_jet_basis *asked_of; /**< two for each matrix: asked_of[2 m + direction] */
    double *reach;           /**< longest query so far, and longest derivative: of each row of each
                                  matrix, and of the one backward */
    nnd_jet f, start, delta, push; /**< points each (delta: train) */
    nnd_jet fresh, residue, asked; /**< as wide as the widest layer */
    double *normal;                /**< likewise: random numbers */
    nnd_jet one;                   /**< a number */
} nnd_layer_march;

/** Makes a march before its first step; clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_layer_march_make(nnd_layer_march *x);
void nnd_layer_march_clear(nnd_layer_march *x);
/** Fields backward, outputs and residuals at the present weights; `at_start`: step 0. */
NND_MUST_USE nnd_status nnd_layer_march_backward(nnd_layer_march *x, bool at_start);
/** Fields forward: of s alone, or of all points, too. */
NND_MUST_USE nnd_status nnd_layer_march_forward(nnd_layer_march *x, bool points);
/** Step t of descent, after both. */
void nnd_layer_march_descend(nnd_layer_march *x, size_t t);
/** Numbers that a march holds. */
double nnd_layer_march_numbers(const nnd_linear_layers *p, const size_t *width, size_t directions);
/** Frees all; a zeroed list is allowed. */
void nnd_fresh_list_clear(nnd_fresh_list *list);

/** Observables in jets, and what forms them. */
typedef struct {
    size_t observables;
    nnd_jet value;  /**< observables */
    nnd_jet gram;   /**< points x points */
    nnd_jet kernel; /**< points x points */
} nnd_layer_observer;

NND_MUST_USE nnd_status nnd_layer_observer_make(const nnd_layer_march *x, nnd_layer_observer *o);
void nnd_layer_observer_clear(nnd_layer_observer *o);
/** Forms all observables of a march after its fields forward. */
void nnd_layer_observe(const nnd_layer_march *x, nnd_layer_observer *o);
/** Adds squares and products of first derivatives, and half the second ones, to time i. */
void nnd_layer_accumulate(const nnd_layer_march *x, const nnd_layer_observer *o, size_t i,
                          nnd_fluctuations *sum);

#endif
