/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Descent on batches that are drawn afresh for every step (directional.md#s11): how far the
 * predictor fluctuates across the teacher, and what that does to the noise of the next batch.
 */
#ifndef NNDMFT_THEORY_DIRECTIONAL_BATCH_H
#define NNDMFT_THEORY_DIRECTIONAL_BATCH_H

#include "theory/directional_path.h"

/**
 * The variance with which a batch determines the force in one direction across the teacher, at a
 * predictor with the component `along` the teacher whose own variance per direction is `spread`,
 * and which the population pulls back with `slope`.
 */
double nnd_directional_batch_noise(const nnd_directional_path *path, double along, double spread,
                                   double slope);
/** Whether what theory leaves out of fluctuations of this size changes less than it claims. */
bool nnd_directional_batch_small(const nnd_directional_path *path, double spread, double omega);

#endif
