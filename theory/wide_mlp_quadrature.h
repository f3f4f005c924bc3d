/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Wide networks with one hidden layer and one sample, by deterministic quadrature
 * (wide-mlp.md#s4b). */
#ifndef NNDMFT_THEORY_WIDE_MLP_QUADRATURE_H
#define NNDMFT_THEORY_WIDE_MLP_QUADRATURE_H

#include "nndmft/theory.h"
#include "theory/wide_mlp_curves.h"

/** How exact the curves are. */
typedef struct {
    size_t nodes;
    double error;  /**< estimated, relative to each curve's largest value */
    double change; /**< from the rule before to the last one, likewise */
} nnd_wide_accuracy;

/**
 * Refines the rule until curves change by less than 1e-6, or nodes reach 3e7. Of angles (relu) that
 * is the error; else halving the step squares it, so that the last curves are good to 1e-12, or to
 * rounding, which counts 1/gamma0 times.
 * NND_NOT_CONVERGED if curves still change by more than 1e-4.
 */
NND_MUST_USE nnd_status nnd_wide_quadrature(const nnd_wide_problem *problem,
                                            nnd_wide_curves *record, nnd_wide_accuracy *accuracy);
/** Bytes and operations, roughly. */
void nnd_wide_quadrature_cost(const nnd_wide_mlp *params, nnd_cost *cost);

#endif
