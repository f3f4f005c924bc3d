/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "nndmft/io.h"
#include "support.h"
#include "tests/scratch.h"

static void write_through(nnd_output *output, const char *text) {
    scratch_write(nnd_output_path(output), text, strlen(text));
}

static void assert_holds(const char *path, const char *text) {
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    ck_assert_str_eq((char *)bytes, text);
    free(bytes);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 0777;
}

START_TEST(keep_replaces_in_one_step) {
    const char *path = scratch_path("a.txt");
    nnd_output *output;
    scratch_write(path, "old", 3);
    assert_ok(nnd_output_open(ctx, path, &output));
    ck_assert_uint_eq(scratch_count(".a.txt.nndmft-??????.tmp"), 1);
    write_through(output, "new");
    assert_holds(path, "old");
    assert_ok(nnd_output_close(ctx, output, true));
    assert_holds(path, "new");
    ck_assert_uint_eq(scratch_count(".*.tmp"), 0);
}
END_TEST

START_TEST(drop_leaves_the_old_file) {
    const char *path = scratch_path("a.txt");
    nnd_output *output;
    scratch_write(path, "old", 3);
    assert_ok(nnd_output_open(ctx, path, &output));
    write_through(output, "new");
    assert_ok(nnd_output_close(ctx, output, false));
    assert_holds(path, "old");
    ck_assert_uint_eq(scratch_count(".*.tmp"), 0);
}
END_TEST

START_TEST(two_outputs_do_not_meet) {
    nnd_output *a, *b;
    const char *path = scratch_path("a.txt");
    assert_ok(nnd_output_open(ctx, path, &a));
    assert_ok(nnd_output_open(ctx, path, &b));
    ck_assert_str_ne(nnd_output_path(a), nnd_output_path(b));
    write_through(a, "a");
    write_through(b, "b");
    assert_ok(nnd_output_close(ctx, a, true));
    assert_ok(nnd_output_close(ctx, b, true));
    assert_holds(path, "b");
}
END_TEST

START_TEST(mode_honours_umask_and_old_file) {
    nnd_output *output;
    mode_t mask = umask(0027);
    assert_ok(nnd_output_open(ctx, scratch_path("new"), &output));
    assert_ok(nnd_output_close(ctx, output, true));
    umask(mask);
    ck_assert_uint_eq(mode_of(scratch_path("new")), 0640);
    ck_assert_int_eq(chmod(scratch_path("new"), 0600), 0);
    assert_ok(nnd_output_open(ctx, scratch_path("new"), &output));
    assert_ok(nnd_output_close(ctx, output, true));
    ck_assert_uint_eq(mode_of(scratch_path("new")), 0600);
}
END_TEST

START_TEST(a_link_stays_a_link) {
    nnd_output *output;
    struct stat st;
    scratch_write(scratch_path("target"), "old", 3);
    ck_assert_int_eq(symlink("target", scratch_path("link")), 0);
    assert_ok(nnd_output_open(ctx, scratch_path("link"), &output));
    write_through(output, "new");
    assert_ok(nnd_output_close(ctx, output, true));
    ck_assert_int_eq(lstat(scratch_path("link"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    assert_holds(scratch_path("target"), "new");
}
END_TEST

/* Links to links to a file that is not there yet, relative to their own folders. */
START_TEST(a_dangling_link_makes_its_target) {
    nnd_output *output;
    struct stat st;
    ck_assert_int_eq(mkdir(scratch_path("data"), 0777), 0);
    ck_assert_int_eq(symlink("target", scratch_path("data/second")), 0);
    ck_assert_int_eq(symlink("data/second", scratch_path("first")), 0);
    ck_assert_int_eq(symlink(scratch_path("first"), scratch_path("link")), 0);
    assert_ok(nnd_output_open(ctx, scratch_path("link"), &output));
    ck_assert_uint_eq(scratch_count("data/.target.nndmft-??????.tmp"), 1);
    write_through(output, "new");
    assert_ok(nnd_output_close(ctx, output, true));
    assert_holds(scratch_path("data/target"), "new");
    ck_assert_int_eq(lstat(scratch_path("link"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(lstat(scratch_path("data/second"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(links_that_lead_nowhere_are_refused) {
    nnd_output *output;
    ck_assert_int_eq(symlink("b", scratch_path("a")), 0);
    ck_assert_int_eq(symlink("a", scratch_path("b")), 0);
    assert_status(nnd_output_open(ctx, scratch_path("a"), &output), NND_E_IO);
    assert_message("a: Too many levels of symbolic links");
    ck_assert_int_eq(symlink("none/c", scratch_path("c")), 0);
    assert_status(nnd_output_open(ctx, scratch_path("c"), &output), NND_E_IO);
    assert_message("No such file or directory");
    ck_assert_int_eq(symlink("/dev/null", scratch_path("d")), 0);
    assert_status(nnd_output_open(ctx, scratch_path("d"), &output), NND_E_IO);
    assert_message("is not a regular file");
}
END_TEST

/* ---- what killed writers leave behind ---- */

/* A process that opens outputs and is killed. */
static void leave_behind(const char *const *path) {
    pid_t child = fork();
    if (child == 0) {
        nnd_output *output;
        for (; *path != NULL; path++)
            assert_ok(nnd_output_open(ctx, *path, &output));
        kill(getpid(), SIGKILL);
    }
    int result;
    ck_assert_int_eq(waitpid(child, &result, 0), child);
    ck_assert(WIFSIGNALED(result));
}

START_TEST(the_next_writer_removes_what_a_killed_one_left) {
    nnd_output *output;
    const char *a = scratch_path("a"), *ab = scratch_path("a.b");
    leave_behind((const char *const[]){a, ab, NULL});
    ck_assert_uint_eq(scratch_count(".*.tmp"), 2);
    assert_ok(nnd_output_open(ctx, a, &output));
    ck_assert_uint_eq(scratch_count(".a.nndmft-*.tmp"), 1); /* its own */
    ck_assert_int_eq(access(nnd_output_path(output), F_OK), 0);
    ck_assert_uint_eq(scratch_count(".a.b.nndmft-*.tmp"), 1); /* of another file */
    assert_ok(nnd_output_close(ctx, output, true));
    ck_assert_uint_eq(scratch_count(".*.tmp"), 1);
}
END_TEST

START_TEST(temporaries_of_living_writers_stay) {
    nnd_output *output;
    int ends[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        assert_ok(nnd_output_open(ctx, scratch_path("a"), &output));
        _exit(write(ends[1], &byte, 1) == 1 && pause());
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    for (int round = 0; round < 3; round++) {
        assert_ok(nnd_output_open(ctx, scratch_path("a"), &output));
        ck_assert_uint_eq(scratch_count(".a.nndmft-*.tmp"), 2);
        assert_ok(nnd_output_close(ctx, output, true));
    }
    ck_assert_uint_eq(scratch_count(".a.nndmft-*.tmp"), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_ok(nnd_output_open(ctx, scratch_path("a"), &output));
    ck_assert_uint_eq(scratch_count(".a.nndmft-*.tmp"), 1);
    assert_ok(nnd_output_close(ctx, output, false));
}
END_TEST

START_TEST(what_looks_alike_stays) {
    static const char *const name[] = {
        ".a.backup.tmp",         ".a.nndmft-abcde.tmp", ".a.nndmft-abcdefg.tmp",
        ".a.nndmft-ABCDEF.tmp",  "a.nndmft-abcdef.tmp", ".b.nndmft-abcdef.tmp",
        ".a.nndmft-abcdef.tmp~", ".nndmft-abcdef.tmp",  ".a.nndmft-abc789.tmp",
    };
    enum { NAMES = sizeof name / sizeof *name };
    nnd_output *output;
    for (size_t i = 0; i < NAMES; i++)
        scratch_write(scratch_path(name[i]), "mine", 4);
    ck_assert_int_eq(mkdir(scratch_path(".a.nndmft-aaaaaa.tmp"), 0777), 0);
    ck_assert_int_eq(symlink(name[0], scratch_path(".a.nndmft-bbbbbb.tmp")), 0);
    assert_ok(nnd_output_open(ctx, scratch_path("a"), &output));
    assert_ok(nnd_output_close(ctx, output, true));
    for (size_t i = 0; i < NAMES; i++)
        assert_holds(scratch_path(name[i]), "mine");
    ck_assert_uint_eq(scratch_count(".a.nndmft-aaaaaa.tmp"), 1);
    ck_assert_uint_eq(scratch_count(".a.nndmft-bbbbbb.tmp"), 1);
}
END_TEST

/* ---- locks ---- */

/* Adds one to the number in a file, `turns` times, each time under the lock, and slowly, so that
 * others wait meanwhile. */
static void count_up(const char *path, int turns) {
    const struct timespec pause = {0, 2000000};
    for (int i = 0; i < turns; i++) {
        nnd_output_lock *lock;
        int number = 0;
        assert_ok(nnd_output_lock_wait(ctx, path, &lock));
        FILE *file = fopen(path, "r+");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%d", &number), 1);
        nanosleep(&pause, NULL);
        rewind(file);
        fprintf(file, "%d", number + 1);
        ck_assert_int_eq(fclose(file), 0);
        nnd_output_unlock(lock);
    }
}

START_TEST(a_lock_lets_one_writer_in_at_a_time) {
    enum { WRITERS = 4, TURNS = 10 };
    const char *path = scratch_path("count"), *link = scratch_path("link");
    scratch_write(path, "0", 1);
    ck_assert_int_eq(symlink("count", link), 0);
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0) {
            count_up(i % 2 == 0 ? path : link, TURNS);
            _exit(0);
        }
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_gt(wait(NULL), 0);
    assert_holds(path, "40");
    ck_assert_uint_eq(scratch_count(".count*"), 0);
}
END_TEST

/* Warnings of one who waits; some turns after the first one the waiting is over. */
static nnd_context *waiting;
static int warnings;

static void stop_waiting(int number) {
    (void)number;
    nnd_context_interrupt(waiting);
}

static void count_warnings(void *user, nnd_log_level level, const char *line) {
    const struct itimerval soon = {.it_value.tv_usec = 200000};
    (void)user;
    warnings += level == NND_LOG_WARNING && strstr(line, "waiting for another") != NULL;
    setitimer(ITIMER_REAL, &soon, NULL);
}

START_TEST(a_long_wait_for_a_lock_is_told_once) {
    const nnd_context_options options = {.log = count_warnings};
    nnd_output_lock *first, *second;
    waiting = nnd_context_new(&options);
    signal(SIGALRM, stop_waiting);
    assert_ok(nnd_output_lock_wait(ctx, scratch_path("a"), &first));
    assert_status(nnd_output_lock_wait(waiting, scratch_path("a"), &second), NND_E_INTERRUPTED);
    ck_assert_int_eq(warnings, 1);
    signal(SIGALRM, SIG_DFL);
    nnd_output_unlock(second);
    nnd_output_unlock(first);
    nnd_context_free(waiting);
}
END_TEST

START_TEST(waiting_for_a_lock_can_be_interrupted) {
    nnd_output_lock *first, *second;
    assert_ok(nnd_output_lock_wait(ctx, scratch_path("a"), &first));
    nnd_context_interrupt(ctx);
    assert_status(nnd_output_lock_wait(ctx, scratch_path("a"), &second), NND_E_INTERRUPTED);
    nnd_output_unlock(second);
    ck_assert_uint_eq(scratch_count(".a.nndmft.lock"), 1); /* that of the first */
    nnd_output_unlock(first);
    ck_assert_uint_eq(scratch_count(".a.nndmft.lock"), 0);
}
END_TEST

START_TEST(bare_and_long_names) {
    nnd_output *output;
    char name[251], here[4096];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(scratch_folder), 0);
    nnd_status status = nnd_output_open(ctx, name, &output);
    if (status == NND_OK)
        status = nnd_output_close(ctx, output, true);
    ck_assert_int_eq(chdir(here), 0);
    assert_ok(status);
    ck_assert_int_eq(access(scratch_path(name), F_OK), 0);
}
END_TEST

START_TEST(refusals_come_before_work) {
    nnd_output *output;
    const char *path = scratch_path("frozen");
    scratch_write(path, "old", 3);
    ck_assert_int_eq(chmod(path, 0444), 0);
    assert_status(nnd_output_open(ctx, path, &output), NND_E_IO);
    assert_message("frozen: is read-only");
    assert_status(nnd_output_open(ctx, scratch_folder, &output), NND_E_IO);
    assert_message("is a folder");
    assert_status(nnd_output_open(ctx, "/dev/null", &output), NND_E_IO);
    assert_message("is not a regular file");
    assert_status(nnd_output_open(ctx, scratch_path("none/a"), &output), NND_E_IO);
    assert_message("none/: No such file or directory");
    assert_status(nnd_output_open(ctx, scratch_path("frozen/a"), &output), NND_E_IO);
    assert_message("frozen/a: Not a directory");
    assert_status(nnd_output_open(ctx, scratch_path("none/"), &output), NND_E_IO);
    assert_message("is not the name of a file");
    assert_status(nnd_output_open(ctx, "", &output), NND_E_IO);
}
END_TEST

START_TEST(folder_without_permission) {
    nnd_output *output;
    if (geteuid() == 0)
        return; /* root may write anywhere */
    ck_assert_int_eq(chmod(scratch_folder, 0500), 0);
    assert_status(nnd_output_open(ctx, scratch_path("a"), &output), NND_E_IO);
    assert_message("Permission denied");
    ck_assert_int_eq(chmod(scratch_folder, 0700), 0);
}
END_TEST

START_TEST(failed_rename_is_reported) {
    nnd_output *output;
    const char *path = scratch_path("a");
    assert_ok(nnd_output_open(ctx, path, &output));
    ck_assert_int_eq(mkdir(path, 0777), 0);
    assert_status(nnd_output_close(ctx, output, true), NND_E_IO);
    assert_message("Is a directory");
    ck_assert_uint_eq(scratch_count(".*.tmp"), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
    tcase_add_test(tcase, keep_replaces_in_one_step);
    tcase_add_test(tcase, drop_leaves_the_old_file);
    tcase_add_test(tcase, two_outputs_do_not_meet);
    tcase_add_test(tcase, mode_honours_umask_and_old_file);
    tcase_add_test(tcase, a_link_stays_a_link);
    tcase_add_test(tcase, a_dangling_link_makes_its_target);
    tcase_add_test(tcase, links_that_lead_nowhere_are_refused);
    tcase_add_test(tcase, the_next_writer_removes_what_a_killed_one_left);
    tcase_add_test(tcase, temporaries_of_living_writers_stay);
    tcase_add_test(tcase, what_looks_alike_stays);
    tcase_add_test(tcase, a_lock_lets_one_writer_in_at_a_time);
    tcase_add_test(tcase, a_long_wait_for_a_lock_is_told_once);
    tcase_add_test(tcase, waiting_for_a_lock_can_be_interrupted);
    tcase_add_test(tcase, bare_and_long_names);
    tcase_add_test(tcase, refusals_come_before_work);
    tcase_add_test(tcase, folder_without_permission);
    tcase_add_test(tcase, failed_rename_is_reported);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
