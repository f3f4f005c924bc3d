/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Parameters of the model `spectrum` (spectrum.md): laws of the singular values of matrices of
 * independent entries, with spikes, and what the singular values of a given matrix say.
 */
#ifndef NNDMFT_SPECTRUM_H
#define NNDMFT_SPECTRUM_H

#include "nndmft/api.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum {
    NND_LAW_MP,     /**< independent entries */
    NND_LAW_SPIKED, /**< and rank-one pieces */
    NND_LAW_MATRIX  /**< a matrix that is given */
} nnd_spectrum_kind;

/** Ranges, defaults and meaning: `nndmft describe spectrum`. */
typedef struct {
    int kind;         /**< nnd_spectrum_kind */
    double ratio;     /**< d = columns over rows; NaN for a matrix */
    double sigma2;    /**< rows times the variance of entries; of a matrix at its start, NaN if that
                           is not known */
    nnd_reals spikes; /**< singular values of rank-one pieces, descending */
    nnd_reals z;      /**< eigenvalues at which densities are given, ascending; none: see
                           nnd_spectrum_grid */
    nnd_dense points; /**< rows re, im: where the Stieltjes transform is given */
    int64_t width;    /**< rows of simulated matrices, and of those whose edge is predicted */
    char *file;       /**< that has the matrix */
    nnd_dense dataset; /**< the matrix, or its name in the file */
    int method;        /**< nnd_spectrum_method of solvers/spectrum.h */
    int64_t moments, vectors;
    double level;
    int64_t draws;
} nnd_spectrum_params;

/** The model with its tables. */
extern const nnd_model nnd_spectrum_model;

/** Where densities are given, of mp and spiked: `z`, or the middles of 100 bins, equal in sqrt(z),
 *  from 0 to 1.02 of the norm of a large matrix. The caller frees z->value. */
NND_MUST_USE nnd_status nnd_spectrum_grid(nnd_context *ctx, const nnd_spectrum_params *params,
                                          nnd_reals *z);
/** Adds the dimensions z and s, its root, of a grid. */
NND_MUST_USE nnd_status nnd_spectrum_add_grid(const nnd_reals *z, nnd_frame *frame);
/** Columns of matrices with `width` rows: ratio * width, rounded, at least 1. */
size_t nnd_spectrum_columns(const nnd_spectrum_params *params);
/** How many points there are, and point i (default -1, 1 + i, 2 + i). */
size_t nnd_spectrum_points(const nnd_spectrum_params *params);
void nnd_spectrum_point(const nnd_spectrum_params *params, size_t i, double *re, double *im);
/** Adds the dimensions `point` and, where there are any, `spike`, from 1. */
NND_MUST_USE nnd_status nnd_spectrum_add_dims(const nnd_spectrum_params *params, nnd_frame *frame);

NND_API_END

#endif
