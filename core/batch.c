/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/batch.h"
#include "core/streams.h"

#include <gsl/gsl_sort.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/rows.h"

static const nnd_param PARAMS[] = {
    {"size", NND_FIELD(INTEGER, nnd_batch, size), "0", NND_BETWEEN(0, 1e6),
     "samples per step, all where there are fewer; 0: full batch"},
    {"seed", NND_FIELD(INTEGER, nnd_batch, seed), "1", NND_SEED_KEYS,
     "seed of the shuffles, one per epoch"},
};

const nnd_param_table nnd_batch_table = NND_TABLE(PARAMS, nnd_batch);

nnd_status nnd_schedule_make(nnd_context *ctx, nnd_batch batch, size_t samples,
                             nnd_schedule *schedule) {
    *schedule = (nnd_schedule){.batch = batch, .samples = samples, .epoch = SIZE_MAX};
    if (batch.size == 0 || (size_t)batch.size > samples)
        schedule->batch.size = (int64_t)samples;
    schedule->order = calloc(samples, sizeof *schedule->order);
    schedule->draw = calloc(samples, sizeof *schedule->draw);
    return schedule->order != NULL && schedule->draw != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "the schedule of batches");
}

void nnd_schedule_clear(nnd_schedule *schedule) {
    free(schedule->order);
    free(schedule->draw);
    *schedule = (nnd_schedule){0};
}

/* Sorting by independent random numbers is a uniform shuffle. */
static void shuffle(nnd_schedule *s, size_t epoch) {
    nnd_rng_key key = {.base_seed = (uint64_t)s->batch.seed};
    nnd_rng_normals(key, NND_STREAM_DATA_BATCHES, epoch, s->samples, s->draw);
    gsl_sort_index(s->order, s->draw, 1, s->samples);
    s->epoch = epoch;
}

void nnd_schedule_weights(nnd_schedule *s, size_t step, double *weight) {
    size_t size = (size_t)s->batch.size, per_epoch = (s->samples + size - 1) / size;
    size_t first = step % per_epoch * size;
    size_t count = s->samples - first < size ? s->samples - first : size;
    if (s->epoch != step / per_epoch)
        shuffle(s, step / per_epoch);
    for (size_t i = 0; i < s->samples; i++)
        weight[i] = 0.0;
    for (size_t i = first; i < first + count; i++)
        weight[s->order[i]] = 1.0 / (double)count;
}
