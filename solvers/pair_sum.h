/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Double sums over the nodes of a contour that is its own mirror image in the real axis. */
#ifndef NNDMFT_SOLVERS_PAIR_SUM_H
#define NNDMFT_SOLVERS_PAIR_SUM_H

#include <complex.h>
#include <stddef.h>

#include "nndmft/context.h"

/** The most rows that are asked for at a time. */
enum { NND_PAIR_ROWS = 8 };

/**
 * Kernels between the nodes first..first+rows-1 and all nodes, those of the upper half plane and
 * then their mirror images: kernel number m is `rows` x 2 nodes numbers from kernel + m stride.
 */
typedef void (*nnd_pair_kernels)(size_t first, size_t rows, size_t stride, double complex *kernel,
                                 void *data);

/**
 * sum[m][t] = sum_jk u_j(t) K^m_jk u_k(t) over nodes and mirror images, where K at two mirror
 * images is the conjugate, and u is `times` x `nodes`, of the upper half plane; `sum` is `kernels`
 * x `times`, zero at first.
 */
NND_MUST_USE nnd_status nnd_pair_sum(nnd_context *ctx, size_t nodes, size_t kernels,
                                     nnd_pair_kernels fill, void *data, size_t times,
                                     const double complex *u, double *sum);

#endif
