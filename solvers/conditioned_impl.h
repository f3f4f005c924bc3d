/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the parts of solvers/conditioned*.c share. */
#ifndef NNDMFT_SOLVERS_CONDITIONED_IMPL_H
#define NNDMFT_SOLVERS_CONDITIONED_IMPL_H

#include "nndmft/solvers/conditioned.h"

/** Coordinates, and how many there is room for; what is beyond them is zero in all arrays. */
typedef struct {
    size_t dim, room;
} nnd_coordinates;

/** N of one side: rows over the coordinates of that side's space. */
typedef struct {
    size_t count, room; /* rows */
    double *row;
    double longest; /* |v| of the questions so far */
} nnd_unknown;

/** Arrays of the shape of M are out x in, with strides of the room of `in`. */
typedef struct {
    double sigma2, aspect, kappa;
    nnd_known_space space[2]; /* NND_FORWARD: input, NND_BACKWARD: output */
    double *m, *k;
    nnd_unknown unknown[2]; /* of the same: N_f, N_b */
} nnd_conditioned_matrix;

typedef struct {
    nnd_known_space space;
    double *x;
} nnd_conditioned_vector_data;

typedef struct {
    nnd_known_matrix matrix;
    double *x;
} nnd_conditioned_block_data;

struct nnd_conditioned {
    nnd_context *ctx;
    size_t spaces, matrices, vectors, blocks;
    nnd_coordinates *space;
    nnd_conditioned_matrix *matrix;
    nnd_conditioned_vector_data *vector;
    nnd_conditioned_block_data *block;
    double *scratch[2]; /* as long as the largest room or number of rows */
    size_t scratch_room;
    double bytes, dropped;
};

#endif
