/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Fresh batches bring a new direction of the inputs at every step; the past acts through a handful
 * of them (deep-linear.md#s2-3). Every window of steps the coordinates that are older than it are
 * replaced by those that the window has used.
 */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_WINDOW_H
#define NNDMFT_THEORY_DEEP_LINEAR_WINDOW_H

#include "theory/deep_linear_small.h"

typedef struct {
    size_t spaces; /**< inputs and layers */
    size_t steps;  /**< of the running window */
    struct nnd_window_space {
        size_t old, rows, room; /**< coordinates before the window; fields over them */
        double *row;
    } * space;
} nnd_small_window;

/** Steps of a window: 40, or more with much momentum. */
size_t nnd_small_window_length(const nnd_deep_linear *p);
/** A window that begins now. Free with nnd_small_window_clear in any case. */
NND_MUST_USE nnd_status nnd_small_window_make(nnd_context *ctx, const nnd_small *n,
                                              nnd_small_window *w);
void nnd_small_window_clear(nnd_small_window *w);
/** Begins again: nothing is noted yet. */
void nnd_small_window_restart(const nnd_small *n, nnd_small_window *w);
/** Notes the fields of stage 0; after the last step of a window compresses the network. */
NND_MUST_USE nnd_status nnd_small_window_note(nnd_context *ctx, nnd_small *n, nnd_small_window *w);

#endif
