/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/seed_frame.h"

#include <stdlib.h>

nnd_status nnd_seed_frame_add_times(nnd_frame *frame, const char *name, const nnd_timegrid *grid) {
    double *t = calloc(grid->count, sizeof *t);
    if (t == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "the recorded times");
    for (size_t i = 0; i < grid->count; i++)
        t[i] = (double)grid->step[i];
    nnd_status status = nnd_frame_add_dim(frame, name, NND_COORD_INTEGER, grid->count, t);
    free(t);
    return status;
}

nnd_status nnd_seed_frame_new(nnd_context *ctx, size_t first_seed, size_t count,
                              const nnd_timegrid *grid, nnd_frame **frame) {
    nnd_status status = nnd_frame_new(ctx, frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(*frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = nnd_seed_frame_add_times(*frame, "t", grid);
    return status == NND_OK ? nnd_frame_add(*frame, "diverged_at", "seed", NULL) : status;
}

double *nnd_seed_row(const nnd_frame *frame, const char *name, size_t seed) {
    const nnd_array *array = nnd_frame_find(frame, name);
    return array != NULL ? array->data + seed * (array->count / array->shape[0]) : NULL;
}
