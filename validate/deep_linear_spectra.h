/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Spectra of a trained network, measured on its weights: top singular values and vectors of every
 * matrix, top eigenvalues of the NTK by its action on vectors of outputs (of the population
 * operator where there are no training samples), histograms of singular values.
 */
#ifndef NNDMFT_VALIDATE_DEEP_LINEAR_SPECTRA_H
#define NNDMFT_VALIDATE_DEEP_LINEAR_SPECTRA_H

#include "nndmft/solvers/lanczos.h"
#include "validate/deep_linear_network.h"

typedef struct {
    size_t count;         /**< values per matrix and of the NTK */
    nnd_lanczos *weights; /**< for A^T A of up to max(D, N) columns */
    nnd_lanczos *ntk;
    double *start;  /**< start vectors: the last answers, L matrices and the NTK */
    double *vector; /**< answers, count x the longest space */
    double *space;  /**< scratch: layers of a vector on its way through the network */
    double *value;
    double *matrix, *s; /**< scratch of a full decomposition; NULL unless densities are asked for */
} nnd_deep_linear_spectra;

/** Largest network whose singular values are counted one by one. */
enum { NND_LARGEST_FULL_SVD = 500 };

NND_MUST_USE nnd_status nnd_deep_linear_spectra_make(nnd_context *ctx,
                                                     const nnd_deep_linear_network *net,
                                                     nnd_deep_linear_spectra *spectra);
void nnd_deep_linear_spectra_clear(nnd_deep_linear_spectra *spectra);
/** Forgets the start vectors of another network: draws new ones from `key`. */
void nnd_deep_linear_spectra_restart(nnd_deep_linear_spectra *spectra,
                                     const nnd_deep_linear_network *net, nnd_rng_key key);

/**
 * Top singular values of A_l at the present weights, and the squared cosines of their right vectors
 * with `right` and left vectors with `left` (NULL: not wanted).
 */
NND_MUST_USE nnd_status nnd_deep_linear_singular_values(nnd_deep_linear_spectra *spectra,
                                                        const nnd_deep_linear_network *net,
                                                        size_t l, double *value,
                                                        const double *right, double *right_overlap,
                                                        const double *left, double *left_overlap);
/**
 * Top eigenvalues of (gamma^2 D/P) grad f grad f^T over the training samples, normalised so that
 * eta0 times it below 2 is stable, at an evaluated network; squared cosine of the first with the
 * residual (NULL: not wanted). Online and fresh: of its population version.
 */
NND_MUST_USE nnd_status nnd_deep_linear_ntk_values(nnd_deep_linear_spectra *spectra,
                                                   const nnd_deep_linear_network *net,
                                                   double *value, double *residual_overlap);
/** Density of the singular values of A_l in `bins` bins of a width, counted. */
NND_MUST_USE nnd_status nnd_deep_linear_histogram(nnd_context *ctx,
                                                  nnd_deep_linear_spectra *spectra,
                                                  const nnd_deep_linear_network *net, size_t l,
                                                  size_t bins, double width, double *density);

#endif
