/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Names of random numbers. */
#ifndef NNDMFT_RNG_H
#define NNDMFT_RNG_H

#include <stdint.h>

/** Name of a set of random numbers: network `seed` within the ensemble `base_seed` at a given size.
 */
typedef struct {
    uint64_t base_seed, seed, size;
} nnd_rng_key;

#endif
