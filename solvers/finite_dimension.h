/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leading corrections at finite dimension of what isotropic tasks show. */
#ifndef NNDMFT_SOLVERS_FINITE_DIMENSION_H
#define NNDMFT_SOLVERS_FINITE_DIMENSION_H

#include "nndmft/solvers/spectral_rule.h"

/** The shift of overlaps (nndmft/solvers/spectral_rule.h) for the values phi at the nodes of an
 * isotropic rule. */
nnd_dimension_shift nnd_finite_dimension(const nnd_spectral_rule *rule, const nnd_complex *phi);

#endif
