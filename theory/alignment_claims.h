/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From which dimension on the theory of `alignment` describes finite networks. */
#ifndef NNDMFT_THEORY_ALIGNMENT_CLAIMS_H
#define NNDMFT_THEORY_ALIGNMENT_CLAIMS_H

#include "nndmft/spectral_rule.h"
#include "theory/alignment_task.h"

/** Coefficients of 1/D in what ridge regression shows; NaN where they are not known. */
NND_MUST_USE nnd_status nnd_alignment_ridge_shift(nnd_context *ctx,
                                                  const nnd_alignment_problem *problem,
                                                  double lambda, nnd_dimension_shift *shift);

/**
 * The smallest dimensions at which the corrections of order 1/D are below 1 % of the value;
 * infinity where nothing is claimed. `cka` holds for representations of rank one.
 */
double nnd_alignment_cka_claim(const nnd_alignment *params, const nnd_alignment_problem *problem,
                               const nnd_dimension_shift *shift, double cka);
double nnd_alignment_train_claim(const nnd_alignment_problem *problem,
                                 const nnd_dimension_shift *shift, double train_error);
double nnd_alignment_teacher_claim(const nnd_alignment *params,
                                   const nnd_alignment_problem *problem);

#endif
