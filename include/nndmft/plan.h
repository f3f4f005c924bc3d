/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a computation takes when it is spread over threads. */
#ifndef NNDMFT_PLAN_H
#define NNDMFT_PLAN_H

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Equal pieces of work. */
typedef struct {
    size_t count;
    double flops; /**< operations of each */
} nnd_pieces;

typedef struct {
    int workers;    /**< threads that work side by side */
    double bytes;   /**< memory at its highest, results included */
    double flops;   /**< floating-point operations */
    double busiest; /**< of the thread that has most to do */
} nnd_plan;

/** Memory at its highest if `workers` pieces are worked on at a time. */
typedef double (*nnd_plan_bytes)(int workers, void *data);

/**
 * Chooses the number of workers, at most one per piece and thread of the context and as many as
 * `bytes(workers)` leaves below the memory limit, and hands them the pieces in order, each to the
 * one that is free first.
 */
NND_MUST_USE nnd_status nnd_plan_make(nnd_context *ctx, size_t kinds, const nnd_pieces *pieces,
                                      nnd_plan_bytes bytes, void *data, nnd_plan *plan);

NND_API_END

#endif
