/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * From the fluctuations of outputs and kernels at order 1/N to the frame of a model: what its table
 * has of residuals, losses, modes, kernels, and of the widths that theory takes to be right. Shared
 * by all models of fluctuations of trained networks.
 */
#ifndef NNDMFT_THEORY_FLUCTUATION_CURVES_H
#define NNDMFT_THEORY_FLUCTUATION_CURVES_H

#include "nndmft/dataset.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"
#include "nndmft/solvers/influence.h"

/** Of an observable that there is none of. */
#define NND_NOT_OBSERVED SIZE_MAX

/**
 * Number of the first observable of each kind: the outputs at all points come first. Pairs mu >= nu
 * of training points are those of nnd_pair_index.
 */
typedef struct {
    size_t ntk;              /**< pairs */
    size_t ntk_test;         /**< tests x train */
    size_t h_gram, phi_gram; /**< layers x pairs */
    size_t g_gram; /**< layers x pairs; or layers, if gradients do not depend on samples */
    bool g_is_single;
} nnd_observed;

/** What is known; pointers are borrowed. */
typedef struct {
    const nnd_model *model;
    const nnd_dataset *set;
    const nnd_timegrid *grid;
    nnd_observed at;
    size_t layers;              /**< of kernels of layers; 0: none are observed */
    const nnd_fluctuations *f;  /**< with bias and two_time where they are wanted */
    const nnd_fluctuations *se; /**< standard errors; NULL, or without data: none */
    bool units;                 /**< whether f has noise and response of single units */
    double loss_within, loss_sd_within;
    const nnd_reals *at_width; /**< widths at which the loss is given */
    double lr;
    const nnd_rates *schedule; /**< multipliers of lr; NULL: 1 */
} nnd_fluctuation_curves;

/**
 * The frame of all variables that there are: dimensions, curves, their errors and claims, and
 * diverged_at. What `f` has no numbers of stays NaN. Owned by the caller.
 */
NND_MUST_USE nnd_status nnd_fluctuation_frame(nnd_context *ctx, const nnd_fluctuation_curves *c,
                                              nnd_frame **frame);

#endif
