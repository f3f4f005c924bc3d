/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A march in progress, for its own files and tests. */
#ifndef NNDMFT_THEORY_WIDE_MLP_MARCH_IMPL_H
#define NNDMFT_THEORY_WIDE_MLP_MARCH_IMPL_H

#include "solvers/basis.h"
#include "theory/wide_mlp_descent.h"
#include "theory/wide_mlp_fields.h"
#include "theory/wide_mlp_two_time.h"

/** The network that marches, and what is needed to record it. */
typedef struct {
    const nnd_wide_problem *problem;
    nnd_wide_curves *record;
    nnd_wide_fields fields;
    double *first_phi, *first_u; /**< coefficients of sample 0 at t = 0, one row per matrix */
    size_t *first_phi_rank, *first_u_rank, first_ld;
    bool begun;       /**< these are known */
    double *strength; /**< per matrix and outlier, at the last visit; NaN once it has escaped */
    nnd_queried_pencil **pencil; /**< per matrix: what those follow from, or NULL: they are known */
    double last;                 /**< time of that visit */
    size_t recorded;             /**< marks so far */
    double *outlier;             /**< scratch */
    double *error;               /**< scratch: estimates of errors of outputs, all points */
    double *gram;                /**< scratch: Gram matrices of all layers */
    nnd_basis last_phi, first_layer_g; /**< bases of phi^L and g^1, for two-time kernels */
    nnd_wide_history phi_history, g_history;
} nnd_wide_marching;

/** To be cleared in any case. */
NND_MUST_USE nnd_status nnd_wide_marching_make(const nnd_wide_problem *problem,
                                               const nnd_wide_sampling *sampling,
                                               nnd_wide_curves *record, nnd_wide_marching *m);
void nnd_wide_marching_clear(nnd_wide_marching *m);
/** Marches to the end; NND_DIVERGED is no failure. */
NND_MUST_USE nnd_status nnd_wide_marching_run(nnd_wide_marching *m);

#endif
