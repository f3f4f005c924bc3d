/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Losses of students that are linear in N random projections of Gaussian features, trained on P
 * samples or on fresh ones, to leading order for many of both (scaling-laws.md):
 *
 *     y = w . psi + eps,  psi_k ~ N(0, lambda_k),  f = theta . (A psi)/sqrt N,  theta = 0 at first.
 *
 * Everything follows from kappa(s) (equivalent.h) by contour integrals (contour.h). Losses are
 * means of squares, without 1/2.
 */
#ifndef NNDMFT_SOLVERS_RANDOM_FEATURES_H
#define NNDMFT_SOLVERS_RANDOM_FEATURES_H

#include <stdbool.h>

#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

typedef struct {
    nnd_eigenmodes modes;  /**< lambda_k > 0, n_k of whole total, n_k w_k^2 */
    double samples, width; /**< P, N > 0, or INFINITY */
    double label_noise;    /**< sigma^2 */
} nnd_features;

/** M: how many features there are. */
double nnd_feature_dimension(const nnd_features *features);

/** What is computed of a student, or of two that share some of their randomness. */
enum {
    NND_FEATURES_TEST,       /**< squared error on a new sample with its noise */
    NND_FEATURES_TRAIN,      /**< |y - f|^2/P on the training set */
    NND_FEATURES_PROJECTION, /**< product of the errors of two students, without noise: same A */
    NND_FEATURES_DATA,       /**< same samples (or batches) */
    NND_FEATURES_NEITHER,    /**< nothing in common */
    NND_FEATURES_MOMENTS
};

/** NaN: not known. */
typedef struct {
    double value[NND_FEATURES_MOMENTS];
    double error; /**< of any of them: how much it depends on the number of nodes, and rounding */
} nnd_feature_losses;

/** How students are trained. */
typedef struct {
    double lr;        /**< of discrete steps; 0: gradient flow */
    double momentum;  /**< of the heavy ball, full batches alone; in [0, 1) */
    double batch;     /**< B of stochastic descent; 0: full batches */
    bool large_batch; /**< fresh batches: leading order for many samples in them, not any number */
    bool alone;       /**< `data` of fresh batches is not asked for, which takes longest */
    size_t nodes;     /**< of a contour, 8 to 40; four more are used, and the change is the error */
} nnd_feature_training;

/**
 * The upper edge x_max of the spectrum of the training kernel, whose eigenvalues are the rates of
 * gradient flow: descent is stable for lr x_max < 2 (1 + momentum).
 */
NND_MUST_USE nnd_status nnd_feature_edge(nnd_context *ctx, const nnd_features *features,
                                         double *edge);

/**
 * Ridge regression, penalty ridge |theta|^2 beside |y - f|^2/P; 0: the end of flow and descent. At
 * P = N the latter has no test error (INFINITY). `error` is rounding, and more where P or N differ
 * little from the number of modes and are not the same.
 */
NND_MUST_USE nnd_status nnd_feature_ridge(nnd_context *ctx, const nnd_features *features,
                                          double ridge, nnd_feature_losses *losses);

/**
 * Gradient flow, descent and the heavy ball on P samples at ascending times (steps) >= 0:
 * scaling-laws.md#eq5, scaling-laws.md#eq8. The learning rate must be stable. `train` at P =
 * INFINITY is `test`. NND_E_INPUT if the heavy ball takes too many nodes at the first times.
 */
NND_MUST_USE nnd_status nnd_feature_descent(nnd_context *ctx, const nnd_features *features,
                                            const nnd_feature_training *how, size_t times,
                                            const double *time, nnd_feature_losses *losses);

/** What batches do in the long run. */
typedef struct {
    double noise;       /**< Sigma: each step feeds that part of the loss back; stable below 1 */
    double test, train; /**< where the losses end; INFINITY if unstable */
} nnd_batch_plateau;

/** scaling-laws.md#eq14, and its like for batches of P samples: fresh batches if P is INFINITY. */
NND_MUST_USE nnd_status nnd_feature_plateau(nnd_context *ctx, const nnd_features *features,
                                            const nnd_feature_training *how,
                                            nnd_batch_plateau *plateau);

/** The most steps for which `data` of fresh batches is computed. */
enum { NND_SHARED_BATCH_STEPS = 4096 };

/**
 * Stochastic descent, which must be stable: fresh batches of B samples (P = INFINITY, `train` is
 * `test`), scaling-laws.md#eq12; or batches of B of the P samples, drawn anew at each step
 * without replacement, scaling-laws.md#eq15. Two students draw their own batches, but for fresh
 * ones where they share data: then both see the same. That is known to leading order in 1/B,
 * at times up to NND_SHARED_BATCH_STEPS if how->alone is not set; else `data` is NaN.
 */
NND_MUST_USE nnd_status nnd_feature_batches(nnd_context *ctx, const nnd_features *features,
                                            const nnd_feature_training *how, size_t times,
                                            const double *time, nnd_feature_losses *losses);

/** Memory, and operations as a matrix-vector product in cache has them, of losses at these times
 * (0: of ridge regression). */
void nnd_feature_cost(const nnd_features *features, const nnd_feature_training *how, size_t times,
                      const double *time, double *bytes, double *flops);

NND_API_END

#endif
