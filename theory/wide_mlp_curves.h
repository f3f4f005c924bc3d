/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What theory of the model `wide-mlp` records, whatever the solver, and the frame made of it. */
#ifndef NNDMFT_THEORY_WIDE_MLP_CURVES_H
#define NNDMFT_THEORY_WIDE_MLP_CURVES_H

#include "nndmft/dataset.h"
#include "nndmft/frame.h"
#include "nndmft/wide_mlp.h"

/** Everything that is fixed before a run; shared by all replicates. */
typedef struct {
    nnd_context *ctx;
    const nnd_wide_mlp *params;
    nnd_dataset set;
    nnd_reals marks;                       /**< steps or, of an adaptive flow, times to record */
    size_t depth, samples, tests, outputs; /**< L; P; test samples; C */
    /** Training samples, then those test samples that march with them: all, or none if they are
     * more than the training samples; the rest is asked for where it is recorded. */
    size_t points;
    double *gram;      /**< K^x of the points: points x points */
    double rate;       /**< eta0; of flow 1 */
    double beta, skip; /**< scale of branches; 1 with skip connections, else 0 */
    double learned;    /**< gamma0 Delta_rms(0): what fields learn, relative to themselves */
} nnd_wide_problem;

NND_MUST_USE nnd_status nnd_wide_problem_make(nnd_context *ctx, const nnd_wide_mlp *params,
                                              nnd_wide_problem *problem);
void nnd_wide_problem_clear(nnd_wide_problem *problem);

/** The variables of models/wide_mlp.c, and what goes with them. */
typedef enum {
    WIDE_LOSS,
    WIDE_DELTA,
    WIDE_OUTPUT,
    WIDE_TEST_OUTPUT,
    WIDE_TEST_LOSS,
    WIDE_ACCURACY,
    WIDE_TEST_ACCURACY,
    WIDE_NTK,
    WIDE_NTK_TEST,
    WIDE_ALIGNMENT,
    WIDE_STABILITY,
    WIDE_H_GRAM,
    WIDE_PHI_GRAM,
    WIDE_G_GRAM,
    WIDE_READOUT_NORM2,
    WIDE_INPUT_EIG,
    WIDE_OUTLIER,
    WIDE_OUTLIER_LEFT,
    WIDE_OUTLIER_RIGHT,
    WIDE_OUTLIER_STRENGTH,
    WIDE_ESCAPE_TIME,
    WIDE_BULK_EDGE,
    WIDE_RANK_PHI,
    WIDE_RANK_G,
    WIDE_TRUNCATION,
    WIDE_FIELD_ERROR,     /**< as truncation, relative to fields: not in the frame */
    WIDE_INPUT_EIG_CLAIM, /**< x_min_size, of five variables */
    WIDE_STABILITY_CLAIM,
    WIDE_OUTLIER_CLAIM,
    WIDE_OUTLIER_LEFT_CLAIM,
    WIDE_OUTLIER_RIGHT_CLAIM,
    WIDE_PHI_TWO_TIME,
    WIDE_G_TWO_TIME,
    WIDE_VARIABLES
} nnd_wide_variable;

/** One run: NaN where nothing was recorded; an entry is NULL if the case does not ask for it. */
typedef struct {
    const nnd_wide_problem *problem;
    double *x[WIDE_VARIABLES];
    size_t count[WIDE_VARIABLES]; /**< numbers of each */
    double *data;
    double diverged; /**< time; NaN if it did not */
    size_t edge;     /**< first step beyond the edge of stability; SIZE_MAX: none */
} nnd_wide_curves;

NND_MUST_USE nnd_status nnd_wide_curves_make(const nnd_wide_problem *problem,
                                             nnd_wide_curves *record);
void nnd_wide_curves_clear(nnd_wide_curves *record);
/** A variable at recorded time `time`; NULL if it is not recorded. */
double *nnd_wide_curves_at(const nnd_wide_curves *record, nnd_wide_variable variable, size_t time);

/** Records what follows from the outputs on all points (training, then test) and from kappa, the
 * part of the initial weights that decay has left. */
void nnd_wide_curves_outputs(nnd_wide_curves *record, size_t time, double kappa,
                             const double *output);

/** Averages over sites of one network; with n = points x outputs. */
typedef struct {
    const double *output;   /**< points x outputs */
    const double *h, *phi;  /**< Gram matrices of each layer: depth x points x points each */
    const double *g;        /**< of g_{mu c}: depth x n x n */
    const double *unbiased; /**< points x points: of h^1 less its bias */
    const double *readout;  /**< outputs: <z_c z_c> */
    double *ntk;            /**< n x n, of the tangent kernel (nnd_wide_ntk) */
} nnd_wide_averages;

/** Records what follows from them. `multiplier` is that of the rate, s_t. */
NND_MUST_USE nnd_status nnd_wide_curves_kernels(nnd_wide_curves *record, size_t time,
                                                double multiplier,
                                                const nnd_wide_averages *averages);
/**
 * Eigenvalues of W^1/2 B^T K B W^1/2, ascending (samples x outputs of them): curvatures of the
 * loss of samples weighted by W (wide-mlp.md#s13-3).
 */
NND_MUST_USE nnd_status nnd_wide_curvatures(const nnd_wide_problem *problem, const double *weight,
                                            const double *output, const double *ntk, double *value);
/** Notes a step whose gradient has this top curvature, if the rate is beyond the edge of stability
 * with it. */
void nnd_wide_note_edge(nnd_wide_curves *record, size_t step, double multiplier, double curvature);
/** K of all points and outputs, n x n, from the Gram matrices of all layers (wide-mlp.md#eq15). */
void nnd_wide_ntk(const nnd_wide_problem *problem, const double *phi, const double *g, double *ntk);
/** Training loss of these outputs. */
double nnd_wide_loss(const nnd_wide_problem *problem, const double *output);
/** The loss above which a run has diverged. */
double nnd_wide_loss_limit(const nnd_wide_problem *problem);

/**
 * The frame of one or more runs: their mean and, if there are several, standard errors. Warns, as
 * attributes and in the log, where no number is meaningful (wide-mlp.md#s6). `solver` names what
 * was used. NND_DIVERGED if a run diverged.
 */
NND_MUST_USE nnd_status nnd_wide_frame(const nnd_wide_problem *problem, size_t runs,
                                       const nnd_wide_curves *record, const char *solver,
                                       nnd_frame **frame);

#endif
