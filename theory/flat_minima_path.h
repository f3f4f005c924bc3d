/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The trajectories of the model `flat-minima`. */
#ifndef NNDMFT_THEORY_FLAT_MINIMA_PATH_H
#define NNDMFT_THEORY_FLAT_MINIMA_PATH_H

#include "nndmft/dataset.h"
#include "nndmft/flat_minima.h"
#include "nndmft/solvers/quadratic.h"

/** True if the run from these parameters has a theory: aligned layers. */
bool nnd_flat_minima_has_path(const nnd_flat_minima *p);
/**
 * Adds the trajectories of the aligned map (flat-minima.md#eq8) or of balanced flow
 * (flat-minima.md#eq5), and what they end in.
 * `set` has the test samples, if there are any.
 * `*ran` is NND_DIVERGED or NND_NOT_CONVERGED if the run was so.
 */
NND_MUST_USE nnd_status nnd_flat_minima_add_path(nnd_context *ctx, const nnd_flat_minima *p,
                                                 const nnd_quadratic *loss, const nnd_dataset *set,
                                                 nnd_frame *frame, nnd_status *ran);

#endif
