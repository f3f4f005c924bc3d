/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Unit vectors over samples along which control variates look at outputs and kernels. */
#ifndef NNDMFT_VALIDATE_SAMPLE_DIRECTION_H
#define NNDMFT_VALIDATE_SAMPLE_DIRECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/activation.h"

/** x' A y of an n x n matrix, row by row `stride` apart. */
double nnd_form(size_t n, const double *a, size_t stride, const double *x, const double *y);
/** u: the direction of the targets; that of a constant if they are 0. */
void nnd_direction_first(size_t n, const double *targets, double *u);
/** The axis of the first sample in place of u, if outputs of covariance phi vanish along u: equal
 *  samples with opposite targets. */
void nnd_direction_mend(size_t n, const double *phi, double *u);
/** v: what the matrix turns u to, less its part along u; if that is nothing, the axis farthest from
 *  u. n >= 2. */
void nnd_direction_second(size_t n, const double *kernel, const double *u, double *v);
/** Whether Gaussian outputs of covariance phi differ along u and v, and vanish along neither. */
bool nnd_directions_differ(size_t n, const double *phi, const double *u, const double *v);

/**
 * Phi = <phi phi> and S = <phi' phi'> (n x n) of preactivations with covariance `factor` times the
 * first n rows and columns of `gram`; false if quadrature does not resolve them.
 */
bool nnd_pair_means(const nnd_activation *activation, double factor, const double *gram,
                    size_t stride, size_t n, double *phi, double *slope);

#endif
