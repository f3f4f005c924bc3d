/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/edge.h"

#include <stdlib.h>

void nnd_edges_clear(nnd_edges *edges) {
    free(edges->edge);
    *edges = (nnd_edges){0};
}
