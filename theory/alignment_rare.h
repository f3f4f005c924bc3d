/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Directions that only few rows of data have, wherever they point (alignment.md#eq21). */
#ifndef NNDMFT_THEORY_ALIGNMENT_RARE_H
#define NNDMFT_THEORY_ALIGNMENT_RARE_H

#include "theory/alignment_rows.h"

/**
 * How much mean noise of ridge regression grows by samples in which a rare direction is missing, as
 * a part of all noise: summed over as many as sixteen directions at right angles, each found by
 * ascent of E[w^4] from the longest row.
 */
NND_MUST_USE nnd_status nnd_alignment_rare_noise(nnd_context *ctx, const nnd_alignment_rows *rows,
                                                 double samples, double kappa, double *part);

#endif
