/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/edge.h"

#include <stdlib.h>
#include <string.h>

#include "solvers/edges.h"

void nnd_edges_clear(nnd_edges *edges) {
    free(edges->edge);
    *edges = (nnd_edges){0};
}

nnd_status nnd_edges_copy(nnd_context *ctx, const nnd_edges *edges, nnd_edges *copy) {
    size_t n = edges->count;
    *copy = (nnd_edges){n, calloc(n > 0 ? n : 1, sizeof *copy->edge)};
    if (copy->edge == NULL)
        return nnd_fail_memory(ctx, "the edges of a spectrum");
    if (n > 0)
        memcpy(copy->edge, edges->edge, n * sizeof *copy->edge);
    return NND_OK;
}

const nnd_edge *nnd_edges_outside(const nnd_edges *edges, size_t count, const double *z,
                                  size_t first, size_t *last, double *density, double *cdf) {
    size_t e = 0, i = first;
    while (e < edges->count && edges->edge[e].z <= z[first])
        e++;
    const nnd_edge *next = e < edges->count ? &edges->edge[e] : NULL;
    for (; i < count && (next == NULL || z[i] < next->z); i++) {
        density[i] = 0.0;
        cdf[i] = next != NULL ? 1.0 - next->mass : 1.0;
    }
    *last = i;
    return next;
}
