/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Hashes of what is to be recognised, not of what an enemy may choose. */
#ifndef NNDMFT_CORE_HASH_H
#define NNDMFT_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** XXH64 of some bytes after what `hash` has taken in; 0 at the beginning. */
uint64_t nnd_hash(uint64_t hash, const void *bytes, size_t size);

/** FNV-1a, which seals and checksums of data were before: they are still read. */
static const uint64_t NND_FNV_START = UINT64_C(0xcbf29ce484222325);
uint64_t nnd_hash_fnv(uint64_t hash, const void *bytes, size_t size);

#endif
