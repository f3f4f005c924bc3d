/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `deep-linear` (deep-linear.md#s1). */
#ifndef NNDMFT_DEEP_LINEAR_H
#define NNDMFT_DEEP_LINEAR_H

#include "nndmft/api.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"
#include "nndmft/rates.h"

NND_API_BEGIN

/** Scale gamma of the output: gamma0 sqrt(nu) or gamma0. `standard` is of `wide-mlp` alone: weights
 *  and rates as deep-learning frameworks have them (wide-mlp.md#s1-2). */
typedef enum { NND_MUP, NND_NTK, NND_STANDARD } nnd_parameterization;
/** Full batch of fixed data; the population gradient; a new batch at every step. */
typedef enum { NND_TRAIN_FIXED, NND_TRAIN_ONLINE, NND_TRAIN_FRESH } nnd_training;
typedef enum {
    NND_METHOD_AUTO,
    NND_EULER,
    NND_HEUN,
    NND_RK4,
    NND_ADAPTIVE,
    NND_INTERPOLATE
} nnd_method;

/** Ranges, defaults and meaning: the table in models/deep_linear.c. */
typedef struct {
    int64_t depth;
    double alpha, nu, gamma0;
    nnd_reals sigma; /**< one value, or L + 1: A_0..A_{L-1} and the readout */
    double noise;
    double lr;            /**< NaN for flow */
    int64_t steps;        /**< NND_ABSENT for an adaptive flow */
    int parameterization; /**< nnd_parameterization */
    int training;         /**< nnd_training; online if and only if alpha is infinite */
    bool center;
    double momentum, weight_decay;
    nnd_rates schedule;
    int integrator;   /**< nnd_integrator */
    int method;       /**< nnd_method */
    double time;      /**< NaN for gd */
    nnd_reals record; /**< steps, or times of an adaptive flow */
    int64_t record_every;
    bool two_time;
    bool spectrum;    /**< outliers of the weight matrices */
    int64_t outliers; /**< how many per matrix and of the NTK */
    bool ntk;         /**< leading modes of the NTK */
    bool density;     /**< densities of singular values */
    double divergence_bound;
    double tolerance; /**< of what the march leaves out */
    bool check;       /**< repeat the march at 100 times the tolerance */
    bool control;     /**< of the simulation alone: control variates */
} nnd_deep_linear;

/** The model with its tables. */
extern const nnd_model nnd_deep_linear_model;

/** sigma of matrix `l` (0..L-1) or of the readout (L). */
double nnd_deep_linear_sigma(const nnd_deep_linear *p, size_t l);
/** Adds the dimension `z`: centres of the bins in which singular values are counted. */
NND_MUST_USE nnd_status nnd_deep_linear_add_bins(const nnd_deep_linear *p, nnd_frame *frame);
/** Whether a run is a flow that chooses its steps itself: it has no `steps`. */
bool nnd_deep_linear_adapts(const nnd_deep_linear *p);
/** Steps to record of a run that has some, times of an adaptive flow; ascending. The caller frees
 * marks->value. */
NND_MUST_USE nnd_status nnd_deep_linear_marks(nnd_context *ctx, const nnd_deep_linear *p,
                                              nnd_reals *marks);
/** How many those may be. */
double nnd_deep_linear_most_marks(const nnd_deep_linear *p);
/** The time `t` of a step to record, or of a time. */
double nnd_deep_linear_time(const nnd_deep_linear *p, double mark);
/** Multiplier of the learning rate at a step (1 without a schedule). */
double nnd_deep_linear_rate(const nnd_deep_linear *p, size_t step);
/** The greatest common divisor of the recorded steps and `steps`; steps is positive. */
int64_t nnd_deep_linear_record_unit(const nnd_deep_linear *p);
/** Steps of the first run of method: interpolate: 101 to 200, or more if recorded times need them,
 * each of which has a step. */
int64_t nnd_deep_linear_first_node(const nnd_deep_linear *p);

NND_API_END

#endif
