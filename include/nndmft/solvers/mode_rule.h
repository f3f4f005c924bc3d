/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Few modes that stand for many in sums of functions that are smooth in log lambda, as all sums of
 * deterministic equivalents are (scaling-laws.md#s6): Gauss rules of the measure that
 * counts modes, panel by panel.
 */
#ifndef NNDMFT_SOLVERS_MODE_RULE_H
#define NNDMFT_SOLVERS_MODE_RULE_H

#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** Modes with arrays of their own; freed with nnd_mode_rule_clear. */
typedef struct {
    nnd_eigenmodes modes;
    double *storage;
} nnd_mode_rule;

/**
 * lambda_k = k^-b with target power lambda_k beta_k^2 = k^-a, k = 1..count (up to 1e15): the first
 * 32 as they are, then panels [k, 1.5 k] or shorter ones, over which lambda falls by at most 1.8,
 * with seven nodes each; some 500 modes for count = 1e12. Relative errors of sums lambda/(lambda +
 * kappa) are below 1e-12 for |arg kappa| <= 2 and 1e-8 at 2.6, where contours weigh little.
 */
NND_MUST_USE nnd_status nnd_mode_rule_power_law(nnd_context *ctx, double count, double b, double a,
                                                nnd_mode_rule *rule);

/**
 * Any list of modes, lambda > 0 in any order: `power` is lambda beta^2 of one mode, of which there
 * are `multiplicity` (NULL: one) each. Modes whose eigenvalues lie within a factor 1.4 of each
 * other are replaced, where they are more than 18, by nine nodes for sums over modes (of teacher 0)
 * and nine for sums over powers (of multiplicity 0); those at the top, where they are more than 64,
 * by 32 each, as singularities of discrete time come close to them. Relative errors are below
 * 1e-12.
 */
NND_MUST_USE nnd_status nnd_mode_rule_list(nnd_context *ctx, size_t count, const double *eigenvalue,
                                           const double *power, const double *multiplicity,
                                           nnd_mode_rule *rule);

/** Frees the modes; a zeroed struct is allowed. */
void nnd_mode_rule_clear(nnd_mode_rule *rule);

NND_API_END

#endif
