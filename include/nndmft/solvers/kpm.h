/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Densities of eigenvalues of symmetric operators too large to decompose, by the kernel polynomial
 * method (Weisse et al. 2006; spectrum.md#s6): Chebyshev moments of random probes, two for each
 * product, damped by Jackson's kernel. The density is smooth over pi (upper - lower)/(2 moments):
 * edges and single eigenvalues cannot be read from it (lanczos.h finds those).
 */
#ifndef NNDMFT_SOLVERS_KPM_H
#define NNDMFT_SOLVERS_KPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Y = A X for `count` vectors, rows of X and Y (count x n). Several threads call it side by side.
 */
typedef void (*nnd_block_operator)(void *data, size_t count, const double *x, double *y);

/** A^T A, or A A^T where that is smaller, of a dense matrix, row-major: an operator of the size
 *  min(rows, cols). Room for the products on the other side is made in each call; without it the
 *  result is NaN, which all methods here refuse. */
typedef struct {
    size_t rows, cols;
    const double *matrix;
} nnd_gram;
/** For nnd_kpm_task, of an nnd_gram. */
void nnd_gram_apply(void *gram, size_t count, const double *x, double *y);
/** For nnd_operator of lanczos.h and slq.h. */
void nnd_gram_apply_one(void *gram, const double *x, double *y);
/** y = A x for `count` rows x of cols numbers, or A^T x of rows numbers. */
void nnd_gram_multiply(const nnd_gram *gram, bool transposed, size_t count, const double *x,
                       double *y);

/** What is asked for. */
typedef struct {
    size_t n; /**< size of the operator, at least 1 */
    nnd_block_operator apply;
    void *data;
    double lower, upper; /**< all eigenvalues are between; lower < upper */
    size_t moments;      /**< at least 2 */
    size_t probes;       /**< random vectors of signs; errors need two */
    uint64_t seed;       /**< of their random numbers */
} nnd_kpm_task;

/** Moments of an operator. Free with nnd_kpm_clear. */
typedef struct {
    double lower, upper;
    size_t moments, probes;
    double *moment;  /**< probes x moments: (1/n) r^T T_k(y) r with y the operator on [-1, 1] */
    double *damping; /**< moments: Jackson's kernel */
} nnd_kpm;

/**
 * Finds the moments; probes go in blocks of 16, side by side on the threads of the context: the
 * result does not depend on how many there are. NND_E_INPUT for a task out of its ranges;
 * NND_E_UNSOLVED if a moment is not finite or above 1, as those of an operator with eigenvalues
 * beyond the ends are.
 */
NND_MUST_USE nnd_status nnd_kpm_run(nnd_context *ctx, const nnd_kpm_task *task, nnd_kpm *kpm);
/** Frees what it owns and zeroes it. */
void nnd_kpm_clear(nnd_kpm *kpm);

/** Density and distribution function on a grid. Free with nnd_kpm_curve_clear. */
typedef struct {
    size_t count;
    double *z;                     /**< ascending, denser towards the ends */
    double *density, *share;       /**< means over probes; share: of eigenvalues up to z */
    double *density_se, *share_se; /**< standard errors over probes; NaN with one */
} nnd_kpm_curve;

/** Curves at `count` points z = mean - half-width cos(pi (j + 1/2)/count) from the first `used`
 *  moments, 2 <= used <= count, by fast cosine and sine transforms. */
NND_MUST_USE nnd_status nnd_kpm_curve_make(nnd_context *ctx, const nnd_kpm *kpm, size_t used,
                                           size_t count, nnd_kpm_curve *curve);
/** Frees what it owns and zeroes it. */
void nnd_kpm_curve_clear(nnd_kpm_curve *curve);
/** Mean and standard error of density and share (2 numbers each) at any z: 0 density outside of
 *  [lower, upper]. */
void nnd_kpm_at(const nnd_kpm *kpm, double z, double *density, double *share);

NND_API_END

#endif
