/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Counter-based random numbers (Threefry-4x64 of Random123 under GSL's ziggurat): a number is a
 * function of its key, stream, index and position alone, whoever draws it and when.
 */
#ifndef NNDMFT_CORE_RNG_H
#define NNDMFT_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "nndmft/rng.h"

/** Name of the generator, for files. */
#define NND_RNG_NAME "threefry4x64-20, ziggurat"

/**
 * Fills x[0..n) with independent standard normals, element by element from the substream
 * (key, stream, index). Different streams or indices are independent.
 */
void nnd_rng_normals(nnd_rng_key key, uint32_t stream, uint64_t index, size_t n, double *x);
/** The same substream as n independent words of 64 uniform bits. */
void nnd_rng_words(nnd_rng_key key, uint32_t stream, uint64_t index, size_t n, uint64_t *word);

#endif
