/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Sums over the eigenmodes at a node of a contour. */
#ifndef NNDMFT_SOLVERS_SPECTRAL_MOMENT_H
#define NNDMFT_SOLVERS_SPECTRAL_MOMENT_H

#include "nndmft/solvers/equivalent.h"

/**
 * With d_i = s_i + tau^2 + kappa: TEACHER + p is sum_i beta*_i^2 s_i^p/d_i (p = 1..4), TRACE + p is
 * sum_i s_i^p/d_i (p = 0..3), the same over -d_i^2 (derivatives with respect to kappa) behind
 * SLOPES, and the two parts of the measure c of training for a single network.
 */
enum {
    NND_TEACHER = -1,
    NND_TRACE = 4,
    NND_SLOPES = 8,
    NND_LEARN_SIGNAL = 16,
    NND_LEARN_NOISE,
    NND_MOMENTS
};

void nnd_spectral_moments(const nnd_eigenmodes *modes, const nnd_pair_task *task, nnd_complex kappa,
                          nnd_complex *moment);

#endif
