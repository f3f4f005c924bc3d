/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A block of networks that learn the same fixed samples side by side, by gradient descent on the
 * mean of (y - f)^2/2: their data, times, residuals and records.
 */
#ifndef NNDMFT_VALIDATE_LEARNERS_H
#define NNDMFT_VALIDATE_LEARNERS_H

#include "core/timegrid.h"
#include "nndmft/dataset.h"
#include "validate/network.h"

typedef struct {
    nnd_dataset set;
    nnd_timegrid grid;
    nnd_network net; /**< samples: those that are learned, then those of the test */
    nnd_frame *frame;
    size_t train;     /**< samples that are learned */
    size_t first;     /**< row in the frame of the first network side by side */
    double *residual; /**< networks x samples, 0 at those of the test */
    double *bound;    /**< loss at which a network counts as diverged; 0: it has */
    double *gram;     /**< samples x samples, for one network at a time */
} nnd_learners;

/** Makes inputs, and the steps to record. nnd_learners_end takes half-made ones. */
NND_MUST_USE nnd_status nnd_learners_load(nnd_context *ctx, const nnd_data *data, int64_t steps,
                                          const nnd_integers *record, int64_t every,
                                          nnd_learners *x);
/** Makes the networks of a plan, and a frame with the dimensions seed, t, mu, nu and test. */
NND_MUST_USE nnd_status nnd_learners_make(nnd_context *ctx, const nnd_network_plan *plan,
                                          size_t first_seed, size_t count, nnd_learners *x);
/** Frees everything; of what has ended well the frame is handed over. Returns the status. */
NND_MUST_USE nnd_status nnd_learners_end(nnd_learners *x, nnd_status status, nnd_frame **frame);

/** From now on progress is about the networks side by side from x->first on, of `count` in all. */
void nnd_learners_progress(nnd_context *ctx, const nnd_learners *x, size_t count);

/** Residuals and loss of network b at step t, after its forward pass; false if it has diverged. */
bool nnd_learners_evaluate(nnd_learners *x, size_t b, size_t t, double *loss);
/** One step of all networks, whose residuals and backward pass are done, by the mean over samples
 * of these weights; NULL: all alike. `rate`: multiplier of the learning rate. */
void nnd_learners_descend(nnd_learners *x, const double *weight, double rate);
/** Writes delta and, with tests, test_output of network b at the recorded time i. */
void nnd_learners_record(nnd_learners *x, size_t b, size_t i);
/** Copies the part of x->gram that belongs to the learned samples, times a factor. */
void nnd_learners_copy_gram(const nnd_learners *x, double factor, double *out);

#endif
