/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Wide networks in the lazy limit gamma0 -> 0 (wide-mlp.md#s4d). */
#ifndef NNDMFT_THEORY_WIDE_MLP_LAZY_H
#define NNDMFT_THEORY_WIDE_MLP_LAZY_H

#include "theory/wide_mlp_curves.h"

/** Frozen kernels, linear dynamics of the outputs: deterministic. */
NND_MUST_USE nnd_status nnd_wide_lazy(const nnd_wide_problem *problem, nnd_wide_curves *record);

#endif
