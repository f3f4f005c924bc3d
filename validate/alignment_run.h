/* SPDX-License-Identifier: GPL-3.0-or-later */
/** One pair of networks from its data to its measurements. */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_RUN_H
#define NNDMFT_VALIDATE_ALIGNMENT_RUN_H

#include "validate/alignment_record.h"

/** What a pair leaves behind: measures are times x NND_ALIGN_MEASURES, NaN where not measured.
 *  layer_cka is times x layers, of nonlinear pairs with more than one hidden layer; else layers is
 *  0. */
typedef struct {
    size_t times;
    const double *time; /**< NULL: only the end is measured, times is 1 */
    double *measure;
    size_t layers;
    double *layer_cka;
    double converged;   /**< fraction of the two networks that did; NaN: not asked */
    double diverged_at; /**< time; NaN: did not */
} nnd_alignment_trace;

/** Linear networks on a regression. `probes` as for nnd_alignment_record_linear. */
NND_MUST_USE nnd_status nnd_alignment_run_linear(nnd_context *ctx, const nnd_alignment_pair *pair,
                                                 nnd_rng_key key, const double *probes,
                                                 nnd_alignment_trace *trace);
/** Networks with any activation, on a regression or on classes. */
NND_MUST_USE nnd_status nnd_alignment_run_nonlinear(nnd_context *ctx, nnd_alignment_pair *pair,
                                                    nnd_rng_key key, nnd_alignment_trace *trace);

/** Hidden units at size D. */
size_t nnd_alignment_width(const nnd_alignment *params, size_t dim);

#endif
