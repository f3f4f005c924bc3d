/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The laws of Tracy and Widom: the largest eigenvalue of a large random matrix, real symmetric
 * (beta = 1) or Hermitian (beta = 2), at the scale of its fluctuations (spectrum.md#s2). Fredholm
 * determinants of Airy kernels by Gauss-Legendre quadrature (Bornemann 2010): probabilities to
 * 1e-13, absolute, and to 1e-8 relative down to tails of 1e-15 (upper) and to what rounding of 1
 * leaves (lower).
 */
#ifndef NNDMFT_SOLVERS_TRACY_WIDOM_H
#define NNDMFT_SOLVERS_TRACY_WIDOM_H

#include "nndmft/api.h"

NND_API_BEGIN

/** Distribution function F(x); beta is 1 or 2, for others all of these are NaN. */
double nnd_tracy_widom_cdf(int beta, double x);
/** Upper tail 1 - F(x), without cancellation. */
double nnd_tracy_widom_tail(int beta, double x);
/** Density F'(x), to 1e-12 absolute. */
double nnd_tracy_widom_density(int beta, double x);
/** The x with F(x) = p, 0 < p < 1; -inf at 0, inf at 1, NaN else. */
double nnd_tracy_widom_quantile(int beta, double p);
/** Mean and standard deviation, to the 12 digits that are known. */
double nnd_tracy_widom_mean(int beta);
double nnd_tracy_widom_sd(int beta);

NND_API_END

#endif
