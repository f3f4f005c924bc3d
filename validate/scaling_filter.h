/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What full-batch training, and ridge, leaves along an eigenvector of the training kernel. */
#ifndef NNDMFT_VALIDATE_SCALING_FILTER_H
#define NNDMFT_VALIDATE_SCALING_FILTER_H

#include "nndmft/scaling_laws.h"

/**
 * Residual at time t over that at the start, for eigenvalue x >= 0: exp(-x t), (1 - eta x)^t, its
 * heavy-ball form, or mu/(x + mu). May be large, or infinite, where training diverges.
 */
double nnd_scaling_left(const nnd_scaling_laws *params, double x, double t);
/** (1 - nnd_scaling_left)/x for x > 0: what is learned of a unit gradient. */
double nnd_scaling_learned(const nnd_scaling_laws *params, double x, double t);

#endif
