/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Data of two networks that learn the same task: inputs and labels, each with noise of its own. */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_PAIR_H
#define NNDMFT_VALIDATE_ALIGNMENT_PAIR_H

#include "core/feature_spectrum.h"
#include "core/rng.h"
#include "nndmft/alignment.h"

/** What both networks have in common, and what each sees. Rows are samples. */
typedef struct {
    const nnd_alignment *params;
    size_t size;                  /**< D of the simulation */
    size_t dim, samples, outputs; /**< D (of data: of the directions that vary), P, C */
    double *eigenvalue;           /**< D: variances of the clean inputs */
    double *teacher;              /**< C x D */
    double *x[2];                 /**< P x D */
    double *y[2];                 /**< P x C; of several classes unit vectors */
    double noise;                 /**< sigma^2 */
    double flips;                 /**< probability that a class is replaced by another */
    double *noise_factor;         /**< C x C Cholesky factor of output_noise */
    double *scratch;              /**< D + 2 C */
    nnd_feature_spectrum rows;    /**< of data; rank 0: inputs are normal */
    double unit;                  /**< of data: what coordinates are divided by */
    uint64_t *chosen;             /**< P or more: rows of data that are drawn */
    size_t most_chosen;
} nnd_alignment_pair;

/** P at size D. */
size_t nnd_alignment_samples(const nnd_alignment *params, size_t dim);
/** Allocates for size `dim`; clear takes half-made ones. */
NND_MUST_USE nnd_status nnd_alignment_pair_make(nnd_context *ctx, const nnd_alignment *params,
                                                size_t dim, nnd_alignment_pair *pair);
void nnd_alignment_pair_clear(nnd_alignment_pair *pair);
/** Draws teacher, inputs and labels. Sample mu is the same whatever the number of samples. */
NND_MUST_USE nnd_status nnd_alignment_pair_draw(nnd_context *ctx, nnd_alignment_pair *pair,
                                                nnd_rng_key key);
/** All test rows of data, in coordinates of the training rows, as nnd_alignment_draw_probes. */
NND_MUST_USE nnd_status nnd_alignment_take_tests(nnd_context *ctx, nnd_alignment_pair *pair,
                                                 double *probes, double *clean);
/** `count` clean inputs from a stream of their own (count x D), of data rows, and their labels
 *  without noise (count x C): outputs of the teacher, or those of the rows. */
NND_MUST_USE nnd_status nnd_alignment_draw_probes(nnd_context *ctx, nnd_alignment_pair *pair,
                                                  nnd_rng_key key, uint32_t stream, size_t count,
                                                  double *probes, double *clean);

#endif
