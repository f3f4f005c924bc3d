/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What gnuplot is run with, and what is said of it when it fails. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "plot/gnuplot.h"
#include "scratch.h"
#include "support.h"

/* Runs gnuplot's stand-in on a program. */
static nnd_status run(const char *command, const char *text) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    nnd_status status = nnd_gnuplot_run(ctx, command, file, scratch_path("out"));
    fclose(file);
    return status;
}

START_TEST(a_failing_or_missing_gnuplot_is_reported) {
    ck_assert_int_eq(run("gnuplot", "set terminal svg\nplot foo(\n"), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "invalid expression"));
    ck_assert_int_eq(run("no-such-gnuplot", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "no-such-gnuplot is not installed; pictures need it");
    ck_assert_int_eq(run("true", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx), "true drew nothing");
    ck_assert_int_eq(run("false", ""), NND_E_IO);
}
END_TEST

/* What the environment says to gnuplot must change neither a picture nor a message. */
START_TEST(the_surroundings_change_no_picture) {
    static const char curve[] = "set terminal svg\nplot sin(x)\n";
    size_t size[2];
    char *home = strdup(getenv("HOME") != NULL ? getenv("HOME") : "/");
    assert_ok(run("gnuplot", curve));
    unsigned char *before = scratch_read(scratch_path("out"), &size[0]);
    setenv("GNUTERM", "x11", 1);
    setenv("GNUPLOT_LIB", scratch_folder, 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("HOME", scratch_folder, 1);
    scratch_write(scratch_path(".gnuplot"), "set samples 3\n", 14);
    ck_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    assert_ok(run("gnuplot", curve));
    unsigned char *after = scratch_read(scratch_path("out"), &size[1]);
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(before, after, size[0]);
    ck_assert_int_eq(run("gnuplot", "plot foo(\n"), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "(exit code 1): "));
    ck_assert_int_eq(run("no-such-gnuplot", ""), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "not installed"));
    signal(SIGCHLD, SIG_DFL);
    unsetenv("GNUTERM");
    unsetenv("GNUPLOT_LIB");
    unsetenv("LC_ALL");
    setenv("HOME", home, 1);
    free(home);
    free(before);
    free(after);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gnuplot");
    TCase *tests = tcase_create("gnuplot");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, a_failing_or_missing_gnuplot_is_reported);
    tcase_add_test(tests, the_surroundings_change_no_picture);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
