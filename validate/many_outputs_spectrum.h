/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Eigenvalues of W^T W of a network, and what is read off them. Large matrices are not decomposed:
 * random vectors then stand for their traces, with an error that is one of the spread over
 * networks, and Lanczos finds the largest eigenvalue.
 */
#ifndef NNDMFT_VALIDATE_MANY_OUTPUTS_SPECTRUM_H
#define NNDMFT_VALIDATE_MANY_OUTPUTS_SPECTRUM_H

#include <complex.h>

#include "nndmft/solvers/kpm.h"
#include "nndmft/solvers/slq.h"
#include "validate/many_outputs_network.h"
#include "validate/singular.h"

/** Largest matrix whose eigenvalues are all computed. */
enum { NND_OUTPUTS_LARGEST_EXACT = 2000 };

typedef struct {
    const nnd_outputs_network *net;
    size_t inputs, rank; /**< D; eigenvalues that are not exactly 0: min(N, D) */
    bool exact;
    double mean, top; /**< of all D */
    size_t *order;    /**< the rank of each spike by size, from 0 */
    /* of matrices that are decomposed */
    double *gram;  /**< rank x rank */
    double *value; /**< rank eigenvalues, ascending, >= 0 */
    /* of large ones */
    nnd_slq slq;
    nnd_kpm kpm;           /**< no moments unless densities are wanted */
    nnd_singular outer;    /**< the largest ones with their vectors; none of decomposed ones without
                                spikes */
    double *start, *large; /**< D: where their search begins; as many values as spikes, or one */
    nnd_rng_key key;
    uint64_t found; /**< how many spectra of this network */
} nnd_outputs_spectrum;

/** For networks of the shape of `net`. Up to the size `most` matrices are decomposed. Free with
 * nnd_outputs_spectrum_clear, which takes half-made ones. */
NND_MUST_USE nnd_status nnd_outputs_spectrum_make(nnd_context *ctx, const nnd_outputs_network *net,
                                                  size_t most, nnd_outputs_spectrum *spectrum);
void nnd_outputs_spectrum_clear(nnd_outputs_spectrum *spectrum);
double nnd_outputs_spectrum_bytes(const nnd_many_outputs *params, size_t size);
/** Operations of one spectrum, those of products of matrices. */
double nnd_outputs_spectrum_flops(const nnd_many_outputs *params, size_t size);
/** Begins with another network. */
void nnd_outputs_spectrum_restart(nnd_outputs_spectrum *spectrum, nnd_rng_key key);
/** Finds the eigenvalues, or what stands for them; the distribution function if `density`. */
NND_MUST_USE nnd_status nnd_outputs_spectrum_find(nnd_context *ctx, bool density,
                                                  nnd_outputs_spectrum *spectrum);
/** Their transform, sum 1/(value - z)/D. */
double complex nnd_outputs_stieltjes(const nnd_outputs_spectrum *spectrum, double complex z);
/** Fraction of them up to z. */
double nnd_outputs_cdf(const nnd_outputs_spectrum *spectrum, double z);
/**
 * Of each spike s_i, in the order of the parameters, the eigenvalue of its rank (the k-th largest
 * for the k-th largest spike) and the squared overlap of its vector with that of the spike.
 */
NND_MUST_USE nnd_status nnd_outputs_spikes(nnd_outputs_spectrum *spectrum, double *outlier,
                                           double *overlap);

#endif
