/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Child processes that report through a pipe. How a child ended is never asked of the system, which
 * does not tell where SIGCHLD is ignored or somebody else waits for all children; both are up to
 * the program that uses the library.
 */
#ifndef NNDMFT_IO_CHILD_H
#define NNDMFT_IO_CHILD_H

#include <sys/types.h>

#include "nndmft/context.h"

/* A child that was started. */
typedef struct {
    pid_t pid;
    int report; /* end of the pipe to read from */
} nnd_child;

/* What a child does; it ends when this returns. It reports with nnd_child_report. */
typedef void (*nnd_child_work)(void *user, int report);

/* Starts a child: 0, or what errno says. It dies with the thread that started it, and signals have
 * their default meaning in it. */
int nnd_child_start(nnd_child *child, nnd_child_work work, void *user);
/* Within the child: sends its report, at most PIPE_BUF bytes. */
void nnd_child_report(int report, const void *bytes, size_t size);

typedef enum {
    NND_CHILD_REPORTED,
    NND_CHILD_DIED,       /* without its report */
    NND_CHILD_LATE,       /* killed after the time allowed */
    NND_CHILD_INTERRUPTED /* killed because the context was interrupted */
} nnd_child_end;

/* Waits for the report of `size` bytes, at most `seconds`, and for the end of the child. */
nnd_child_end nnd_child_wait(const nnd_context *ctx, nnd_child *child, size_t size, void *report,
                             double seconds);

#endif
