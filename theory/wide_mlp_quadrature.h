/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Wide networks with one hidden layer and one sample, by deterministic quadrature (note
 * wide_nonlinear_spectral, section 4b). */
#ifndef NNDMFT_THEORY_WIDE_MLP_QUADRATURE_H
#define NNDMFT_THEORY_WIDE_MLP_QUADRATURE_H

#include "nndmft/theory.h"
#include "theory/wide_mlp_curves.h"

/** How exact the curves are. */
typedef struct {
    size_t nodes;
    double error; /**< largest difference between the last two rules, relative to each curve */
} nnd_wide_accuracy;

/**
 * Refines the rule until curves change by less than 1e-10 (angles of relu: 1e-6), or nodes reach
 * 2e7; NND_NOT_CONVERGED if they then still change by more than 1e-4.
 */
NND_MUST_USE nnd_status nnd_wide_quadrature(const nnd_wide_problem *problem,
                                            nnd_wide_curves *record, nnd_wide_accuracy *accuracy);
/** Bytes and operations, roughly. */
void nnd_wide_quadrature_cost(const nnd_wide_mlp *params, nnd_cost *cost);

#endif
