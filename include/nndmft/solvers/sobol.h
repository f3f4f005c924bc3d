/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Randomised quasi-Monte Carlo: standard normals on S = 2^m sites, one vector per dimension, by
 * Owen's nested uniform scrambling of the Sobol net (Owen 1995) and the inverse normal cumulative
 * distribution. Every vector is stratified perfectly, and vectors jointly fill space far more
 * evenly than independent numbers do.
 *
 * The net is GSL's, of 40 dimensions. Further dimensions are the same net again under scramblings
 * of their own, its points in an order drawn at random for each run of 40 (Latin supercube
 * sampling, Owen 1998): stratified within each run, and independent between runs.
 *
 * Scrambling is a function of (key, stream, dimension) alone.
 */
#ifndef NNDMFT_SOLVERS_SOBOL_H
#define NNDMFT_SOLVERS_SOBOL_H

#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/rng.h"

NND_API_BEGIN

/** The net, unscrambled; shared by all who draw from it. */
typedef struct nnd_sobol nnd_sobol;
/** One randomisation of a net. */
typedef struct nnd_scramble nnd_scramble;

/** The net of `sites` points, a power of two from 2 to 2^24. Owned by the caller. */
NND_MUST_USE nnd_status nnd_sobol_new(nnd_context *ctx, size_t sites, nnd_sobol **net);
/** Frees a net; NULL is allowed. */
void nnd_sobol_free(nnd_sobol *net);

/** The randomisation of `net` named by key and stream; borrows the net. Owned by the caller. */
NND_MUST_USE nnd_status nnd_scramble_new(nnd_context *ctx, const nnd_sobol *net, nnd_rng_key key,
                                         uint32_t stream, nnd_scramble **scramble);
/** Frees a randomisation; NULL is allowed. */
void nnd_scramble_free(nnd_scramble *scramble);
/** Standard normals of dimension `dim` (0, 1, ...) on all sites. */
void nnd_scramble_normals(nnd_scramble *scramble, size_t dim, double *x);

NND_API_END

#endif
