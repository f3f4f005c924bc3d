/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Spikes of one or several matrices seen through a dressed Gram matrix: M(x) and its null vectors.
 */
#ifndef NNDMFT_THEORY_SPIKE_SYSTEM_H
#define NNDMFT_THEORY_SPIKE_SYSTEM_H

#include "full/dressed.h"
#include "full/spikes.h"
#include "nndmft/solvers/outliers.h"

/** Scalars at x: t_c of the responses, g of the spaces. */
typedef void (*nnd_spike_scalars)(const void *data, double x, double *t, double *g);

/** Columns: all left vectors, then all right vectors; sigma of each pair. */
typedef struct {
    nnd_context *ctx;
    nnd_dressed *dressed;
    nnd_spike_scalars scalars;
    const void *data;
    size_t k;           /**< pairs */
    double *sigma;      /**< k */
    double *columns;    /**< size x 2k */
    double *t, *g;      /**< scalars of the last evaluation */
    double *s;          /**< T^-T B, size x 2k */
    double *compressed; /**< K_c, 2k x 2k */
} nnd_spike_system;

/** Where the spikes of one matrix sit: fields of its left and right vectors. */
typedef struct {
    const nnd_spikes *spikes;
    size_t left_field, right_field;
} nnd_spike_place;

/** Takes the dressed system over. Free with nnd_spike_system_clear in any case. */
NND_MUST_USE nnd_status nnd_spike_system_make(nnd_context *ctx, nnd_dressed *dressed,
                                              size_t responses, size_t scalars_of_spaces,
                                              size_t rows, size_t places,
                                              const nnd_spike_place *place,
                                              nnd_spike_scalars scalars, const void *data,
                                              nnd_spike_system *system);
void nnd_spike_system_clear(nnd_spike_system *system);
/** The outlier problem of this system. */
nnd_outlier_problem nnd_spike_system_problem(nnd_spike_system *system);
/** The `count` largest real eigenvalues of Sigma_J K_c at x, descending; 0 beyond its size. */
NND_MUST_USE nnd_status nnd_spike_system_indicators(nnd_spike_system *system, double x,
                                                    size_t count, double *indicator);
/**
 * At a root x with null vector y of M: S = T^-T B Sigma^(1/2) y and a = T^-1 G S (size numbers
 * each).
 */
NND_MUST_USE nnd_status nnd_spike_system_null(nnd_spike_system *system, double x, const double *y,
                                              double *s, double *a);
/** -S^T G' S + 2 S^T T' a with the derivatives of the scalars (T' = -sum t'_c R_c). */
NND_MUST_USE nnd_status nnd_spike_system_derivative(const nnd_spike_system *system,
                                                    const double *dt, const double *dg,
                                                    const double *s, const double *a,
                                                    double *value);

#endif
