/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Eigenvalues of W^T W of a network, and what is read off them. */
#ifndef NNDMFT_VALIDATE_MANY_OUTPUTS_SPECTRUM_H
#define NNDMFT_VALIDATE_MANY_OUTPUTS_SPECTRUM_H

#include <complex.h>

#include "validate/many_outputs_network.h"
#include "validate/singular.h"

typedef struct {
    size_t inputs, rank; /**< D; eigenvalues that are not exactly 0: min(N, D) */
    double *gram;        /**< rank x rank */
    double *value;       /**< rank eigenvalues, ascending, >= 0 */
    size_t *order;       /**< the k-th largest spike */
    nnd_singular outer;  /**< the largest ones with their vectors; none without spikes */
    double *start;       /**< D: where their search begins */
} nnd_outputs_spectrum;

/** Largest matrix whose eigenvalues are all computed. */
enum { NND_OUTPUTS_LARGEST = 6000 };

NND_MUST_USE nnd_status nnd_outputs_spectrum_make(nnd_context *ctx, const nnd_outputs_network *net,
                                                  nnd_outputs_spectrum *spectrum);
void nnd_outputs_spectrum_clear(nnd_outputs_spectrum *spectrum);
double nnd_outputs_spectrum_bytes(const nnd_many_outputs *params, size_t size);
/** Begins with another network. */
void nnd_outputs_spectrum_restart(nnd_outputs_spectrum *spectrum, nnd_rng_key key);
/** Computes the eigenvalues. */
NND_MUST_USE nnd_status nnd_outputs_spectrum_find(nnd_context *ctx, const nnd_outputs_network *net,
                                                  nnd_outputs_spectrum *spectrum);
/** Their transform, sum 1/(value - z)/D. */
double complex nnd_outputs_stieltjes(const nnd_outputs_spectrum *spectrum, double complex z);
/** Fraction of them up to z. */
double nnd_outputs_cdf(const nnd_outputs_spectrum *spectrum, double z);
/**
 * Of each spike s_i, in the order of the parameters, the eigenvalue of its rank (the k-th largest
 * for the k-th largest spike) and the squared overlap of its vector with that of the spike.
 */
NND_MUST_USE nnd_status nnd_outputs_spikes(const nnd_outputs_network *net,
                                           nnd_outputs_spectrum *spectrum, double *outlier,
                                           double *overlap);

#endif
