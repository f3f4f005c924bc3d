/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where the spectrum of a large random matrix ends, and what lies beyond (many-outputs.md#s2-3).
 */
#ifndef NNDMFT_SOLVERS_EDGE_H
#define NNDMFT_SOLVERS_EDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/**
 * One end of a bulk of eigenvalues z. At a soft one the density is (kappa/pi) sqrt(distance); at
 * one where it does not vanish, as where all eigenvalues are the same, kappa is infinite.
 */
typedef struct {
    double z, kappa;
    double z_error, kappa_error; /**< absolute */
    double mass;                 /**< fraction of all eigenvalues above, exact */
    bool upper;                  /**< the bulk lies below */
} nnd_edge;

/** Edges of a spectrum in ascending order; a hard edge, at 0, is none. */
typedef struct {
    size_t count;
    nnd_edge *edge; /**< owned */
} nnd_edges;

/** Frees the edges; a zeroed struct is allowed. */
void nnd_edges_clear(nnd_edges *edges);

/** A copy, cleared by the caller. */
NND_MUST_USE nnd_status nnd_edges_copy(nnd_context *ctx, const nnd_edges *edges, nnd_edges *copy);

/** An eigenvalue above all bulks, and the squared overlap of its eigenvector with the spike that
 * caused it. NaN: it is absorbed by the bulk. */
typedef struct {
    double z, overlap;
    double z_error, overlap_error; /**< absolute */
} nnd_detached;

NND_API_END

#endif
