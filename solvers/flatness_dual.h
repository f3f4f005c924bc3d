/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The dual beside its minimum, for tests. */
#ifndef NNDMFT_SOLVERS_FLATNESS_DUAL_H
#define NNDMFT_SOLVERS_FLATNESS_DUAL_H

#include "nndmft/solvers/quadratic.h"

/** The dual phi(c) of flat-minima.md#eq4, at c > 0 (any c at depth 1). An upper bound on S_min. */
NND_MUST_USE nnd_status nnd_flatness_dual(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                                          double c, double *value);

#endif
