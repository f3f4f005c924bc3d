/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Descent and flow of wide networks (wide-mlp.md#s13-2): one set of recursions for whatever holds
 * the state, the fields of a march or the few numbers of the lazy limit. States stand in numbered
 * slots, elements of one vector space; number 0 is the network.
 */
#ifndef NNDMFT_THEORY_WIDE_MLP_DESCENT_H
#define NNDMFT_THEORY_WIDE_MLP_DESCENT_H

#include "theory/wide_mlp_curves.h"

/** What moves. u is the increment of theta per unit of the multiplier of the rate. */
typedef struct {
    void *data;
    /** Queries at the state of a slot: outputs, residuals, backward fields. */
    nnd_status (*evaluate)(void *data, size_t slot);
    /**
     * slot = keep slot + factor u at the last evaluation, samples weighted by `weight`. Later steps
     * move the state by `felt` u in all.
     */
    nnd_status (*gradient)(void *data, size_t slot, double keep, double factor, double felt,
                           const double *weight);
    /** slot = keep slot + factor other; all parameters, kappa included. */
    void (*combine)(void *data, size_t slot, double keep, double factor, size_t other);
    /** Size of a slot, relative to the state's and to what is learned: that of an error to which a
     * tolerance applies. */
    double (*size)(const void *data, size_t slot);
    /** True if u is exactly 0. */
    bool (*rests)(const void *data);
    /**
     * Looks at the network just evaluated, at a step (of flow: counted) and, where `mark` is not
     * SIZE_MAX, records it as that mark. `weight` is that of the gradient. NND_DIVERGED ends the
     * run.
     */
    nnd_status (*visit)(void *data, double time, size_t mark, const double *weight);
} nnd_wide_dynamics;

/** Slots that a run needs. */
size_t nnd_wide_descent_slots(const nnd_wide_mlp *params);
/** Evaluations that a run makes, about: an adaptive flow finds out. */
double nnd_wide_descent_evaluations(const nnd_wide_mlp *params);
/** Runs from the state of slot 0, the others being 0, to the end. NND_DIVERGED if `visit` said so.
 */
NND_MUST_USE nnd_status nnd_wide_descend(const nnd_wide_problem *problem,
                                         const nnd_wide_dynamics *dynamics);

#endif
