/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The losses of wide networks (wide-mlp.md#s13-1). Outputs and targets are samples x C. */
#ifndef NNDMFT_THEORY_WIDE_MLP_LOSS_H
#define NNDMFT_THEORY_WIDE_MLP_LOSS_H

#include <stddef.h>

#include "nndmft/wide_mlp.h"

/** Mean over samples of l(f, y). */
double nnd_wide_loss_mean(nnd_wide_loss_kind loss, size_t samples, size_t outputs,
                          const double *target, const double *output);
/** Delta = -dl/df of each sample and output. */
void nnd_wide_loss_residual(nnd_wide_loss_kind loss, size_t samples, size_t outputs,
                            const double *target, const double *output, double *delta);
/** B (C x C) of one sample, d^2 l/df^2 = B B^T, at its outputs. */
void nnd_wide_loss_root(nnd_wide_loss_kind loss, size_t outputs, const double *output,
                        double *root);
/** |v|^2 of the v with B v = Delta, for one sample (infinite if there is none in double precision):
 * Delta^T K Delta over its sum bounds the top of B^T K B from below. */
double nnd_wide_loss_norm2(nnd_wide_loss_kind loss, size_t outputs, const double *output,
                           const double *delta);
/** The part of the samples whose outputs say the class that the targets say. */
double nnd_wide_loss_accuracy(size_t samples, size_t outputs, const double *target,
                              const double *output);

#endif
