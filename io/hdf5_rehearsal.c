/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 1.10 crashes or hangs on some damaged files. A file that carries no seal of ours is
 * therefore read by a child process first; only what the child survives is read in this one. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hdf5_impl.h"

/*
 * What a sound file can need: decompression makes a file a thousand times larger at most, and takes
 * a second per gigabyte. What HDF5 makes of a damaged one may need anything.
 */
enum { SECONDS = 5, SECONDS_PER_BYTE = 1 << 20, EXPANSION = 1100 };
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

static void rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader, int out) {
    struct stat st;
    verdict v = {0};
    double bytes = stat(path, &st) == 0 ? (double)st.st_size : 0.0;
    int null = open("/dev/null", O_WRONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    limit_time(bytes);
    limit_memory(ctx, bytes);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    v.status = reader(ctx, path);
    if (v.status != NND_OK)
        snprintf(v.message, sizeof v.message, "%s", nnd_context_message(ctx));
    /* Less than a pipe holds: one write, which does not wait. */
    _exit(write(out, &v, sizeof v) == (ssize_t)sizeof v ? 0 : 1);
}

/* Waits for the child to end; an interrupt ends it. */
static bool ended_well(const nnd_context *ctx, pid_t child) {
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0) {
        if (errno != EINTR)
            return false;
        if (nnd_context_interrupted(ctx))
            kill(child, SIGKILL);
    }
    return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

nnd_status nnd_hdf5_rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader) {
    int ends[2];
    verdict v;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return nnd_fail(ctx, NND_E_IO, "%s: no pipe: %s", path, strerror(errno));
    pid_t child = fork();
    if (child == 0)
        rehearse(ctx, path, reader, ends[1]);
    close(ends[1]);
    nnd_status status = NND_OK;
    if (child < 0)
        status = nnd_fail(ctx, NND_E_IO, "%s: no process: %s", path, strerror(errno));
    else if (!ended_well(ctx, child) || read(ends[0], &v, sizeof v) != (ssize_t)sizeof v)
        status = nnd_context_interrupted(ctx)
                     ? nnd_fail(ctx, NND_E_INTERRUPTED, "%s: interrupted", path)
                     : nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged: HDF5 cannot read it", path);
    else if (v.status != NND_OK)
        status = nnd_fail(ctx, v.status, "%s", v.message);
    close(ends[0]);
    return status;
}
