/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Which steps of a run are recorded. */
#ifndef NNDMFT_TIMEGRID_H
#define NNDMFT_TIMEGRID_H

#include "nndmft/context.h"
#include "nndmft/table.h"

/** Steps in ascending order without repetition, owned by the holder. */
typedef struct {
    size_t count;
    size_t *step;
} nnd_timegrid;

/**
 * Steps 0..steps to record: those of the list `record` if it is not empty (each within 0..steps,
 * in any order), else every `every`-th one from 0; the last step always. Free with
 * nnd_timegrid_clear.
 */
NND_MUST_USE nnd_status nnd_timegrid_make(nnd_context *ctx, size_t steps,
                                          const nnd_integers *record, size_t every,
                                          nnd_timegrid *grid);
void nnd_timegrid_clear(nnd_timegrid *grid);

#endif
