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

#include <omp.h>

/* The number of threads of the calling thread, which becomes 1. */
static inline int nnd_serial_enter(void) {
    int before = omp_get_max_threads();
    if (before != 1)
        omp_set_num_threads(1);
    return before;
}

static inline void nnd_serial_leave(const int *before) {
    if (*before != 1)
        omp_set_num_threads(*before);
}

/* The value of a call, made between the two. */
#define NND_SERIAL(call)                                                                           \
    __extension__({                                                                                \
        __attribute__((cleanup(nnd_serial_leave), unused)) int nnd_before = nnd_serial_enter();    \
        call;                                                                                      \
    })

#endif
