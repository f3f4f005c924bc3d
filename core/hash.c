/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/hash.h"

#include <xxhash.h>

uint64_t nnd_hash(uint64_t hash, const void *bytes, size_t size) {
    return XXH64(bytes, size, hash);
}

uint64_t nnd_hash_fnv(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}
