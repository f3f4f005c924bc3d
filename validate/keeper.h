/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The weights of the network of seed 0 along its training: with `storage: weights` that network is
 * trained once more, beside the ensemble, so that nothing else in a result knows of it.
 *
 * A network of matrices W_0 .. W_{L-1} (readout included), W_l from n_l to n_{l+1} units, is kept
 * as arrays W0(t, unit1, unit0), W1(t, unit2, unit1), ..., each matrix as it acts: its factors of
 * scale are multiplied out. Times at which it had diverged are NaN.
 */
#ifndef NNDMFT_VALIDATE_KEEPER_H
#define NNDMFT_VALIDATE_KEEPER_H

#include "nndmft/frame.h"
#include "validate/network.h"

typedef struct {
    nnd_frame *frame; /**< NULL until made */
    size_t layers;
} nnd_keeper;

/** Makes the frame of `keeper`, with the times `t` of `records`. `unit` has layers + 1 numbers. */
NND_MUST_USE nnd_status nnd_keeper_make(nnd_keeper *keeper, const nnd_frame *records, size_t layers,
                                        const size_t *unit);
/** The same for the layers of a block of networks. */
NND_MUST_USE nnd_status nnd_keeper_make_of_network(nnd_keeper *keeper, const nnd_frame *records,
                                                   const nnd_network *net);
/** Where matrix l at recorded time i goes, row-major. */
double *nnd_keeper_at(const nnd_keeper *keeper, size_t l, size_t i);
/** Keeps all matrices of network b at recorded time i. */
void nnd_keeper_take(const nnd_keeper *keeper, const nnd_network *net, size_t b, size_t i);
/** Copies what was kept at time `from` to time `to`. */
void nnd_keeper_repeat(const nnd_keeper *keeper, size_t from, size_t to);

/** Bytes of what is kept of `weights` weights at so many times. */
double nnd_keeper_bytes(double weights, double times);

/**
 * A simulator's training of `count` networks from seed first_seed on, as nnd_simulator.simulate;
 * unless it is NULL, `keeper` is made and filled by the network of seed first_seed.
 */
typedef nnd_status (*nnd_keeper_training)(nnd_context *ctx, const void *params, size_t size,
                                          uint64_t base_seed, size_t first_seed, size_t count,
                                          nnd_keeper *keeper, nnd_frame **frame);
/** The `keep` of a simulator whose blocks may be as small as `count` networks. */
NND_MUST_USE nnd_status nnd_keep(nnd_context *ctx, nnd_keeper_training train, const void *params,
                                 size_t size, uint64_t base_seed, size_t count,
                                 nnd_frame **weights);

#endif
