/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What solvers of spectra do with their edges. */
#ifndef NNDMFT_SOLVERS_EDGES_H
#define NNDMFT_SOLVERS_EDGES_H

#include "nndmft/solvers/edge.h"

/**
 * The edge above z[first], NULL if there is none; writes the values that density and distribution
 * have outside of all bulks for this and all further z below that edge, up to `last` (excluded).
 */
const nnd_edge *nnd_edges_outside(const nnd_edges *edges, size_t count, const double *z,
                                  size_t first, size_t *last, double *density, double *cdf);

#endif
