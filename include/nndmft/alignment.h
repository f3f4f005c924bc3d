/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The model `alignment`: parameters of two linear networks that learn the same task, each with
 * noise of its own, and how similar they become (alignment.md#s1).
 */
#ifndef NNDMFT_ALIGNMENT_H
#define NNDMFT_ALIGNMENT_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/dataset.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum {
    NND_ALIGN_RIDGE,
    NND_ALIGN_FLOW,
    NND_ALIGN_GD,
    NND_ALIGN_RICH,
    NND_ALIGN_WHITE,
    NND_ALIGN_WEIGHT_DECAY,
    NND_ALIGN_GAUSSIAN
} nnd_alignment_training;

typedef enum {
    NND_COVARIANCE_ISOTROPIC,
    NND_COVARIANCE_POWER_LAW,
    NND_COVARIANCE_LIST
} nnd_covariance_kind;
typedef enum { NND_INPUTS_SHARED, NND_INPUTS_INDEPENDENT } nnd_alignment_inputs;
typedef enum { NND_START_ALONG_C, NND_START_RANDOM } nnd_alignment_start;
typedef enum { NND_METRIC_SIGMA, NND_METRIC_IDENTITY } nnd_alignment_metric;
typedef enum { NND_TASK_REGRESSION, NND_TASK_CLASSIFICATION } nnd_alignment_task;
typedef enum { NND_ROUTE_DIRECT, NND_ROUTE_NETWORK } nnd_alignment_route;
typedef enum { NND_TAILS_GAUSSIAN, NND_TAILS_MEASURED } nnd_alignment_tails;

/** Eigenvalues of the inputs' covariance. */
typedef struct {
    int kind;         /**< nnd_covariance_kind */
    double power_law; /**< a in s_i = i^-a; NaN: not given */
    int64_t dim;      /**< how many; 0: not given */
    nnd_reals eigenvalues;
} nnd_alignment_covariance;

/** Squared coordinates of the teacher along the eigenvectors. */
typedef struct {
    double norm2;     /**< |beta*|^2; NaN: not given */
    double power;     /**< beta* Sigma beta*; NaN: not given */
    double power_law; /**< b in beta*_i^2 ~ i^-b */
    nnd_reals coefficients2;
} nnd_alignment_teacher;

typedef enum { NND_PROBE_FRESH, NND_PROBE_TRAIN, NND_PROBE_TEST } nnd_alignment_probe_on;

/** Probes on which representations are compared. */
typedef struct {
    int64_t points; /**< 0: all of the distribution */
    int on;         /**< nnd_alignment_probe_on */
    bool centred;
    bool similarity; /**< all measures of similarity.h are taken */
} nnd_alignment_probe;

/** What the second network of a nonlinear pair has of its own; absent: as the first. */
typedef struct {
    int activation;                         /**< nnd_activation_kind + 1; 0: absent */
    int64_t depth;                          /**< 0: absent */
    double width, init_scale, descent_rate; /**< NaN: absent */
    int64_t batch;                          /**< -1: absent */
} nnd_alignment_second;

/** A network of a nonlinear pair. */
typedef struct {
    nnd_activation activation;
    size_t depth;                           /**< matrices, readout included */
    double width, init_scale, descent_rate; /**< K/D, .. */
    int64_t batch;                          /**< samples per step; 0: all */
} nnd_alignment_student;

/** Ranges, defaults and meaning of the parameters: `nndmft describe alignment`. */
typedef struct {
    nnd_data data;
    double alpha;
    int64_t samples;         /**< P; 0: not given */
    double snr, label_noise; /**< NaN: not given */
    double noise_correlation, input_noise;
    int tails;  /**< nnd_alignment_tails */
    int inputs; /**< nnd_alignment_inputs */
    nnd_alignment_covariance covariance;
    nnd_alignment_teacher teacher;
    int64_t dim;  /**< D; 0: not given */
    int training; /**< nnd_alignment_training */
    double ridge, weight_decay, time, lr;
    int64_t steps;
    nnd_reals record;
    int64_t record_every;
    int64_t depth;
    double init_scale;
    int init;     /**< nnd_alignment_start */
    int features; /**< nnd_alignment_inputs: of gaussian-init */
    double width; /**< K/D */
    int64_t outputs;
    nnd_dense output_gram, output_noise;
    nnd_alignment_probe probe;
    int metric; /**< nnd_alignment_metric */
    bool minimum;
    /* of the simulation alone */
    int route; /**< nnd_alignment_route */
    int task;  /**< nnd_alignment_task */
    nnd_activation activation;
    double descent_rate, tolerance;
    int64_t test_points, batch;
    nnd_alignment_second second;
} nnd_alignment;

extern const nnd_model nnd_alignment_model;

/** D if parameters fix it, else 0. */
size_t nnd_alignment_dim(const nnd_alignment *params);
/** True if inputs and labels are rows of data. */
bool nnd_alignment_has_data(const nnd_alignment *params);
/** True for the trainings whose variables depend on time. */
bool nnd_alignment_is_timed(const nnd_alignment *params);
/** Classes that the outputs stand for: with several outputs theirs, one output has two; of a
 *  regression 0. */
size_t nnd_alignment_classes(const nnd_alignment *params);
/** True for what the theory describes: linear networks on a regression. */
bool nnd_alignment_is_linear(const nnd_alignment *params);
/** Points on which nonlinear networks are measured: test rows of data, or drawn ones. */
size_t nnd_alignment_tests(const nnd_alignment *params);
/** Network b of a nonlinear pair. */
nnd_alignment_student nnd_alignment_student_of(const nnd_alignment *params, size_t b);
/** Hidden layers that both networks of a nonlinear pair have. */
size_t nnd_alignment_layers(const nnd_alignment *params);
/** Eigenvalues s_i and squared teacher coordinates of dimension `dim` (each dim numbers). */
void nnd_alignment_modes(const nnd_alignment *params, size_t dim, double *eigenvalue,
                         double *teacher2);
/** Element (i, j) of a matrix over outputs given as a list (its diagonal), a matrix, or not at all
 *  (the identity). */
double nnd_alignment_output(const nnd_dense *matrix, size_t i, size_t j);
/** Adds the dimension `direction` of the information imbalance: a to b, b to a. */
NND_MUST_USE nnd_status nnd_alignment_add_directions(nnd_frame *frame);
/** Recorded times, ascending: steps of gd, else times of the flow; the caller frees times->value.
 */
NND_MUST_USE nnd_status nnd_alignment_times(nnd_context *ctx, const nnd_alignment *params,
                                            nnd_reals *times);

NND_API_END

#endif
