/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Populations: the sites on which expectations over a single-site process are means, <ab> = weight
 * sum_i a_i b_i, and the source of fresh standard Gaussian vectors on them
 * (wide-mlp.md#s3, wide-mlp.md#s3-1).
 */
#ifndef NNDMFT_SOLVERS_POPULATION_H
#define NNDMFT_SOLVERS_POPULATION_H

#include <stdbool.h>

#include "nndmft/api.h"
#include "nndmft/solvers/sobol.h"

NND_API_BEGIN

/** How fresh vectors are made. */
typedef enum {
    NND_FRESH_PLAIN, /**< independent normals, only projected off the directions they must avoid */
    /** Scrambled Sobol, orthonormal among themselves and to all else that the population knows, the
     * constant included: moments match (wide-mlp.md#s3-1). From some hundred and sixty vectors on
     * they are only given mean 0 and variance 1. */
    NND_FRESH_MATCHED,
    NND_FRESH_UNIT /**< a coordinate axis of its own: exact if linear (wide-mlp.md#s4a) */
} nnd_fresh;

/** What a population is. */
typedef struct {
    nnd_fresh fresh;
    size_t sites;         /**< of UNIT: the most fresh vectors there can be */
    const nnd_sobol *net; /**< of MATCHED, with as many sites; borrowed */
    nnd_rng_key key;      /**< with `stream`, the name of its random numbers */
    uint32_t stream;
} nnd_population_options;

typedef struct nnd_population nnd_population;

/** A population that has drawn nothing. Owned by the caller. */
NND_MUST_USE nnd_status nnd_population_new(nnd_context *ctx, const nnd_population_options *options,
                                           nnd_population **population);
/** Frees a population; NULL is allowed. */
void nnd_population_free(nnd_population *population);

/** Number of sites. */
size_t nnd_population_sites(const nnd_population *population);
/** Weight of a site in a mean: 1/sites, of UNIT 1. */
double nnd_population_weight(const nnd_population *population);
/** out (n x m, leading dimension ld) = <a_i b_j>. */
void nnd_population_inner(const nnd_population *population, size_t n, const double *a, size_t m,
                          const double *b, double *out, size_t ld);
/**
 * Draws n fresh vectors out_i - sum_j inside_ij avoid_j, orthogonal to the k orthonormal vectors
 * `avoid` (k x sites); `inside` (n x k, NULL if k = 0) is left to the caller to subtract, who reads
 * `avoid` for other products anyway. Fails if the sites are exhausted; see
 * nnd_population_exhausted.
 */
NND_MUST_USE nnd_status nnd_population_draw(nnd_population *population, size_t n, size_t k,
                                            const double *avoid, double *out, double *inside);
/** Tells a population of n vectors on it that later fresh ones shall be orthogonal to (MATCHED). */
NND_MUST_USE nnd_status nnd_population_know(nnd_population *population, size_t n, const double *v);
/** True if a draw failed because there were not enough sites. */
bool nnd_population_exhausted(const nnd_population *population);
/** Multiply-adds done so far in making fresh vectors orthogonal. */
double nnd_population_work(const nnd_population *population);
/** Bytes in use. */
double nnd_population_bytes(const nnd_population *population);

NND_API_END

#endif
