/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From which dimension on the theory of `alignment` describes finite networks. */
#ifndef NNDMFT_THEORY_ALIGNMENT_CLAIMS_H
#define NNDMFT_THEORY_ALIGNMENT_CLAIMS_H

#include <stdbool.h>

#include "nndmft/solvers/spectral_rule.h"
#include "theory/alignment_task.h"

/** Coefficients of 1/D in what ridge regression shows; NaN where they are not known. */
NND_MUST_USE nnd_status nnd_alignment_ridge_shift(nnd_context *ctx,
                                                  const nnd_alignment_problem *problem,
                                                  double lambda, nnd_dimension_shift *shift);

/**
 * The smallest dimension at which a correction of order 1/D is below 1.25 % of the value; 0 where
 * it is not known.
 */
double nnd_alignment_claim(double shift, double value);
/** The same for CKA, whose correction is known for readouts of linear regression and estimated
 * elsewhere; rho is the cosine of the predictors. */
double nnd_alignment_cka_claim(const nnd_alignment *params, const nnd_alignment_problem *problem,
                               const nnd_dimension_shift *shift, double cka, double rho);
/** The same for the training error; infinity where it is small and the correction not known. */
double nnd_alignment_train_claim(const nnd_alignment_problem *problem,
                                 const nnd_dimension_shift *shift, double train_error);
/** The same for the cosine with the teacher, estimated where it is not known. */
double nnd_alignment_teacher_claim(const nnd_alignment *params,
                                   const nnd_alignment_problem *problem,
                                   const nnd_dimension_shift *shift, double cosine);
/** Whether a change of a value is below 1.25 % of it. */
bool nnd_alignment_is_negligible(double change, double value);

/**
 * What training from Gaussian features leaves of them outside of the span of fewer samples than
 * directions, to first order in their variance; 0 for other trainings and more samples.
 */
typedef struct {
    double self, cross; /**< more in Q_aa and Q_ab of the metric Sigma or identity */
} nnd_alignment_rest;

/** The reason of claims that it takes back. */
#define NND_REST_OF_START "what is left of the initial weights outside of the span of the inputs"

/** q: Q_aa of least norm, in the metric of the identity. */
nnd_alignment_rest nnd_alignment_rest_of_start(const nnd_alignment *params,
                                               const nnd_alignment_problem *problem, double q,
                                               bool sigma);

#endif
