/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Children report, die, take too long or are interrupted. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "io/child.h"
#include "support.h"
#include "tests/scratch.h"

static double seconds_since(struct timespec begin) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

static void report_double(void *user, int report) {
    double x = 2.0 * *(const double *)user;
    nnd_child_report(report, &x, sizeof x);
}

static void report_half(void *user, int report) {
    nnd_child_report(report, user, sizeof(double) / 2);
}

static void end_by_signal(void *user, int report) {
    (void)user, (void)report;
    raise(SIGKILL);
}

/* As one that waits for a pipe without a writer does: without using the processor. */
static void never_end(void *user, int report) {
    (void)user, (void)report;
    for (;;)
        pause();
}

static nnd_child_end run(nnd_child_work work, double *x, double seconds) {
    nnd_child child;
    ck_assert_int_eq(nnd_child_start(&child, work, x), 0);
    nnd_child_end end = nnd_child_wait(ctx, &child, sizeof *x, x, seconds);
    /* It is gone, whatever happened. */
    ck_assert_int_eq(kill(child.pid, 0), -1);
    return end;
}

/* With the default action for SIGCHLD (0), with SIGCHLD ignored (1). */
START_TEST(a_child_reports_or_dies) {
    double x = 21.0;
    signal(SIGCHLD, _i == 0 ? SIG_DFL : SIG_IGN);
    ck_assert_int_eq(run(report_double, &x, 60.0), NND_CHILD_REPORTED);
    ck_assert(x == 42.0);
    ck_assert_int_eq(run(report_half, &x, 60.0), NND_CHILD_DIED);
    ck_assert_int_eq(run(end_by_signal, &x, 60.0), NND_CHILD_DIED);
    signal(SIGCHLD, SIG_DFL);
}
END_TEST

START_TEST(a_child_that_never_ends_is_killed) {
    double x = 0.0;
    struct timespec begin;
    signal(SIGCHLD, _i == 0 ? SIG_DFL : SIG_IGN);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ck_assert_int_eq(run(never_end, &x, 0.1), NND_CHILD_LATE);
    ck_assert(seconds_since(begin) >= 0.1);
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(run(never_end, &x, 60.0), NND_CHILD_INTERRUPTED);
    ck_assert(seconds_since(begin) < 30.0); /* far below 60, far above what a busy machine takes */
    signal(SIGCHLD, SIG_DFL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("child");
    TCase *tcase = tcase_create("child");
    tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
    tcase_add_loop_test(tcase, a_child_reports_or_dies, 0, 2);
    tcase_add_loop_test(tcase, a_child_that_never_ends_is_killed, 0, 2);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
