/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Eigenvalues of W^T W for an N x D matrix W of independent entries whose variances depend on
 * classes of rows i and of columns j: F_ij/N (many-outputs.md#eq6). With d = D/N, and the
 * fractions w_i of rows and x_j of columns that a class has, v_j = 1/(sum_i w_i F_ij r_i - z),  r_i
 * = 1/(1 + d sum_j x_j F_ij v_j),  m(z) = sum_j x_j v_j.
 */
#ifndef NNDMFT_SOLVERS_VARIANCE_PROFILE_H
#define NNDMFT_SOLVERS_VARIANCE_PROFILE_H

#include "nndmft/solvers/edge.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** Classes and their variances; arrays are borrowed. */
typedef struct {
    size_t rows, cols;
    const double *variance;                /**< F >= 0, rows x cols */
    const double *row_weight, *col_weight; /**< > 0, of sum 1 each */
    double ratio;                          /**< d > 0 */
} nnd_variances;

/** A profile, with room to work in: for one thread at a time. */
typedef struct nnd_variance_profile nnd_variance_profile;

/** Owned by the caller. NND_E_INPUT if nothing varies. */
NND_MUST_USE nnd_status nnd_variance_profile_new(nnd_context *ctx, const nnd_variances *variances,
                                                 nnd_variance_profile **profile);
/** NULL is allowed. */
void nnd_variance_profile_free(nnd_variance_profile *profile);

/** m(z) for Im z > 0, or z < 0. Relative error about 1e-12. */
NND_MUST_USE nnd_status nnd_variance_profile_stieltjes(nnd_context *ctx,
                                                       nnd_variance_profile *profile, nnd_complex z,
                                                       nnd_complex *m);
/**
 * Density at ascending z > 0 and the fraction of eigenvalues up to there, given the edges; an atom
 * at 0 is part of the latter only.
 */
NND_MUST_USE nnd_status nnd_variance_profile_density(nnd_context *ctx,
                                                     nnd_variance_profile *profile,
                                                     const nnd_edges *edges, size_t count,
                                                     const double *z, double *density, double *cdf);
/**
 * All edges, as folds of z over m. The lowest and the highest are always found. Gaps are looked for
 * where the density is least between `points` of a grid that is even in the singular value: what is
 * narrower than that and has no minimum on the grid is not seen.
 */
NND_MUST_USE nnd_status nnd_variance_profile_edges(nnd_context *ctx, nnd_variance_profile *profile,
                                                   size_t points, nnd_edges *edges);

NND_API_END

#endif
