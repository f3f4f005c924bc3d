/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all averages over units share: rows of a step, tiles of units, groups of tiles. */
#include <string.h>

#include "solvers/influence_impl.h"

size_t nnd_influence_rows(const nnd_influence *run, size_t t) {
    return run->offset[t + 1] - run->offset[t];
}

nnd_status nnd_influence_follow(const nnd_influence *run, size_t tile, nnd_neuron_tile *units) {
    if (nnd_context_interrupted(run->ctx))
        return nnd_fail(run->ctx, NND_E_INTERRUPTED, "interrupted at unit %zu", tile * NND_TILE);
    memcpy(units->weight, run->weight + tile * NND_TILE, sizeof units->weight);
    nnd_neuron_path(&run->map, run->initial + tile * run->map.state * NND_TILE, units);
    return NND_OK;
}

void nnd_influence_add_groups(size_t groups, size_t count, const double *part, double *sum) {
    for (size_t i = 0; i < count; i++) {
        double total = 0.0;
        for (size_t g = 0; g < groups; g++)
            total += part[g * count + i];
        sum[i] = total;
    }
}
