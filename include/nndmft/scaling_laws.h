/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Parameters of the model `scaling-laws` (scaling-laws.md#s1): a student that is linear in N random
 * projections of M features, f = theta . A psi/sqrt N, learns y = w . psi + noise from P samples.
 * Features are Gaussian with covariance diag(lambda_k), or those of a file.
 */
#ifndef NNDMFT_SCALING_LAWS_H
#define NNDMFT_SCALING_LAWS_H

#include "nndmft/api.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum {
    NND_SCALING_FLOW,
    NND_SCALING_GD,
    NND_SCALING_ONE_PASS,
    NND_SCALING_MINI_BATCH,
    NND_SCALING_RIDGE
} nnd_scaling_training;

/** Moments of a batch: those of batches of its size, or their limit when batches are large. */
typedef enum { NND_BATCH_EXACT, NND_BATCH_LIMIT } nnd_scaling_batch_terms;

/** Eigenvalues of the features' covariance: a power law, or a list. */
typedef struct {
    double power_law; /**< b in lambda_k = k^-b, k = 1..count; NaN: a list, or data */
    int64_t count;    /**< M of the power law; 0: a list, or data */
    nnd_reals eigenvalues;
    nnd_reals multiplicity; /**< one for each eigenvalue, whole numbers; empty: all 1 */
} nnd_scaling_features;

/** Target along the eigenvectors. */
typedef struct {
    double power_law;   /**< a in c_k = lambda_k w_k^2 = k^-a; NaN: a list, or data */
    nnd_reals weights2; /**< w_k^2 of one mode, one for each eigenvalue */
} nnd_scaling_target;

/** Students whose mean predicts: each of `projections` A with each of `data` sets. */
typedef struct {
    int64_t projections, data;
} nnd_scaling_ensemble;

/** Widths over which the test loss at a given compute C = N t is least. */
typedef struct {
    double from, to;   /**< least and largest width; NaN: no frontier is asked for */
    int64_t widths;    /**< how many, log-spaced */
    nnd_reals compute; /**< budgets; empty: 100 log-spaced ones, of all widths and times */
} nnd_scaling_frontier;

/** Ranges, defaults and meaning: `nndmft describe scaling-laws`. */
typedef struct {
    nnd_scaling_features features;
    nnd_scaling_target target;
    nnd_data data;         /**< holds nothing unless features and target are those of a file */
    double width, samples; /**< N and P, whole numbers or infinity */
    double noise2;         /**< variance of the label noise */
    int training;          /**< nnd_scaling_training */
    double lr;             /**< eta; NaN for flow and ridge */
    double momentum;
    int64_t batch;   /**< B; 0 unless batches are drawn */
    int batch_terms; /**< nnd_scaling_batch_terms */
    double time;     /**< NaN but for flow */
    int64_t steps;   /**< 0 for flow and ridge */
    nnd_reals record;
    double ridge;
    nnd_scaling_ensemble ensemble;
    nnd_scaling_frontier frontier;
    int64_t nodes;
    bool control; /**< of the simulation alone */
} nnd_scaling_laws;

extern const nnd_model nnd_scaling_laws_model;

/** True if features and target are those of a file (or rows of numbers in the case). */
bool nnd_scaling_laws_has_data(const nnd_scaling_laws *params);
/** False for ridge alone, whose variables are scalars. */
bool nnd_scaling_laws_is_timed(const nnd_scaling_laws *params);
/** True for training by batches, which adds noise of its own. */
bool nnd_scaling_laws_has_batches(const nnd_scaling_laws *params);
/** Recorded times, ascending: of the flow, else steps; the caller frees times->value. */
NND_MUST_USE nnd_status nnd_scaling_laws_times(nnd_context *ctx, const nnd_scaling_laws *params,
                                               nnd_reals *times);
/** Widths of a checked frontier: whole numbers, ascending, at least 5 and at most
 * frontier->widths, into `width` unless that is NULL. Returns how many. */
size_t nnd_scaling_frontier_widths(const nnd_scaling_frontier *frontier, double *width);

/** Largest power law that nnd_scaling_laws_modes writes out, mode by mode. */
#define NND_LARGEST_MODE_LIST 10000000
/** Distinct modes of the features; arrays of `count` numbers. */
typedef struct {
    size_t count;
    double *eigenvalue;   /**< lambda_k > 0 */
    double *power;        /**< c_k = lambda_k w_k^2 of one mode: the target's variance along it */
    double *multiplicity; /**< n_k, how many such modes there are */
    double noise2;        /**< of the labels; what of the target no linear function is, included */
} nnd_scaling_modes;

/**
 * The modes that checked parameters stand for. Those of data are measured (core/feature_spectrum.h)
 * and descend. NND_E_INPUT for power laws of more than NND_LARGEST_MODE_LIST modes, whose sums are
 * for quadrature, and for data with nothing to learn. Free with nnd_scaling_modes_clear.
 */
NND_MUST_USE nnd_status nnd_scaling_laws_modes(nnd_context *ctx, const nnd_scaling_laws *params,
                                               nnd_scaling_modes *modes);
void nnd_scaling_modes_clear(nnd_scaling_modes *modes);
/** M, modes counted with their multiplicity; of data that many features as they have. */
double nnd_scaling_laws_dim(const nnd_scaling_laws *params);

NND_API_END

#endif
