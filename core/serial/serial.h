/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * BLAS and LAPACK on one thread, whatever the program around the library has set.
 *
 * How many threads share a product decides the order of its sums, hence its last bits. OpenBLAS
 * built with OpenMP takes as many as omp_get_max_threads() says, which is a variable of the calling
 * thread: around each call it is set to 1 and back. The neighbours cblas.h and lapacke.h stand
 * before those of the system and give every function that is used here this treatment.
 */
#ifndef NNDMFT_CORE_SERIAL_H
#define NNDMFT_CORE_SERIAL_H

/* The number of threads of the calling thread, which becomes 1. Not inline: what clang 14 makes of
 * the two in loops keeps it busy for ever. */
int nnd_serial_enter(void);
void nnd_serial_leave(const int *before);

/* The value of a call, made between the two. */
#define NND_SERIAL(call)                                                                           \
    __extension__({                                                                                \
        __attribute__((cleanup(nnd_serial_leave), unused)) int nnd_before = nnd_serial_enter();    \
        call;                                                                                      \
    })

#endif
