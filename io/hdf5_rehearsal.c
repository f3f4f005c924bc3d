/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 1.10 crashes or hangs on some damaged files. A file that carries no seal of ours is
 * therefore read by a child process first; only what the child survives is read in this one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hdf5_impl.h"

/* Seconds of processor time: reading takes one per gigabyte, a hang takes for ever. */
enum { CPU_LIMIT = 60 };

static void rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader) {
    const struct rlimit cpu = {CPU_LIMIT, CPU_LIMIT}, core = {0, 0};
    int null = open("/dev/null", O_WRONLY);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    reader(ctx, path);
    _exit(0);
}

nnd_status nnd_hdf5_rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader) {
    int ended = 0;
    pid_t child = fork();
    if (child == 0)
        rehearse(ctx, path, reader);
    if (child < 0)
        return NND_OK; /* no process to spare: read without a rehearsal */
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return NND_OK;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return NND_OK;
    return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged: HDF5 cannot read it", path);
}
