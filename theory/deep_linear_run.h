/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A run of the small network of deep linear networks, step by step. */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_RUN_H
#define NNDMFT_THEORY_DEEP_LINEAR_RUN_H

#include "theory/deep_linear_small.h"

/** Looks at a network before step number `step` (and after the last one), its stage 0 evaluated. */
typedef nnd_status (*nnd_small_look)(void *data, nnd_small *n, size_t step);

/** Stages whose fields a run holds: evaluations of the gradient in a step of a fixed method. */
size_t nnd_small_stages(const nnd_deep_linear *p);
/** Whether a run replaces old coordinates: a long one of fresh batches of which only curves are
 * asked. Spectra, NTK and two-time fields see all that was ever learned, also what fields no longer
 * do. */
bool nnd_small_compresses(const nnd_deep_linear *p);
/**
 * Runs through all steps and once beyond, with a look before each. `*done`: looks that were sound,
 * which are all but for NND_DIVERGED, where the next one would not have been.
 */
NND_MUST_USE nnd_status nnd_small_run(nnd_context *ctx, nnd_small *n, nnd_small_look look,
                                      void *data, size_t *done);

#endif
