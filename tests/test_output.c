/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "nndmft/io.h"
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
    ck_assert_uint_eq(scratch_count(".a.txt.??????.tmp"), 1);
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
    tcase_add_test(tcase, bare_and_long_names);
    tcase_add_test(tcase, refusals_come_before_work);
    tcase_add_test(tcase, folder_without_permission);
    tcase_add_test(tcase, failed_rename_is_reported);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
