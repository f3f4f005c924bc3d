/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What is known of given weights without training them. */
#ifndef NNDMFT_THEORY_FLAT_MINIMA_WEIGHTS_H
#define NNDMFT_THEORY_FLAT_MINIMA_WEIGHTS_H

#include "nndmft/flat_minima.h"
#include "nndmft/solvers/quadratic.h"

/** Adds loss, distance, both ends of the Hessian's spectrum, and how far the flattest minimum is at
 *  most (flat-minima.md#s10); c: its balance, NaN at depth 1. `*ran` is NND_NOT_CONVERGED if
 * Lanczos' method was not. */
NND_MUST_USE nnd_status nnd_flat_minima_add_weights(nnd_context *ctx, const nnd_flat_minima *p,
                                                    const nnd_quadratic *loss, double c,
                                                    nnd_frame *frame, nnd_status *ran);

#endif
