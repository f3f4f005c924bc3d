/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Which training samples each step of mini-batch descent sees: a fixed schedule, the same for
 * theory and networks. At the start of every epoch the samples are shuffled and then dealt out in
 * batches; the last batch of an epoch is what is left. The order of an epoch is a function of the
 * seed and the epoch alone.
 */
#ifndef NNDMFT_BATCH_H
#define NNDMFT_BATCH_H

#include "nndmft/api.h"
#include "nndmft/table.h"

NND_API_BEGIN

/** The parameter group `batch`. */
typedef struct {
    int64_t size; /**< samples per batch; 0: all of them at every step */
    int64_t seed; /**< of the shuffles */
} nnd_batch;

/** Table of the group; its shorthand is `size`. */
extern const nnd_param_table nnd_batch_table;

/** A schedule; zero-initialise before the first make. */
typedef struct {
    nnd_batch batch;
    size_t samples;
    size_t epoch;  /**< whose order is held; SIZE_MAX: none yet */
    size_t *order; /**< `samples` indices */
    double *draw;  /**< scratch */
} nnd_schedule;

/**
 * A schedule over `samples` >= 1 training samples; a batch size above that counts as all. Free with
 * nnd_schedule_clear in any case.
 */
NND_MUST_USE nnd_status nnd_schedule_make(nnd_context *ctx, nnd_batch batch, size_t samples,
                                          nnd_schedule *schedule);
/** Frees what the struct holds and zeroes it. */
void nnd_schedule_clear(nnd_schedule *schedule);
/**
 * Weights of the samples in the gradient of step `step`: 1/|batch| within the batch, 0 outside;
 * `weight` has room for all samples. Steps may be asked for in any order.
 */
void nnd_schedule_weights(nnd_schedule *schedule, size_t step, double *weight);

NND_API_END

#endif
