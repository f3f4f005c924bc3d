/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Recorded steps of a run. */
#ifndef NNDMFT_TIMEGRID_H
#define NNDMFT_TIMEGRID_H

#include <stddef.h>

/** Recorded steps in ascending order without repetition, owned by the holder. */
typedef struct {
    size_t count;
    size_t *step;
} nnd_timegrid;

#endif
