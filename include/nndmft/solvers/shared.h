/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Plain structs that several solvers take. */
#ifndef NNDMFT_SOLVERS_SHARED_H
#define NNDMFT_SOLVERS_SHARED_H

#include <stddef.h>
#include <stdint.h>

/** Recorded steps in ascending order without repetition, owned by the holder. */
typedef struct {
    size_t count;
    size_t *step;
} nnd_timegrid;

/** What a random matrix A is asked for: A v (input to output space), or A^T v. */
typedef enum { NND_FORWARD, NND_BACKWARD } nnd_direction;

/** Name of a set of random numbers: network `seed` within the ensemble `base_seed` at a given size.
 */
typedef struct {
    uint64_t base_seed, seed, size;
} nnd_rng_key;

#endif
