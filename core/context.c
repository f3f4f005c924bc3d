/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/context.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nndmft/number.h"

enum { MESSAGE_SIZE = 1024 };

struct nnd_context {
    nnd_context_options options;
    atomic_int interrupted; /* lock-free, so a signal handler may set it */
    char message[MESSAGE_SIZE];
};

static size_t default_memory_limit(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_size <= 0)
        return (size_t)4 << 30;
    return (size_t)(0.8 * (double)pages * (double)page_size);
}

nnd_context *nnd_context_new(const nnd_context_options *options) {
    nnd_context *ctx = calloc(1, sizeof *ctx);
    if (ctx == NULL)
        return NULL;
    if (options != NULL)
        ctx->options = *options;
    nnd_context_options *o = &ctx->options;
    if (o->threads <= 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        o->threads = n > 0 ? (int)n : 1;
    }
    if (o->ranks <= 0) {
        o->rank = 0;
        o->ranks = 1;
    }
    if (o->memory_limit == 0)
        o->memory_limit = default_memory_limit();
    return ctx;
}

void nnd_context_free(nnd_context *ctx) {
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
    return ctx->options.ranks > 1 ? ctx->options.agree(ctx->options.user, status) : status;
}

size_t nnd_context_memory_limit(const nnd_context *ctx) {
    return ctx->options.memory_limit;
}

nnd_status nnd_fail(nnd_context *ctx, nnd_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
#pragma omp critical(nnd_context_message)
    nnd_vformat(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    return status;
}

nnd_status nnd_fail_memory(nnd_context *ctx, const char *what) {
    return nnd_fail(ctx, NND_E_MEMORY, "out of memory for %s", what);
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
#pragma omp critical(nnd_context_log)
    ctx->options.log(ctx->options.user, level, line);
}

void nnd_progress(nnd_context *ctx, const char *what, size_t done, size_t total) {
    if (ctx->options.progress == NULL)
        return;
#pragma omp critical(nnd_context_log)
    ctx->options.progress(ctx->options.user, what, done, total);
}

int nnd_context_concurrency(const nnd_context *ctx, size_t items, double bytes) {
    double fit = floor((double)ctx->options.memory_limit / fmax(bytes, 1.0));
    return (int)fmax(1.0, fmin(fmin(fit, (double)items), ctx->options.threads));
}

void nnd_context_interrupt(nnd_context *ctx) {
    atomic_store(&ctx->interrupted, 1);
}

bool nnd_context_interrupted(const nnd_context *ctx) {
    return atomic_load(&ctx->interrupted) != 0;
}

nnd_status nnd_check_memory(nnd_context *ctx, double bytes, const char *what) {
    double limit = (double)ctx->options.memory_limit;
    if (bytes <= limit)
        return NND_OK;
    return nnd_fail(ctx, NND_E_LIMIT, "%s needs %.3g GB of memory, the limit is %.3g GB", what,
                    bytes * 1e-9, limit * 1e-9);
}
