/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What random-feature students of one size learn from: features, target, random projections and
 * samples. Students come in up to four, (i, j) with projection i and data j of two each, so that
 * any two share one of them, both or nothing.
 */
#ifndef NNDMFT_VALIDATE_SCALING_TASK_H
#define NNDMFT_VALIDATE_SCALING_TASK_H

#include "core/feature_spectrum.h"
#include "core/rng.h"
#include "nndmft/scaling_laws.h"

enum { NND_SCALING_STUDENTS = 4 };

/** Counts are those of the size: each mode n-fold, nN, nP, nB. */
typedef struct {
    const nnd_scaling_laws *params;
    size_t modes;                  /**< M */
    size_t width;                  /**< N; 0: students see the features themselves */
    size_t samples;                /**< P; 0: the population, or fresh batches */
    size_t batch;                  /**< B; 0: none */
    double *lambda, *deviation;    /**< M: variances of the features, and their roots */
    double *w;                     /**< M: target along each */
    double noise2;                 /**< of test labels */
    double start2;                 /**< test loss of outputs 0 */
    nnd_feature_spectrum spectrum; /**< of data; rank 0: features are Gaussian */
    size_t projections, sets;      /**< different ones there are: 2, or 1 where there is no draw */
    double *a[2];                  /**< N x M: entries of variance 1/N */
    double *psi[2], *y[2];         /**< P x M, P; NULL without samples */
    double *scratch;
    uint64_t *row;
} nnd_scaling_task;

NND_MUST_USE nnd_status nnd_scaling_task_make(nnd_context *ctx, const nnd_scaling_laws *params,
                                              size_t size, nnd_scaling_task *task);
void nnd_scaling_task_clear(nnd_scaling_task *task);
/** Draws the projections and, unless batches are fresh, the samples of network `key`. */
void nnd_scaling_task_draw(nnd_scaling_task *task, nnd_rng_key key);
/** Draws `count` samples, at most the larger of P and B, into psi (count x M) and y (count);
 * another index, other samples. */
void nnd_scaling_draw_samples(const nnd_scaling_task *task, nnd_rng_key key, uint64_t index,
                              size_t count, double *psi, double *y);

/** Counts at a size; 0 for what is infinite. Size 0 is 1. */
size_t nnd_scaling_modes_at(const nnd_scaling_laws *params, size_t size);
size_t nnd_scaling_width_at(const nnd_scaling_laws *params, size_t size);
size_t nnd_scaling_samples_at(const nnd_scaling_laws *params, size_t size);
size_t nnd_scaling_batch_at(const nnd_scaling_laws *params, size_t size);
/** How many of the projections, and of the data, differ between students. */
size_t nnd_scaling_projections(const nnd_scaling_laws *params);
size_t nnd_scaling_sets(const nnd_scaling_laws *params);

#endif
