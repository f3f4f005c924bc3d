/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `wide-mlp` (wide-mlp.md#s1). */
#ifndef NNDMFT_WIDE_MLP_H
#define NNDMFT_WIDE_MLP_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/batch.h"
#include "nndmft/dataset.h"
#include "nndmft/deep_linear.h"
#include "nndmft/model.h"
#include "nndmft/rates.h"

NND_API_BEGIN

/** How theory averages over sites (wide-mlp.md#s3, wide-mlp.md#s4). */
typedef enum {
    NND_WIDE_AUTO,       /**< the most accurate that applies */
    NND_WIDE_MARCH,      /**< sampled sites */
    NND_WIDE_QUADRATURE, /**< one hidden layer, one training sample, no test samples */
    NND_WIDE_EXACT       /**< linear activation: abstract coordinates */
} nnd_wide_solver;

/** The loss of one sample, a function of C outputs (wide-mlp.md#s13-1). */
typedef enum {
    NND_WIDE_MSE,          /**< (y - f)^2/2, summed over outputs */
    NND_WIDE_LOGISTIC,     /**< log(1 + exp(-y f)) of one output */
    NND_WIDE_CROSS_ENTROPY /**< log sum_c exp(f_c) - sum_c y_c f_c */
} nnd_wide_loss_kind;

/** Skip connections of hidden layers, and the scale of their branches (wide-mlp.md#s13). */
typedef enum {
    NND_RESIDUAL_NONE,
    NND_RESIDUAL_MUP_DEPTH, /**< scale 1/sqrt(L) */
    NND_RESIDUAL_PLAIN      /**< scale 1 */
} nnd_residual;

/** The most outputs. */
enum { NND_WIDE_MOST_OUTPUTS = 1000 };

/** Samples and tests, times outputs, above which they are many: then nothing of the size of their
 *  square is made that no parameter asks for. */
enum { NND_WIDE_MANY = 1024 };

/** In the frame of simulated networks, of the square loss alone: residuals of all outputs of all
 *  training samples over one dimension, times sqrt(C), so that half their mean square is the loss.
 */
#define NND_WIDE_RESIDUALS "residuals"

/** Ranges, defaults and meaning: the tables in models/wide_mlp.c. */
typedef struct {
    int64_t depth; /**< L, hidden layers */
    nnd_activation activation;
    int residual; /**< nnd_residual */
    double sigma_w, sigma_b, gamma0;
    int64_t outputs;      /**< C */
    int loss;             /**< nnd_wide_loss_kind */
    double lr;            /**< NaN for flow */
    int64_t steps;        /**< NND_ABSENT for an adaptive flow */
    int parameterization; /**< nnd_parameterization */
    nnd_data data;
    nnd_batch batch;
    int optimizer;                 /**< 0, sgd: others are refused */
    double momentum, weight_decay; /**< the decay is per step, of flow per unit of time */
    nnd_rates schedule;
    int integrator; /**< nnd_integrator */
    int method;     /**< nnd_method, without NND_INTERPOLATE */
    double time;    /**< NaN for gd */
    double tolerance;
    int solver; /**< nnd_wide_solver */
    int64_t samples, replicates;
    double rank_tol;
    int64_t seed;
    nnd_reals record; /**< steps, or times of an adaptive flow */
    int64_t record_every;
    bool two_time;
    bool kernels;     /**< Gram matrices and the NTK; of many samples `stability` too */
    bool spectrum;    /**< outliers of the hidden matrices */
    int64_t outliers; /**< how many per matrix */
    double divergence_bound;
    /* Of the simulation alone. */
    bool center, orthonormal_init, control;
} nnd_wide_mlp;

/** The model with its tables. */
extern const nnd_model nnd_wide_mlp_model;

/** Scale beta of hidden branches: 1 without skip connections. */
double nnd_wide_mlp_branch(const nnd_wide_mlp *p);
/** Whether a run is a flow that chooses its steps itself: it has no `steps`. */
bool nnd_wide_mlp_adapts(const nnd_wide_mlp *p);
/** Steps to record of a run that has some, times of an adaptive flow; ascending. The caller frees
 * marks->value. */
NND_MUST_USE nnd_status nnd_wide_mlp_marks(nnd_context *ctx, const nnd_wide_mlp *p,
                                           nnd_reals *marks);
/** How many those may be. */
double nnd_wide_mlp_most_marks(const nnd_wide_mlp *p);
/** The time `t` of a step to record, or of a time. */
double nnd_wide_mlp_time(const nnd_wide_mlp *p, double mark);
/** Multiplier of the learning rate at a step (1 without a schedule). */
double nnd_wide_mlp_rate(const nnd_wide_mlp *p, size_t step);
/** (2 - weight_decay) (1 + momentum). */
double nnd_wide_mlp_stability_edge(const nnd_wide_mlp *p);
/** The data set: classes are centred unit vectors for `mse`, unit vectors for `cross-entropy`, and
 *  -1 and 1 with one output. Free with nnd_dataset_clear. */
NND_MUST_USE nnd_status nnd_wide_mlp_dataset(nnd_context *ctx, const nnd_wide_mlp *p,
                                             nnd_dataset *set);
/** The same without the Gram matrix, which networks train without. */
NND_MUST_USE nnd_status nnd_wide_mlp_inputs(nnd_context *ctx, const nnd_wide_mlp *p,
                                            nnd_dataset *set);
/** Whether there are more than NND_WIDE_MANY outputs of samples and tests. */
bool nnd_wide_mlp_has_many(const nnd_wide_mlp *p);
/** Whether targets are classes, so that there is an accuracy. */
bool nnd_wide_mlp_classifies(const nnd_wide_mlp *p);

NND_API_END

#endif
