/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Two-layer linear networks after some steps of descent as pencils of their random matrices. */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_PROGRAM_H
#define NNDMFT_THEORY_MANY_OUTPUTS_PROGRAM_H

#include "nndmft/solvers/dyson.h"

/** Canonical variables (many-outputs.md#s1). */
typedef struct {
    double c, d;
    double sigma2, readout2, tau2, gamma;
    double rate, readout_rate; /**< eta_W, eta_A */
    size_t steps;
    bool converges;  /**< or t = inf, with a fixed readout and c not 1 */
    bool structured; /**< the target has a deterministic part S besides */
    size_t atoms;    /**< of its law; the arrays are borrowed */
    const double *s, *weight;
} nnd_outputs_program;

/** The pencil of W; NULL when out of memory. */
nnd_dyson *nnd_outputs_program_weights(const nnd_outputs_program *program);
/** The pencil of E = gamma W_* - A W, whose squares are the loss; NULL when out of memory. At
 *  t = inf for c > 1 alone: it vanishes below. */
nnd_dyson *nnd_outputs_program_residual(const nnd_outputs_program *program);

#endif
