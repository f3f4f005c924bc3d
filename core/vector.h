/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Numbers that a register of this machine holds side by side. Loops that work on many of them keep
 * their sums in registers only if a vector is one register: gcc takes larger ones through memory.
 */
#ifndef NNDMFT_CORE_VECTOR_H
#define NNDMFT_CORE_VECTOR_H

#if defined(__AVX512F__)
enum { NND_VECTOR = 8 };
#elif defined(__AVX__)
enum { NND_VECTOR = 4 };
#else
enum { NND_VECTOR = 2 };
#endif

/** May begin at any number. */
typedef double nnd_vector
    __attribute__((vector_size(NND_VECTOR * sizeof(double)), aligned(sizeof(double))));

#endif
