/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Losses of outputs, their gradients and curvatures, and accuracy (wide-mlp.md#s13-1). */
#ifndef NNDMFT_VALIDATE_WIDE_MLP_LOSS_H
#define NNDMFT_VALIDATE_WIDE_MLP_LOSS_H

#include "nndmft/wide_mlp.h"

/** Outputs of one network, which are C x ld as in nnd_network.output, and targets of n samples. */
typedef struct {
    int kind; /**< nnd_wide_loss_kind */
    size_t outputs, n, ld;
    const double *target; /**< n x C */
    const double *output; /**< C x ld; NULL: all are 0 */
} nnd_wide_outputs;

/** Mean loss of the n samples; residual (n x C, if wanted) = -d loss/d f of each, not weighted. */
double nnd_wide_mean_loss(const nnd_wide_outputs *of, double *residual);
/** Share of the n samples whose outputs say the class of their target. */
double nnd_wide_accuracy(const nnd_wide_outputs *of);
/** b (C x C) of sample mu: b b^T is the curvature d^2 loss/df df^T. */
void nnd_wide_curvature_root(const nnd_wide_outputs *of, size_t mu, double *b);

#endif
