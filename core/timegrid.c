/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/timegrid.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

nnd_status nnd_timegrid_make(nnd_context *ctx, size_t steps, const nnd_integers *record,
                             size_t every, nnd_timegrid *grid) {
    size_t listed = record->count, n = listed > 0 ? listed : steps / every + 1;
    *grid = (nnd_timegrid){0};
    for (size_t i = 0; i < listed; i++)
        if (record->value[i] < 0 || (size_t)record->value[i] > steps)
            return nnd_fail(ctx, NND_E_INPUT, "record: %lld is not a step of 0..%zu",
                            (long long)record->value[i], steps);
    grid->step = calloc(n + 1, sizeof *grid->step);
    if (grid->step == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < n; i++)
        grid->step[i] = listed > 0 ? (size_t)record->value[i] : i * every;
    grid->step[n] = steps;
    qsort(grid->step, n + 1, sizeof *grid->step, by_value);
    for (size_t i = 0; i <= n; i++)
        if (grid->count == 0 || grid->step[i] != grid->step[grid->count - 1])
            grid->step[grid->count++] = grid->step[i];
    return NND_OK;
}

void nnd_timegrid_clear(nnd_timegrid *grid) {
    free(grid->step);
    *grid = (nnd_timegrid){0};
}
