/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How the networks of `many-outputs` are trained: by steps, or by gradient flow. */
#ifndef NNDMFT_VALIDATE_MANY_OUTPUTS_TRAIN_H
#define NNDMFT_VALIDATE_MANY_OUTPUTS_TRAIN_H

#include "validate/flow.h"
#include "validate/many_outputs_network.h"

typedef struct {
    nnd_outputs_network *net;
    double time;  /**< that the network stands at: step, or canonical time */
    double limit; /**< of the loss of a run that has not diverged */
    /* Flow of W alone, which is linear: solved in the eigenvectors of A A^T and X X^T/P. */
    double *left, *right;     /**< C x C and D x D, in columns; right NULL: the identity */
    double *decay, *variance; /**< C and D eigenvalues, ascending */
    double *first, *start;    /**< gradient at the start in these bases, C x D; W then */
    double *sum;              /**< C x D, scratch */
    double *turned;           /**< C x D, scratch */
    /* Flow of both layers. */
    nnd_flow flow;
} nnd_outputs_training;

/** For networks of one shape; free with nnd_outputs_training_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_outputs_training_make(nnd_context *ctx, nnd_outputs_network *net,
                                                  nnd_outputs_training *training);
void nnd_outputs_training_clear(nnd_outputs_training *training);
double nnd_outputs_training_bytes(const nnd_many_outputs *params, size_t size);
/** Begins with a network that was drawn. */
NND_MUST_USE nnd_status nnd_outputs_training_start(nnd_context *ctx,
                                                   nnd_outputs_training *training);
/**
 * Goes on to a later step or time, canonical and, of fixed readouts, maybe infinite. NND_DIVERGED
 * where the loss has left its bound, at training->time.
 */
NND_MUST_USE nnd_status nnd_outputs_training_to(nnd_context *ctx, nnd_outputs_training *training,
                                                double time);

#endif
