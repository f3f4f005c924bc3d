/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5 1.10 crashes or hangs on some damaged files, and on some that were made for it. A file that
 * this process did not write is therefore read by a child first; only what the child survives is
 * read here. A seal spares nothing: it says that a file is whole, not who wrote it.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/child.h"
#include "io/hdf5_impl.h"

/*
 * What a sound file can need: decompression makes a file a thousand times larger at most, and takes
 * a second per gigabyte. What HDF5 makes of a damaged one may need anything. On top of the
 * processor's time a slow disk may need some.
 */
enum { SECONDS = 5, WAITING_SECONDS = 60, SECONDS_PER_BYTE = 1 << 20, EXPANSION = 1100 };
static const double SPARE = 1e9;

static void limit_time(double bytes) {
    rlim_t seconds = (rlim_t)(SECONDS + bytes / SECONDS_PER_BYTE);
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
}

/* Limits the memory beyond what the process has. */
static void limit_memory(const nnd_context *ctx, double bytes) {
    unsigned long pages;
    double more = fmin(EXPANSION * bytes, (double)nnd_context_memory_limit(ctx)) + SPARE;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL && fscanf(file, "%lu", &pages) == 1) {
        rlim_t most = (rlim_t)((double)pages * (double)sysconf(_SC_PAGESIZE) + more);
        setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    }
    if (file != NULL)
        fclose(file);
}

/* What the child tells: how reading went. */
typedef struct {
    nnd_status status;
    char message[1024];
} verdict;

/* What the child is asked. */
typedef struct {
    nnd_context *ctx;
    nnd_hdf5_reader reader;
    const void *user;
    double bytes; /* size of the file */
} request;

static void rehearse(void *user, int report) {
    const request *r = user;
    verdict v = {0};
    int null = open("/dev/null", O_WRONLY);
    limit_time(r->bytes);
    limit_memory(r->ctx, r->bytes);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    /* A context of its own: another thread may have been logging at the moment of the fork. */
    nnd_context_options quiet = {.threads = 1, .memory_limit = nnd_context_memory_limit(r->ctx)};
    nnd_context *ctx = nnd_context_new(&quiet);
    if (ctx == NULL)
        return;
    v.status = r->reader(ctx, r->user);
    if (v.status != NND_OK)
        snprintf(v.message, sizeof v.message, "%s", nnd_context_message(ctx));
    nnd_child_report(report, &v, sizeof v);
    nnd_context_free(ctx);
}

nnd_status nnd_hdf5_rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader,
                             const void *user) {
    struct stat st;
    request r = {ctx, reader, user, stat(path, &st) == 0 ? (double)st.st_size : 0.0};
    double seconds = WAITING_SECONDS + r.bytes / SECONDS_PER_BYTE;
    nnd_child child;
    verdict v;
    int error = nnd_child_start(&child, rehearse, &r);
    if (error != 0)
        return nnd_fail(ctx, NND_E_IO, "%s: no process to read it: %s", path, strerror(error));
    switch (nnd_child_wait(ctx, &child, sizeof v, &v, seconds)) {
    case NND_CHILD_REPORTED:
        return v.status == NND_OK ? NND_OK : nnd_fail(ctx, v.status, "%s", v.message);
    case NND_CHILD_INTERRUPTED:
        return nnd_fail(ctx, NND_E_INTERRUPTED, "%s: interrupted", path);
    case NND_CHILD_LATE:
        return nnd_fail(ctx, NND_E_FORMAT, "%s: HDF5 has not read it after %.0f s: given up", path,
                        seconds);
    case NND_CHILD_DIED:
        break;
    }
    return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged: HDF5 cannot read it", path);
}
