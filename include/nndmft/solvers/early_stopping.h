/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Early-stopped training of two networks on the same task (alignment note, section 4): linear
 * regression by gradient flow or descent, and two-layer (or deep) linear networks by gradient flow
 * from a small balanced start or from white features. All of them are beta = phi(S) X^T y/P with a
 * function phi of the sample covariance S, which is integrated at the nodes of a spectral rule.
 */
#ifndef NNDMFT_SOLVERS_EARLY_STOPPING_H
#define NNDMFT_SOLVERS_EARLY_STOPPING_H

#include "nndmft/api.h"
#include "nndmft/solvers/spectral_rule.h"

NND_API_BEGIN

typedef enum {
    NND_LEARN_FLOW,    /**< dbeta/dt = -gradient */
    NND_LEARN_DESCENT, /**< beta -= lr gradient, time counts steps */
    NND_LEARN_RICH,    /**< depth >= 2 layers, balanced, |beta(0)| = scale along X^T y */
    NND_LEARN_WHITE    /**< two layers, W^T W = scale, a = 0: equations (6), (7) */
} nnd_learning_kind;

typedef struct {
    nnd_learning_kind kind;
    double lr;    /**< of descent */
    size_t depth; /**< of rich */
    double scale; /**< epsilon of rich, w0^2 of white; > 0 */
} nnd_learning;

/** How a computation went. */
typedef struct {
    size_t nodes;   /**< of the last rule */
    double change;  /**< largest relative change of an overlap when the nodes were doubled */
    double reached; /**< time up to which the flow of rich or white was followed */
} nnd_early_stopping_report;

/**
 * Overlaps at ascending times >= 0 (those of descent are whole numbers). The nodes are doubled
 * until no overlap changes by more than 1e-9, relative to itself; NND_NOT_CONVERGED if the change
 * at the largest number of nodes is above 1e-6, or a flow takes more than 4e4 steps (explicit ones:
 * a spectrum that reaches from 1 almost to 0, and a time to match). A flow that has come to its
 * end, phi = 1/z, takes no more. Nothing is written if report.nodes is 0. Isotropic tasks with
 * equal clean inputs use the Marchenko-Pastur law unless `contour` is set; modes are isotropic if
 * they are one eigenvalue 1 with multiplicity 1.
 */
NND_MUST_USE nnd_status nnd_early_stopping(nnd_context *ctx, const nnd_eigenmodes *modes,
                                           const nnd_pair_task *task, const nnd_learning *learning,
                                           bool contour, size_t times, const double *time,
                                           nnd_spectral_overlaps *overlaps,
                                           nnd_early_stopping_report *report);

/**
 * The first step, up to `last`, at which the training error of descent has diverged: it is beyond
 * `limit` and grows from there on. SIZE_MAX if there is none.
 */
NND_MUST_USE nnd_status nnd_descent_divergence(nnd_context *ctx, const nnd_eigenmodes *modes,
                                               const nnd_pair_task *task, double lr, double limit,
                                               size_t last, size_t *step);

/**
 * The start along X^T y that a random direction of the same length is equivalent to, in high
 * dimension, for 2 or more layers: a factor 1/4 for two. It follows from the flow while the
 * residual is that of the start, where the direction turns before the length grows.
 */
double nnd_random_start_factor(size_t depth);

/** Delta of equation (6): the eigenvalue that training adds to white features, |beta|^2 = q. */
double nnd_white_growth(double scale, double q);

NND_API_END

#endif
