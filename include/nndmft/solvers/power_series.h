/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Coefficients of a power series in 1/z from its values on a circle, by one Fourier transform. */
#ifndef NNDMFT_SOLVERS_POWER_SERIES_H
#define NNDMFT_SOLVERS_POWER_SERIES_H

#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** What f_t has from f_{t + count}. */
#define NND_SERIES_ALIAS 1e-12

/** A plan for one number of nodes, with its buffers; for one thread at a time. */
typedef struct nnd_power_series nnd_power_series;

/**
 * For `count` (even) nodes. FFTW's planner, which is common to the process, is made safe to call
 * from several threads (fftw_make_planner_thread_safe).
 */
NND_MUST_USE nnd_status nnd_power_series_new(nnd_context *ctx, size_t count,
                                             nnd_power_series **series);
void nnd_power_series_free(nnd_power_series *series);

/**
 * coefficient[t] = f_t of F(z) = sum_t f_t z^-t, t < terms <= count/4 + 1, from F at the nodes of
 * nnd_circle(count, NND_SERIES_ALIAS, ..): count/2 values. Errors are about 1e-12 of the largest.
 */
void nnd_power_series_of(nnd_power_series *series, const nnd_complex *value, size_t terms,
                         double *coefficient);

/** sum[t] = Re exp(t x) sum_j exp(2 pi i j t/count) value_j over `count` values, t < terms <=
 * count. */
void nnd_power_series_sum(nnd_power_series *series, nnd_complex x, const nnd_complex *value,
                          size_t terms, double *sum);

NND_API_END

#endif
