/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Weight matrices of a network whose gradients have rank one. A matrix is kept as what it was when
 * last written out plus the updates since, so that a step costs two reads of each matrix and no
 * write; when the window of pending updates is full they are folded in, by one matrix product.
 */
#ifndef NNDMFT_VALIDATE_WEIGHTS_H
#define NNDMFT_VALIDATE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/context.h"

/**
 * Where the optimizer stands, in common for all matrices of a network:
 *     W = base W~ + lag V~ + sum_k weight_k u_k,   V = carry V~ + sum_k velocity_k u_k,
 * with pending updates u_k and W~, V~ the matrices as last written out.
 */
typedef struct {
    size_t capacity, count;
    double base, lag, carry;
    double *weight, *velocity;
} nnd_window;

/** A matrix W (rows x cols, row-major) that acts as scale * W. */
typedef struct {
    size_t rows, cols;
    double scale;    /**< of the matrix in the network */
    double strength; /**< of its updates: learning rate times the factors of the gradient */
    double *w;
    double *v;            /**< velocity; NULL without momentum */
    double *left, *right; /**< pending updates: strength * left_k right_k^T */
    double *scaled;       /**< scratch: left factors times their coefficients */
} nnd_weights;

/** Window and matrices are made with make and freed with clear (which takes half-made ones). */
NND_MUST_USE nnd_status nnd_window_make(nnd_context *ctx, size_t capacity, nnd_window *window);
void nnd_window_clear(nnd_window *window);
/** Forgets all updates. */
void nnd_window_reset(nnd_window *window);
NND_MUST_USE nnd_status nnd_weights_make(nnd_context *ctx, size_t rows, size_t cols,
                                         const nnd_window *window, bool momentum, nnd_weights *w);
void nnd_weights_clear(nnd_weights *w);

/** Adds an update with no weight yet; the caller then pushes its factors to each matrix. */
size_t nnd_window_push(nnd_window *window);
/** One step of heavy ball with decoupled decay: the newest update enters the velocity with `rate`.
 */
void nnd_window_descend(nnd_window *window, double rate, double momentum, double decay);
/** Writes all pending updates out; the caller does every matrix, then resets the window. */
void nnd_weights_fold(nnd_weights *w, const nnd_window *window);
/** Sets the factors of update k. */
void nnd_weights_push(nnd_weights *w, size_t k, const double *left, const double *right);

/** y = scale W x. `scratch` has room for the window's capacity. */
void nnd_weights_times(const nnd_weights *w, const nnd_window *window, const double *x, double *y,
                       double *scratch);
/** y = scale W^T x. */
void nnd_weights_transposed_times(const nnd_weights *w, const nnd_window *window, const double *x,
                                  double *y, double *scratch);

/** Writes scale W out, rows x cols. */
void nnd_weights_write(const nnd_weights *w, const nnd_window *window, double *out);

#endif
