/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Leading modes of the training NTK (deep-linear.md#s4). */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_MODES_H
#define NNDMFT_THEORY_DEEP_LINEAR_MODES_H

#include "theory/deep_linear_small.h"

/** The NTK (online and fresh: the population operator) of the present weights. */
typedef struct {
    double edge;
    double *value; /**< `count` outliers, largest first, NaN where absent; room of the caller */
    size_t count;
    double residual_overlap; /**< squared cosine of the top outlier's vector with the residual */
} nnd_ntk_modes;

NND_MUST_USE nnd_status nnd_small_ntk(nnd_context *ctx, const nnd_small *n, size_t step,
                                      nnd_ntk_modes *out);
/** The upper edge of its bulk alone; 0 where that is smaller than double precision holds. */
NND_MUST_USE nnd_status nnd_small_ntk_edge(nnd_context *ctx, const nnd_small *n, double *edge);
/** Whether the NTK has an eigenvalue, or bulk, above `level`; one smaller than double precision
 * holds has not. */
NND_MUST_USE nnd_status nnd_small_ntk_above(nnd_context *ctx, const nnd_small *n, double level,
                                            bool *above);

#endif
