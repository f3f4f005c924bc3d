/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A place that keeps frames by key; the ensemble writes its finished blocks through it. */
#ifndef NNDMFT_STORE_H
#define NNDMFT_STORE_H

#include <stdbool.h>

#include "nndmft/api.h"
#include "nndmft/frame.h"

NND_API_BEGIN

/** The interface; `self` is handed to every call. Calls must not overlap. */
typedef struct {
    void *self;
    /** Sets `*found` if the key is there, whole and readable. */
    nnd_status (*has)(void *self, nnd_context *ctx, const char *key, bool *found);
    /** Keeps a frame, replacing an older one in one indivisible step. */
    nnd_status (*put)(void *self, nnd_context *ctx, const char *key, const nnd_frame *frame);
    /** Returns a new frame, owned by the caller. */
    nnd_status (*get)(void *self, nnd_context *ctx, const char *key, nnd_frame **frame);
} nnd_store;

/** A store in memory, NULL when out of memory. Free with nnd_memory_store_free. */
nnd_store *nnd_memory_store_new(void);
/** Frees a store with its frames; NULL is allowed. */
void nnd_memory_store_free(nnd_store *store);

NND_API_END

#endif
