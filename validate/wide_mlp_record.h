/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What is measured on the networks of a block, and the frame that it goes to. */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_RECORD_H
#define NNDMFT_VALIDATE_WIDE_MLP_RECORD_H

#include "nndmft/frame.h"
#include "validate/singular.h"
#include "validate/wide_mlp_backward.h"

typedef struct {
    const nnd_wide_block *block;
    nnd_context *ctx;
    nnd_frame *frame; /**< first dimension `seed`; owned by the caller once recording is over */
    nnd_reals marks;  /**< recorded steps, or times of an adaptive flow */
    nnd_wide_backward back; /**< with several outputs */
    nnd_singular singular;
    double *start;     /**< networks x matrices x N, where searches begin */
    double *first_phi; /**< the same, phi of sample 0 at t = 0 below the matrix */
    double *first_g;   /**< the same, g above it */
    size_t span;       /**< dimension of the training inputs */
    double *basis;     /**< span x D, orthonormal basis of the training inputs */
    double *on_span;   /**< N x span, scratch */
    double *product;   /**< scratch of the induced norm */
    double *square;    /**< scratch: samples x samples, (P C)^2, or span x span */
    double *values;    /**< scratch: as many */
    double *kernel;    /**< scratch: with several outputs C samples x C P, and (P C)^2 */
    double *past_phi;  /**< layers x networks x N x (times P), with two_time, else NULL */
    double *past_g;
    double *two_time; /**< scratch, (times P)^2 */
} nnd_wide_record;

/** Memory of the records of one network, and of what a block needs to take them. */
double nnd_wide_record_bytes(const nnd_wide_mlp *p);
double nnd_wide_record_scratch_bytes(const nnd_wide_mlp *p, size_t width, size_t networks);
/** Time of recording one network once, in the units of nnd_network_flops. */
double nnd_wide_record_flops(const nnd_wide_mlp *p, size_t width);

/** Makes the frame of a block whose first seed is given, all NaN; clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_wide_record_make(nnd_context *ctx, const nnd_wide_block *block,
                                             size_t first_seed, nnd_wide_record *r);
/** Frees all but the frame. */
void nnd_wide_record_clear(nnd_wide_record *r);

/** Takes what is needed of the present fields of an evaluated block, `net` its network, before
 *  networks are recorded. */
void nnd_wide_record_look(nnd_wide_record *r, nnd_network *net);
/** Keeps what later times are compared with; at t = 0, looked at. */
void nnd_wide_record_begin(nnd_wide_record *r, nnd_rng_key key);
/** Records network b of an evaluated block, looked at, at the i-th recorded time. */
NND_MUST_USE nnd_status nnd_wide_record_take(nnd_wide_record *r, size_t b, size_t i);
/** Adds what needs all times, of network b that lasted for the first `times` of them. */
void nnd_wide_record_end(nnd_wide_record *r, size_t b, size_t times);
/** Notes that network b diverged at a step. */
void nnd_wide_record_diverged(nnd_wide_record *r, size_t b, size_t step);

#endif
