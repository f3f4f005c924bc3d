/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The context of a computation: message of the last failure, log, threads, memory limit, interrupt.
 * There is no process-global state: two contexts do not know each other, and may be used by two
 * threads at once. One context belongs to one thread at a time, but for nnd_log, nnd_progress,
 * nnd_context_interrupt and the getters of its options, which any thread may call.
 *
 * Results have the same bits for any number of threads, here and in the program around the library:
 * BLAS, which has to be OpenBLAS built with OpenMP or without threads, runs on one. The number of
 * OpenMP threads of the calling thread is set to 1 around it and restored.
 *
 * After fork() the child may use the library only if its parent has not worked with more than one
 * thread before: runtimes of OpenMP do not carry their threads over.
 */
#ifndef NNDMFT_CONTEXT_H
#define NNDMFT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/status.h"

NND_API_BEGIN

typedef struct nnd_context nnd_context;

typedef enum { NND_LOG_WARNING, NND_LOG_NOTE, NND_LOG_DETAIL } nnd_log_level;

/*
 * Callbacks are called by whichever thread has something to say, one call at a time per context.
 * They may call nnd_context_interrupt, but nothing else of their own context.
 */

/** Receives one log line without a newline. */
typedef void (*nnd_log_fn)(void *user, nnd_log_level level, const char *line);

/** Receives progress: `done` of `total` pieces of the task named `what`, parts of some included. */
typedef void (*nnd_progress_fn)(void *user, const char *what, double done, size_t total);

/** Waits until all processes that share the work call it; returns the lowest of their statuses. */
typedef nnd_status (*nnd_agree_fn)(void *user, nnd_status status);

/** How a context is made; zero-initialise, then set what differs from the default. */
typedef struct {
    int threads;              /**< worker threads; 0: as many as the process may use, which is the
                                   least of its processors (affinity), the processor time of its
                                   control group and OMP_NUM_THREADS */
    int rank, ranks;          /**< this process among `ranks` that share the work; 0, 0: alone */
    size_t memory_limit;      /**< bytes that may be planned for; 0: 80 % of the physical memory
                                   or of what the control group allows */
    nnd_log_fn log;           /**< NULL: silent */
    nnd_progress_fn progress; /**< NULL: silent */
    nnd_agree_fn agree;       /**< needed if ranks > 1 */
    void *user;               /**< handed to the callbacks */
} nnd_context_options;

/** A new context, owned by the caller. NULL options: all defaults. NULL when out of memory, and if
 *  `rank` is not one of 0..ranks-1. */
nnd_context *nnd_context_new(const nnd_context_options *options);
/** Frees a context; NULL is allowed. */
void nnd_context_free(nnd_context *ctx);

/** Worker threads, at least 1. */
int nnd_context_threads(const nnd_context *ctx);
/** This process among those that share the work, 0 of one alone. */
int nnd_context_rank(const nnd_context *ctx);
/** Number of processes that share the work, at least 1. */
int nnd_context_ranks(const nnd_context *ctx);
/** The lowest status of all ranks, once all have called it. */
NND_MUST_USE nnd_status nnd_context_agree(nnd_context *ctx, nnd_status status);
/** Planned bytes above which work is refused. */
size_t nnd_context_memory_limit(const nnd_context *ctx);

/** Stores a one-line message (printf format) and returns `status`, which must be negative. */
nnd_status nnd_fail(nnd_context *ctx, nnd_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** nnd_fail for an allocation that failed: `what` names the thing. */
nnd_status nnd_fail_memory(nnd_context *ctx, const char *what);
/** Puts "what: " before the message of the last failure; returns its status, negative. */
nnd_status nnd_fail_about(nnd_context *ctx, nnd_status status, const char *what);
/** The message of the last failure, "" if there was none; valid until the next failure. */
const char *nnd_context_message(const nnd_context *ctx);

/** Sends one line to the log callback. */
void nnd_log(nnd_context *ctx, nnd_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Sends progress to the progress callback. */
void nnd_progress(nnd_context *ctx, const char *what, double done, size_t total);

/** A task of many pieces, each of which may say how far it is; make it with the first two alone. */
typedef struct {
    const char *what;
    size_t total;
    double done;
} nnd_tally;

/** From now on `ctx`, which it has to itself, works on a piece of a tally, which must outlive it.
 */
void nnd_progress_begin(nnd_context *ctx, nnd_tally *tally);
/** From now on `ctx` works on one of `pieces` equal pieces of what `whole` works on, which waits.
 */
void nnd_progress_join(nnd_context *ctx, nnd_context *whole, size_t pieces);
/** The part of the piece, from 0 to 1, that nnd_progress_step is about until this is called again;
 * all of it at first. */
void nnd_progress_within(nnd_context *ctx, double from, double to);
/**
 * To be called at every step of what takes long: `step` of `steps` are done. Sends progress, if
 * there is something to tell. NND_E_INTERRUPTED, with a message, if the work is to end.
 */
NND_MUST_USE nnd_status nnd_progress_step(nnd_context *ctx, double step, double steps);
/** The piece is done. */
void nnd_progress_end(nnd_context *ctx);

/**
 * Workers, at least 1, for `items` pieces of work that each need `bytes`: at most one per item and
 * per thread, and as many as fit in memory side by side.
 */
int nnd_context_concurrency(const nnd_context *ctx, size_t items, double bytes);

/** Asks running work to stop at the next safe point; async-signal-safe. */
void nnd_context_interrupt(nnd_context *ctx);
/** True once the context, or the one it works for, has been interrupted. */
bool nnd_context_interrupted(const nnd_context *ctx);

/** Piece `i` of some work. `ctx` is its own: it holds its message, and lives no longer than it. */
typedef nnd_status (*nnd_piece_fn)(nnd_context *ctx, size_t i, void *data);

/**
 * Does the pieces 0..count-1 on at most `workers` threads. The context of a piece shares log,
 * progress, memory limit and interrupt with `ctx`; it has one thread where pieces run side by side,
 * and what nnd_check_memory is asked of it is for as many pieces.
 * Frames that outlive their piece must be handed over by nnd_frame_adopt.
 *
 * Returns NND_OK, or the first failure (negative status) in the order of pieces with its message,
 * the same for any number of threads. Pieces after a failed one are not begun if they can be
 * avoided, nor is any after an interrupt (NND_E_INTERRUPTED).
 */
NND_MUST_USE nnd_status nnd_parallel(nnd_context *ctx, int workers, size_t count, nnd_piece_fn work,
                                     void *data);

/** NND_E_LIMIT with a message naming `what` and the bytes if `bytes`, held by all pieces that are
 * worked on side by side, exceed the memory limit. */
NND_MUST_USE nnd_status nnd_check_memory(nnd_context *ctx, double bytes, const char *what);

NND_API_END

#endif
