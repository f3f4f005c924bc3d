/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Two-time kernels from the coefficients of fields in growing orthonormal bases: Phi(t,s) = a(t) .
 * a(s) (wide-mlp.md#s3). */
#ifndef NNDMFT_THEORY_WIDE_MLP_TWO_TIME_H
#define NNDMFT_THEORY_WIDE_MLP_TWO_TIME_H

#include "nndmft/context.h"

/** Coefficients of `fields` fields of `samples` vectors each at `times` times; zero-initialise. */
typedef struct {
    size_t fields, times, samples;
    size_t *rank;  /**< fields x times */
    double **coef; /**< fields x times: samples x rank */
} nnd_wide_history;

NND_MUST_USE nnd_status nnd_wide_history_make(nnd_context *ctx, size_t fields, size_t times,
                                              size_t samples, nnd_wide_history *history);
void nnd_wide_history_clear(nnd_wide_history *history);
/** Keeps the coefficients (samples rows, ld apart) of a field at a time. */
NND_MUST_USE nnd_status nnd_wide_history_keep(nnd_context *ctx, nnd_wide_history *history,
                                              size_t field, size_t time, size_t rank,
                                              const double *coef, size_t ld);
/** out[t][s][mu][nu] of one field, over the first `kept` times; the rest is left as it is. */
void nnd_wide_history_kernel(const nnd_wide_history *history, size_t field, size_t kept,
                             double *out);

#endif
