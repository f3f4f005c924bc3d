/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/seed_frame.h"
#include "core/companion.h"

nnd_status nnd_seed_frame_new(nnd_context *ctx, size_t first_seed, size_t count,
                              const nnd_timegrid *grid, nnd_frame **frame) {
    nnd_status status = nnd_frame_new(ctx, frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(*frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = nnd_timegrid_add_dim(grid, *frame, "t");
    return status == NND_OK ? nnd_frame_add(*frame, NND_DIVERGED_AT, "seed", NULL) : status;
}

nnd_status nnd_seed_frame_add_controls(nnd_frame *frame, size_t count) {
    if (count == 0)
        return NND_OK;
    nnd_status status = nnd_frame_add_range(frame, "control", count, 1.0);
    return status == NND_OK ? nnd_frame_add(frame, "control", "seed,control", NULL) : status;
}

double *nnd_seed_row(const nnd_frame *frame, const char *name, size_t seed) {
    const nnd_array *array = nnd_frame_find(frame, name);
    return array != NULL ? array->data + seed * (array->count / array->shape[0]) : NULL;
}
