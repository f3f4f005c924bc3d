/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the parts of the analysis of a matrix share. */
#ifndef NNDMFT_SOLVERS_SPECTRUM_IMPL_H
#define NNDMFT_SOLVERS_SPECTRUM_IMPL_H

#include <stdbool.h>

#include "nndmft/solvers/kpm.h"
#include "nndmft/solvers/spectrum.h"

/** A matrix under analysis; out->count is its shorter side, `tall` the other. */
typedef struct {
    nnd_context *ctx;
    size_t rows, cols, tall;
    const double *matrix;
    nnd_gram gram; /* of it */
    const nnd_spectrum_options *options;
    nnd_spectrum *out;
} nnd_analysis;

/* ---- spectrum_product.c ---- */

/** Eigenvalues of A^T A or A A^T, whichever is smaller, by Lanczos: as many singular values as
 *  `count`, descending, and their vectors on the shorter side (count x out->count; or NULL). */
NND_MUST_USE nnd_status nnd_analysis_largest(const nnd_analysis *a, size_t count, double tolerance,
                                             double *singular, double *vector);
/** The vectors of the outliers, and their overlaps with the directions asked for. */
NND_MUST_USE nnd_status nnd_analysis_vectors(nnd_analysis *a);

/* ---- spectrum_fit.c ---- */

/** Bulk, outliers, edges. */
NND_MUST_USE nnd_status nnd_analysis_fit(nnd_analysis *a);
/** Distances from the laws. */
NND_MUST_USE nnd_status nnd_analysis_distances(nnd_analysis *a);

/* ---- spectrum_large.c ---- */

/** The law of the singular values without their list, by KPM or SLQ; the largest by Lanczos. */
NND_MUST_USE nnd_status nnd_analysis_estimate(nnd_analysis *a);
/** The singular value below which there is a share p of them, with its error over probes. */
nnd_spectrum_estimate nnd_analysis_quantile(const nnd_spectrum *spectrum, double p);
/** Bytes of all this. */
double nnd_analysis_bytes(size_t rows, size_t cols, const nnd_spectrum_options *options);

#endif
