/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/context.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

#include "nndmft/number.h"

enum { MESSAGE_SIZE = 1024 };

/* Part of the memory that may be planned for by default: the rest is for all that is not planned.
 */
static const double PLANNED = 0.8;

struct nnd_context {
    nnd_context_options options;
    nnd_context *root;      /* itself, or the context that this one is a part of */
    atomic_int interrupted; /* of the root; lock-free, so a signal handler may set it */
    omp_lock_t callbacks;   /* of the root: one call of a callback at a time */
    int beside;             /* pieces like this one that are worked on at a time, itself included */
    nnd_tally *tally;       /* of the piece that this context works on, or NULL */
    nnd_context *whole;     /* of which that piece is a part, or NULL */
    double share;           /* how much of it */
    double from, to;        /* the part of the piece that steps are counted in */
    double told;            /* the part of the piece that the tally knows of */
    char message[MESSAGE_SIZE];
};

nnd_context *nnd_context_new(const nnd_context_options *options) {
    if (options != NULL && options->ranks > 0 &&
        (options->rank < 0 || options->rank >= options->ranks))
        return NULL;
    nnd_context *ctx = calloc(1, sizeof *ctx);
    if (ctx == NULL)
        return NULL;
    ctx->root = ctx;
    ctx->beside = 1;
    omp_init_lock(&ctx->callbacks);
    if (options != NULL)
        ctx->options = *options;
    nnd_context_options *o = &ctx->options;
    if (o->threads <= 0)
        o->threads = nnd_allowed_threads("");
    if (o->ranks <= 0) {
        o->rank = 0;
        o->ranks = 1;
    }
    if (o->memory_limit == 0)
        o->memory_limit = (size_t)(PLANNED * nnd_allowed_memory(""));
    return ctx;
}

void nnd_context_free(nnd_context *ctx) {
    if (ctx != NULL)
        omp_destroy_lock(&ctx->callbacks);
    free(ctx);
}

int nnd_context_threads(const nnd_context *ctx) {
    return ctx->options.threads;
}

int nnd_context_rank(const nnd_context *ctx) {
    return ctx->options.rank;
}

int nnd_context_ranks(const nnd_context *ctx) {
    return ctx->options.ranks;
}

nnd_status nnd_context_agree(nnd_context *ctx, nnd_status status) {
    return ctx->options.ranks > 1 && ctx->options.agree != NULL
               ? ctx->options.agree(ctx->options.user, status)
               : status;
}

size_t nnd_context_memory_limit(const nnd_context *ctx) {
    return ctx->options.memory_limit;
}

nnd_status nnd_fail(nnd_context *ctx, nnd_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    nnd_vformat(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    return status;
}

nnd_status nnd_fail_memory(nnd_context *ctx, const char *what) {
    return nnd_fail(ctx, NND_E_MEMORY, "out of memory for %s", what);
}

nnd_status nnd_fail_about(nnd_context *ctx, nnd_status status, const char *what) {
    char message[MESSAGE_SIZE];
    memcpy(message, ctx->message, sizeof message);
    return nnd_fail(ctx, status, "%s: %s", what, message);
}

const char *nnd_context_message(const nnd_context *ctx) {
    return ctx->message;
}

void nnd_log(nnd_context *ctx, nnd_log_level level, const char *format, ...) {
    if (ctx->options.log == NULL)
        return;
    char line[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    nnd_vformat(line, sizeof line, format, args);
    va_end(args);
    omp_set_lock(&ctx->root->callbacks);
    ctx->options.log(ctx->options.user, level, line);
    omp_unset_lock(&ctx->root->callbacks);
}

void nnd_progress(nnd_context *ctx, const char *what, double done, size_t total) {
    if (ctx->options.progress == NULL)
        return;
    omp_set_lock(&ctx->root->callbacks);
    ctx->options.progress(ctx->options.user, what, done, total);
    omp_unset_lock(&ctx->root->callbacks);
}

void nnd_progress_begin(nnd_context *ctx, nnd_tally *tally) {
    ctx->tally = tally;
    ctx->told = 0.0;
    nnd_progress_within(ctx, 0.0, 1.0);
}

void nnd_progress_join(nnd_context *ctx, nnd_context *whole, size_t pieces) {
    nnd_progress_begin(ctx, whole->tally);
    ctx->whole = whole;
    ctx->share = (whole->to - whole->from) / (double)pieces;
}

void nnd_progress_within(nnd_context *ctx, double from, double to) {
    ctx->from = from;
    ctx->to = to;
}

static void tell(nnd_context *ctx, double part) {
    const double worth_a_word = 1e-3;
    if (ctx->tally == NULL || ctx->options.progress == NULL)
        return;
    omp_set_lock(&ctx->root->callbacks);
    nnd_tally *tally = ctx->tally;
    double more = part - ctx->told;
    if (more >= worth_a_word || (part >= 1.0 && more > 0.0)) {
        ctx->told = part;
        for (const nnd_context *c = ctx; c->whole != NULL; c = c->whole) {
            more *= c->share;
            c->whole->told += more;
        }
        tally->done += more;
        ctx->options.progress(ctx->options.user, tally->what, tally->done, tally->total);
    }
    omp_unset_lock(&ctx->root->callbacks);
}

nnd_status nnd_progress_step(nnd_context *ctx, double step, double steps) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %.10g", step);
    tell(ctx, steps > 0.0 ? ctx->from + (ctx->to - ctx->from) * step / steps : ctx->to);
    return NND_OK;
}

void nnd_progress_end(nnd_context *ctx) {
    tell(ctx, 1.0);
}

int nnd_context_concurrency(const nnd_context *ctx, size_t items, double bytes) {
    double fit = floor((double)ctx->options.memory_limit / fmax(bytes, 1.0));
    return (int)fmax(1.0, fmin(fmin(fit, (double)items), ctx->options.threads));
}

void nnd_context_interrupt(nnd_context *ctx) {
    atomic_store(&ctx->root->interrupted, 1);
}

bool nnd_context_interrupted(const nnd_context *ctx) {
    return atomic_load(&ctx->root->interrupted) != 0;
}

nnd_status nnd_check_memory(nnd_context *ctx, double bytes, const char *what) {
    double limit = (double)ctx->options.memory_limit;
    if (bytes * ctx->beside <= limit)
        return NND_OK;
    if (ctx->beside > 1)
        return nnd_fail(ctx, NND_E_LIMIT,
                        "%s needs %.3g GB of memory on each of %d threads, the limit is %.3g GB",
                        what, bytes * 1e-9, ctx->beside, limit * 1e-9);
    return nnd_fail(ctx, NND_E_LIMIT, "%s needs %.3g GB of memory, the limit is %.3g GB", what,
                    bytes * 1e-9, limit * 1e-9);
}

/* ---- pieces of work side by side ---- */

/* The first piece that failed, in the order of pieces. */
typedef struct {
    size_t piece;
    nnd_status status;
    char message[MESSAGE_SIZE];
} failure;

static void run_piece(nnd_context *ctx, int side_by_side, nnd_piece_fn work, size_t i, void *data,
                      failure *first) {
    nnd_context own = {
        .options = ctx->options, .root = ctx->root, .beside = ctx->beside * side_by_side};
    own.options.threads = side_by_side > 1 ? 1 : ctx->options.threads;
    nnd_status status = nnd_context_interrupted(ctx)
                            ? nnd_fail(&own, NND_E_INTERRUPTED, "interrupted at part %zu", i)
                            : work(&own, i, data);
    if (status >= NND_OK)
        return;
#pragma omp critical(nnd_first_failure)
    if (i < first->piece) {
#pragma omp atomic write
        first->piece = i;
        first->status = status;
        memcpy(first->message, own.message, sizeof own.message);
    }
}

nnd_status nnd_parallel(nnd_context *ctx, int workers, size_t count, nnd_piece_fn work,
                        void *data) {
    failure first = {.piece = SIZE_MAX};
    int side_by_side = (int)fmax(1.0, fmin(workers, (double)count));
#pragma omp parallel for schedule(dynamic, 1) num_threads(side_by_side) if (side_by_side > 1)
    for (size_t i = 0; i < count; i++) {
        size_t failed;
#pragma omp atomic read
        failed = first.piece;
        if (i < failed)
            run_piece(ctx, side_by_side, work, i, data, &first);
    }
    if (first.piece == SIZE_MAX)
        return NND_OK;
    memcpy(ctx->message, first.message, sizeof ctx->message);
    return first.status;
}
