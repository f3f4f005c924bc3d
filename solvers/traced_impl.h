/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Inside of a traced matrix, shared by going forth and going back. */
#ifndef NNDMFT_SOLVERS_TRACED_IMPL_H
#define NNDMFT_SOLVERS_TRACED_IMPL_H

#include "nndmft/solvers/traced.h"
#include "solvers/accumulator.h"
#include "solvers/basis.h"

/** One direction of queries: q_k and X_k, or p_j and Y_j. */
typedef struct {
    nnd_rows direction; /**< on the sites asked from */
    nnd_rows image;     /**< on the sites of images */
} nnd_traced_side;

/** A vector that was asked for. */
typedef struct {
    size_t own, other; /**< directions that there were of its side, and of the other */
    bool kept;         /**< its residue became direction number `own` */
    bool probe;        /**< asked for beside the vectors of its block (traced_scouts.c) */
    double length;     /**< rho, of a kept residue */
    double *coef;      /**< a: own + kept numbers */
    double *response;  /**< y_j = <Y_j r>: other */
    double *learned;   /**< C a: other */
    double *residue;   /**< r, over the sites asked from */
    double *fresh;     /**< epsilon, over the sites of images; NULL unless kept */
    double *asked;     /**< the vector itself, of a probe */
} nnd_traced_query;

/** Vectors that were asked for one after the other. */
typedef struct {
    nnd_direction direction;
    size_t first, count; /**< queries, and how many vectors they are for */
    size_t queries;      /**< with probes */
    size_t updates;      /**< that C had had */
} nnd_traced_block;

/** C after some updates: backward x forward. */
typedef struct {
    size_t rows, cols;
    double *x;
} nnd_traced_update_state;

struct nnd_traced {
    nnd_context *ctx;
    nnd_traced_options options;
    size_t sites;
    nnd_traced_side side[2];
    nnd_traced_query *query;
    nnd_traced_block *block;
    nnd_traced_update_state *c; /**< by number of updates; the first is empty */
    size_t queries, query_room, blocks, block_room, updates, update_room;
    size_t vectors; /**< over sites, of all queries */
    size_t numbers; /**< coefficients of all queries, and all states of C */
    /* What is replayed: the next query, block and update, and weights (NULL: 1). */
    bool replay;
    size_t next_query, next_block, next_update;
    const double *weight[2]; /**< of the populations `in` and `out` */
    double *scratch;         /**< a weighted vector, coefficients */
    size_t scratch_coefs;
    /* A scout (NULL: none) does what its leader does, with the leader's noise. */
    const nnd_traced *leader;
    double *residue; /**< of its queries, one after the other */
    double lost;     /**< the largest move of a dropped residue that nobody asked for */
    /* Going back. */
    size_t sides, left; /**< right-hand sides; blocks to be reversed */
    nnd_accumulator direction_bar[2], image_bar[2];
    double *c_bar;       /**< sides x (all backward) x (all forward) */
    double *coef_bar[2]; /**< of the block to be reversed: queries x sides x rank */
    size_t coef_room[2];
    double *work; /**< scratch of one query */
    size_t work_room;
    double multiply_adds;
};

/** Directions of a side that there were after the first `blocks` blocks. */
size_t nnd_traced_rank_after(const nnd_traced *matrix, nnd_direction direction, size_t blocks);

/** The first query from this one on that is not a probe. */
static inline const nnd_traced_query *nnd_traced_vector(const nnd_traced_query *q) {
    while (q->probe)
        q++;
    return q;
}

/** Begins a block of n vectors. */
NND_MUST_USE nnd_status nnd_traced_begin(nnd_traced *matrix, nnd_direction direction, size_t n);
/** Asks for one more vector, or probe, of the last block; a scout, after its leader. */
NND_MUST_USE nnd_status nnd_traced_ask(nnd_traced *matrix, const double *v, bool probe,
                                       double *image);
/** r of a vector off the directions of a side; whether it would be a new one. */
NND_MUST_USE nnd_status nnd_traced_look(nnd_traced *matrix, nnd_direction direction,
                                        const double *v, double *residue, bool *is_new);

#endif
