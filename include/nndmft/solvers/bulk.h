/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Bulk laws in closed form: what is left of a random matrix besides its outliers. */
#ifndef NNDMFT_SOLVERS_BULK_H
#define NNDMFT_SOLVERS_BULK_H

#include <stddef.h>

#include "nndmft/api.h"

NND_API_BEGIN

/**
 * Singular values of an n_out x n_in matrix of iid entries of variance s/n_in, aspect = n_out/n_in
 * (deep-linear.md#s3-1): the two ends of their support.
 */
double nnd_bulk_upper_edge(double s, double aspect);
double nnd_bulk_lower_edge(double s, double aspect);
/**
 * Density of the singular values at z > 0, normalised over min(n_out, n_in) of them; 0 outside the
 * support.
 */
double nnd_bulk_density(double s, double aspect, double z);

/**
 * A rule for the positive eigenvalues of A^T A, A an n_out x n_in matrix of iid entries of variance
 * 1/n_in (many-outputs.md#s2-1): `count` nodes in descending order, and weights, whose sum is
 * min(aspect, 1) but for the error of the rule, which falls like exp(-count |log aspect|) for what
 * is smooth. Of an aspect of 1 it is exact for polynomials of degree below 2 count - 1.
 */
void nnd_bulk_rule(double aspect, size_t count, double *node, double *weight);

/** Self-energies of the Hermitised resolvent at z above the upper edge, and their derivatives. */
typedef struct {
    double m_out, m_in, dm_out, dm_in;
} nnd_bulk_resolvent;
/** The resolvent of such a matrix at z. */
nnd_bulk_resolvent nnd_bulk_resolvent_at(double s, double aspect, double z);

NND_API_END

#endif
