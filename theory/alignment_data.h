/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Ridge regression on rows of data, and what theory claims of it (alignment.md#s10). */
#ifndef NNDMFT_THEORY_ALIGNMENT_DATA_H
#define NNDMFT_THEORY_ALIGNMENT_DATA_H

#include "nndmft/frame.h"
#include "theory/alignment_task.h"

/** Overlaps of ridge regressions with lambda >= 0, of normal inputs or (nnd_alignment_tails) of
 *  such as the rows are. NND_NOT_CONVERGED near the threshold. */
NND_MUST_USE nnd_status nnd_alignment_ridge(nnd_context *ctx, int tails,
                                            const nnd_alignment_problem *problem, double lambda,
                                            nnd_pair_overlaps *overlaps);
/**
 * Adds `residual` and `kurtosis` to the frame of a problem with rows, and takes back the claims
 * that do not hold of such inputs, with the reasons.
 */
NND_MUST_USE nnd_status nnd_alignment_data_claims(nnd_context *ctx, const nnd_alignment *params,
                                                  const nnd_alignment_problem *problem,
                                                  nnd_frame *frame);

#endif
