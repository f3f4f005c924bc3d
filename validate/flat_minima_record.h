/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What is measured of a flat-minima network along its training. */
#ifndef NNDMFT_VALIDATE_FLAT_MINIMA_RECORD_H
#define NNDMFT_VALIDATE_FLAT_MINIMA_RECORD_H

#include "nndmft/frame.h"
#include "nndmft/solvers/lanczos.h"
#include "validate/flat_minima_block.h"
#include "validate/hessian.h"

typedef struct {
    nnd_context *ctx;
    const nnd_flat_minima *params;
    const nnd_flat_block *block;
    nnd_frame *frame;  /**< the records, first dimension `seed` */
    nnd_network probe; /**< one network at a time */
    nnd_hessian hessian;
    nnd_lanczos *lanczos;
    nnd_network tests; /**< the same one on the test samples, if there are any */
    double *start;     /**< of the search for both ends, one per network of the block */
    double *search;    /**< starts and vectors of one search */
    double *value;     /**< leading eigenvalues, and the smallest */
    double *scratch;   /**< as many numbers as trained weights */
    double *kernel;    /**< samples^2 */
    double *matrix, *left, *right, *singular; /**< of one layer */
    double *below;                            /**< leading left vector of the layer below */
    double curvature; /**< residual networks: largest eigenvalue of the inputs' covariance */
} nnd_flat_record;

/** Makes the frame too, all NaN. Frees with nnd_flat_record_clear, which takes half-made ones; the
 *  frame is the caller's once it has been taken. */
NND_MUST_USE nnd_status nnd_flat_record_make(nnd_context *ctx, const nnd_flat_block *block,
                                             size_t first_seed, const nnd_reals *times,
                                             nnd_flat_record *record);
void nnd_flat_record_clear(nnd_flat_record *record);
/** Forgets the networks before. */
void nnd_flat_record_restart(nnd_flat_record *record, nnd_rng_key key);
/** The largest eigenvalue of the Hessian of network b. */
NND_MUST_USE nnd_status nnd_flat_record_sharpness(nnd_flat_record *record, size_t b, double *top);
/** Measures network b as what it is at recorded time i. */
NND_MUST_USE nnd_status nnd_flat_record_state(nnd_flat_record *record, size_t b, size_t i);
/** Copies the records of time `from` of network b to time `to`. */
void nnd_flat_record_copy(nnd_flat_record *record, size_t b, size_t from, size_t to);
/** What network b was at initialisation, and what became of it; `last`: index of the last time. */
NND_MUST_USE nnd_status nnd_flat_record_start(nnd_flat_record *record, size_t b);
NND_MUST_USE nnd_status nnd_flat_record_end(nnd_flat_record *record, size_t b, size_t last,
                                            double diverged_at);

#endif
