/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How a computation is spread over threads. */
#ifndef NNDMFT_CORE_PLAN_H
#define NNDMFT_CORE_PLAN_H

#include "nndmft/context.h"
#include "nndmft/plan.h"

/** Equal pieces of work. */
typedef struct {
    size_t count;
    double flops; /**< operations of each */
} nnd_pieces;

/** Memory at its highest if `workers` pieces are worked on at a time. */
typedef double (*nnd_plan_bytes)(int workers, void *data);

/**
 * Chooses the number of workers, at most one per piece and thread of the context and as many as
 * `bytes(workers)` leaves below the memory limit, and hands them the pieces in order, each to the
 * one that is free first.
 */
NND_MUST_USE nnd_status nnd_plan_make(nnd_context *ctx, size_t kinds, const nnd_pieces *pieces,
                                      nnd_plan_bytes bytes, void *data, nnd_plan *plan);

#endif
