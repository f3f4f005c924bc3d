/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void set_default_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGCHLD, SIGPIPE, SIGXCPU};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
}

int nnd_child_start(nnd_child *child, nnd_child_work work, void *user) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    child->pid = fork();
    if (child->pid == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        set_default_signals();
        work(user, ends[1]);
        _exit(0);
    }
    int error = child->pid < 0 ? errno : 0;
    close(ends[1]);
    if (error != 0)
        close(ends[0]);
    child->report = ends[0];
    return error;
}

void nnd_child_report(int report, const void *bytes, size_t size) {
    while (write(report, bytes, size) < 0 && errno == EINTR)
        continue;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Reads the report. While the pipe is open the child lives, so that its number is its own. */
static nnd_child_end receive(const nnd_context *ctx, const nnd_child *child, size_t size,
                             char *report, double seconds) {
    enum { POLL_MS = 50 };
    double end = now() + seconds;
    for (size_t got = 0; got < size;) {
        if (nnd_context_interrupted(ctx))
            return NND_CHILD_INTERRUPTED;
        struct pollfd ready = {child->report, POLLIN, 0};
        if (poll(&ready, 1, POLL_MS) > 0) {
            ssize_t n = read(child->report, report + got, size - got);
            if (n == 0 || (n < 0 && errno != EINTR))
                return NND_CHILD_DIED;
            got += n > 0 ? (size_t)n : 0;
        } else if (now() > end)
            return NND_CHILD_LATE;
    }
    return NND_CHILD_REPORTED;
}

nnd_child_end nnd_child_wait(const nnd_context *ctx, nnd_child *child, size_t size, void *report,
                             double seconds) {
    nnd_child_end end = receive(ctx, child, size, report, seconds);
    /* A signal from the terminal ends the child as well as this process. */
    if (end == NND_CHILD_DIED && nnd_context_interrupted(ctx))
        end = NND_CHILD_INTERRUPTED;
    if (end == NND_CHILD_LATE || end == NND_CHILD_INTERRUPTED)
        kill(child->pid, SIGKILL);
    close(child->report);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return end;
}
