/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { BAR_WIDTH = 30, TEXT_SIZE = 64 };

/* Seconds between two words of progress, to a terminal and to a log. */
static const double DRAW_EVERY = 0.1, SAY_EVERY = 60.0;

static struct {
    double began, shown;
    double done; /* when the task began */
    const char *what;
    bool drawn;
} bar;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What is done of how many pieces, and how long the rest takes. */
static void describe(double done, size_t total, double left, char *text) {
    const char *unit = left < 100.0 ? "s" : left < 6000.0 ? "min" : "h";
    double one = left < 100.0 ? 1.0 : left < 6000.0 ? 60.0 : 3600.0;
    char whole[TEXT_SIZE] = "";
    if (total > 1)
        snprintf(whole, sizeof whole, " of %zu", total);
    nnd_format(text, TEXT_SIZE, "%.0f %%%s, %.*f %s left", 100.0 * done / (double)total, whole,
               one > 60.0 ? 1 : 0, left / one, unit);
}

static void draw(const char *what, double part, const char *text) {
    fprintf(stderr, "\r%-10s [", what);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < (int)(part * BAR_WIDTH) ? '#' : '.', stderr);
    fprintf(stderr, "] %s \033[K", text);
    fflush(stderr);
    bar.drawn = true;
}

void cli_progress(void *user, const char *what, double done, size_t total) {
    (void)user;
    char text[TEXT_SIZE];
    double t = now();
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (bar.what == NULL || strcmp(bar.what, what) != 0) {
        bar.what = what;
        bar.began = bar.shown = t;
        bar.done = done;
        return;
    }
    if (t - bar.shown < (terminal ? DRAW_EVERY : SAY_EVERY) || done <= bar.done)
        return;
    bar.shown = t;
    describe(done, total, (t - bar.began) * ((double)total - done) / (done - bar.done), text);
    if (terminal)
        draw(what, done / (double)total, text);
    else
        fprintf(stderr, "nndmft: %s: %s\n", what, text);
}

void cli_progress_hide(void) {
    if (bar.drawn)
        fprintf(stderr, "\r\033[K");
    bar.drawn = false;
}

void cli_progress_end(void) {
    cli_progress_hide();
    bar.what = NULL;
}
