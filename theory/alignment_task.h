/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The task of the model `alignment` as the solvers take it. */
#ifndef NNDMFT_THEORY_ALIGNMENT_TASK_H
#define NNDMFT_THEORY_ALIGNMENT_TASK_H

#include "nndmft/alignment.h"
#include "nndmft/solvers/equivalent.h"
#include "theory/alignment_rows.h"

/**
 * Modes and noise. Isotropic inputs are one eigenvalue, samples then are alpha; else there are D
 * eigenvalues and alpha D samples. With several outputs teacher and noise are traces over them.
 */
typedef struct {
    nnd_eigenmodes modes;
    nnd_pair_task pair;
    double per_alpha;        /**< samples/alpha */
    double norm2, power;     /**< |beta*|^2, beta* Sigma beta* */
    double trace2;           /**< tr Sigma^2 over all D dimensions; NaN if D is not known */
    double teachers, noises; /**< traces of output_gram and output_noise */
    double residual;         /**< of data: what no linear function explains; else 0 */
    nnd_alignment_rows rows; /**< of data */
    double *storage;
} nnd_alignment_problem;

NND_MUST_USE nnd_status nnd_alignment_problem_make(nnd_context *ctx, const nnd_alignment *params,
                                                   nnd_alignment_problem *problem);
void nnd_alignment_problem_clear(nnd_alignment_problem *problem);

/**
 * CKA of C outputs, alignment.md#eq9, where the matrices of overlaps are
 * signal * output_gram + noise * output_noise with the given traces of signal and noise parts:
 * of Q_ab in the metric Sigma, and of Q_aa in the metrics Sigma and identity.
 */
NND_MUST_USE nnd_status nnd_alignment_outputs_cka(nnd_context *ctx, const nnd_alignment *params,
                                                  const nnd_alignment_problem *problem,
                                                  const double cross[2], const double self[2],
                                                  const double self_identity[2], double *cka);

#endif
