/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { BAR_WIDTH = 30, SECONDS_PER_LINE = 60 };

static struct {
    double began, shown;
    size_t done; /* when the task began */
    const char *what;
    bool drawn;
} bar;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void draw(const char *what, size_t done, size_t total, double left) {
    size_t filled = done * BAR_WIDTH / total;
    fprintf(stderr, "\r%-10s [", what);
    for (size_t i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    nnd_print(stderr, "] %zu/%zu, %.0f s left \033[K", done, total, left);
    fflush(stderr);
    bar.drawn = true;
}

void cli_progress(void *user, const char *what, size_t done, size_t total) {
    (void)user;
    double t = now();
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (bar.what != what) {
        bar.what = what;
        bar.began = bar.shown = t;
        bar.done = done;
        return;
    }
    double interval = terminal ? 0.1 : SECONDS_PER_LINE;
    if (t - bar.shown < interval || done <= bar.done)
        return;
    bar.shown = t;
    double left = (t - bar.began) * (double)(total - done) / (double)(done - bar.done);
    if (terminal)
        draw(what, done, total, left);
    else
        nnd_print(stderr, "nndmft: %s: %zu of %zu, %.0f s left\n", what, done, total, left);
}

void cli_progress_end(void) {
    if (bar.drawn)
        fprintf(stderr, "\r\033[K");
    bar.drawn = false;
    bar.what = NULL;
}
