/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "nndmft/io.h"
#include "support.h"
#include "tests/scratch.h"

static nnd_store *open_store(const char *digest, bool force) {
    nnd_store *store;
    assert_ok(nnd_folder_store_open(ctx, scratch_path("run.parts"), digest, force, &store));
    return store;
}

/* A frame whose values depend on `start`; large enough to be compressed if `length` is. */
static nnd_frame *new_frame(size_t length, double start) {
    nnd_frame *frame;
    double *data;
    const char *const name[] = {"plain", "größe", ""};
    assert_ok(nnd_frame_new(ctx, &frame));
    assert_ok(nnd_frame_add_range(frame, "t", length, 0));
    assert_ok(nnd_frame_add_text_dim(frame, "kind", 3, name));
    assert_ok(nnd_frame_add(frame, "loss", "kind,t", &data));
    for (size_t i = 0; i < 3 * length; i++)
        data[i] = i % 7 == 3 ? NAN : start + sin((double)i);
    assert_ok(nnd_frame_add_scalar(frame, "status", start));
    assert_ok(nnd_frame_set_text(frame, NULL, "digest", "of the frame"));
    return frame;
}

static void put(nnd_store *store, const char *key, size_t length, double start) {
    nnd_frame *frame = new_frame(length, start);
    assert_ok(store->put(store->self, ctx, key, frame));
    nnd_frame_free(frame);
}

static bool has(nnd_store *store, const char *key) {
    bool found;
    assert_ok(store->has(store->self, ctx, key, &found));
    return found;
}

static void assert_gives(nnd_store *store, const char *key, size_t length, double start) {
    nnd_frame *got, *wanted = new_frame(length, start);
    assert_ok(store->get(store->self, ctx, key, &got));
    const nnd_array *a = nnd_frame_find(got, "loss"), *b = nnd_frame_find(wanted, "loss");
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_mem_eq(a->data, b->data, a->count * sizeof *a->data);
    ck_assert_uint_eq(nnd_frame_attribute_count(got), nnd_frame_attribute_count(wanted));
    ck_assert_str_eq(nnd_frame_find_dim(got, "kind")->text[1], "größe");
    nnd_frame_free(got);
    nnd_frame_free(wanted);
}

START_TEST(keeps_frames_across_openings) {
    nnd_store *store = open_store("d1", false);
    ck_assert(!has(store, "b0"));
    put(store, "b0", 5, 1.0);
    put(store, "b1", 5000, 2.0);
    put(store, "b0", 6, 3.0);
    nnd_folder_store_close(store);
    store = open_store("d1", false);
    ck_assert(has(store, "b0") && has(store, "b1") && !has(store, "b2"));
    assert_gives(store, "b0", 6, 3.0);
    assert_gives(store, "b1", 5000, 2.0);
    nnd_folder_store_close(store);
    nnd_folder_store_close(NULL);
}
END_TEST

START_TEST(same_frame_same_bytes) {
    size_t size[2];
    unsigned char *bytes[2];
    nnd_store *store = open_store("d1", false);
    for (int i = 0; i < 2; i++) {
        put(store, "a", 5000, 1.0);
        bytes[i] = scratch_read(scratch_path("run.parts/a.h5"), &size[i]);
    }
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    nnd_folder_store_close(store);
}
END_TEST

/* A block must not pass for another one of the same ensemble. */
START_TEST(shard_under_the_name_of_another_is_refused) {
    bool found;
    nnd_store *store = open_store("d1", false);
    put(store, "a", 10, 1.0);
    char from[512];
    snprintf(from, sizeof from, "%s", scratch_path("run.parts/a.h5"));
    ck_assert_int_eq(rename(from, scratch_path("run.parts/b.h5")), 0);
    assert_status(store->has(store->self, ctx, "b", &found), NND_E_INPUT);
    nnd_folder_store_close(store);
}
END_TEST

START_TEST(second_opener_is_refused) {
    nnd_store *store = open_store("d1", false), *second;
    assert_status(nnd_folder_store_open(ctx, scratch_path("run.parts"), "d1", true, &second),
                  NND_E_IO);
    assert_message("another nndmft is writing to");
    nnd_folder_store_close(store);
    nnd_folder_store_close(open_store("d1", false));
}
END_TEST

START_TEST(only_rank_zero_locks) {
    nnd_context_options options = {.rank = 1, .ranks = 2};
    nnd_context *other = nnd_context_new(&options);
    nnd_store *store = open_store("d1", false), *second;
    assert_ok(nnd_folder_store_open(other, scratch_path("run.parts"), "d1", false, &second));
    put(second, "b0", 5, 1.0);
    ck_assert(has(store, "b0"));
    nnd_folder_store_close(second);
    nnd_folder_store_close(store);
    nnd_context_free(other);
}
END_TEST

START_TEST(foreign_shard_needs_force) {
    bool found;
    nnd_frame *frame;
    nnd_store *store = open_store("d1", false);
    put(store, "b0", 5, 1.0);
    nnd_folder_store_close(store);
    store = open_store("d2", false);
    assert_status(store->has(store->self, ctx, "b0", &found), NND_E_INPUT);
    assert_message("belongs to another case");
    assert_message("--force");
    assert_status(store->get(store->self, ctx, "b0", &frame), NND_E_INPUT);
    nnd_folder_store_close(store);
    store = open_store("d2", true);
    ck_assert(!has(store, "b0"));
    put(store, "b0", 5, 2.0);
    ck_assert(has(store, "b0"));
    nnd_folder_store_close(store);
}
END_TEST

/* Every single flipped byte, in a file small enough to try them all. */
START_TEST(flipped_bytes_are_found) {
    size_t size;
    const char *path = "run.parts/b0.h5";
    nnd_frame *frame;
    nnd_store *store = open_store("d1", false);
    put(store, "b0", 5, 1.0);
    unsigned char *bytes = scratch_read(scratch_path(path), &size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (unsigned char)(1u << (i % 8));
        scratch_write(scratch_path(path), bytes, size);
        bytes[i] ^= (unsigned char)(1u << (i % 8));
        scratch_log[0] = '\0';
        ck_assert_msg(!has(store, "b0"), "byte %zu", i);
        ck_assert_ptr_nonnull(strstr(scratch_log, "b0.h5: is damaged"));
        assert_status(store->get(store->self, ctx, "b0", &frame), NND_E_FORMAT);
    }
    put(store, "b0", 5, 1.0);
    ck_assert(has(store, "b0"));
    assert_gives(store, "b0", 5, 1.0);
    free(bytes);
    nnd_folder_store_close(store);
}
END_TEST

/* A folder of shards may come from somebody else: what a seal cannot tell, a child finds out. */
START_TEST(a_forged_shard_is_computed_again) {
    nnd_frame *frame;
    nnd_store *store = open_store("d1", false);
    put(store, "b0", 5, 1.0);
    nnd_folder_store_close(store);
    scratch_forge(scratch_path("run.parts/b0.h5"));
    store = open_store("d1", false);
    ck_assert(!has(store, "b0"));
    ck_assert_ptr_nonnull(strstr(scratch_log, "HDF5 cannot read it"));
    assert_status(store->get(store->self, ctx, "b0", &frame), NND_E_FORMAT);
    put(store, "b0", 5, 1.0);
    assert_gives(store, "b0", 5, 1.0);
    nnd_folder_store_close(store);
}
END_TEST

START_TEST(truncated_and_longer_shards_are_found) {
    size_t size;
    const char *path = "run.parts/b0.h5";
    nnd_store *store = open_store("d1", false);
    put(store, "b0", 5, 1.0);
    unsigned char *bytes = scratch_read(scratch_path(path), &size);
    for (size_t n = 0; n < size; n += 13) {
        scratch_write(scratch_path(path), bytes, n);
        ck_assert_msg(!has(store, "b0"), "length %zu", n);
    }
    scratch_write(scratch_path(path), bytes, size + 1);
    ck_assert(!has(store, "b0"));
    scratch_write(scratch_path(path), bytes, size);
    ck_assert(has(store, "b0"));
    free(bytes);
    nnd_folder_store_close(store);
}
END_TEST

START_TEST(opening_removes_temporaries) {
    nnd_folder_store_close(open_store("d1", false));
    scratch_write(scratch_path("run.parts/.b0.h5.nndmft-abc123.tmp"), "x", 1);
    scratch_write(scratch_path("run.parts/.b0.h5.backup.tmp"), "x", 1);
    scratch_write(scratch_path("run.parts/notes.tmp"), "x", 1);
    nnd_folder_store_close(open_store("d1", false));
    ck_assert_uint_eq(scratch_count("run.parts/.*nndmft*.tmp"), 0);
    ck_assert_uint_eq(scratch_count("run.parts/.b0.h5.backup.tmp"), 1);
    ck_assert_uint_eq(scratch_count("run.parts/notes.tmp"), 1);
}
END_TEST

/* A put that fails (here: the file may not grow that large) leaves the old shard whole. */
START_TEST(failed_put_keeps_the_old_shard) {
    struct rlimit old, small;
    nnd_store *store = open_store("d1", false);
    nnd_frame *frame = new_frame(5000, 2.0);
    put(store, "b0", 5, 1.0);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 10000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    nnd_status status = store->put(store->self, ctx, "b0", frame);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_status(status, NND_E_IO);
    assert_message("b0.h5: cannot be written: File too large");
    ck_assert_uint_eq(scratch_count("run.parts/.*.tmp"), 0);
    assert_gives(store, "b0", 5, 1.0);
    nnd_frame_free(frame);
    nnd_folder_store_close(store);
}
END_TEST

START_TEST(bad_keys_and_folders) {
    bool found;
    nnd_frame *frame;
    nnd_store *store = open_store("d1", false), *none;
    assert_status(store->has(store->self, ctx, "../b0", &found), NND_E_INPUT);
    assert_status(store->has(store->self, ctx, "", &found), NND_E_INPUT);
    assert_status(store->get(store->self, ctx, "b7", &frame), NND_E_IO);
    assert_message("No such file or directory");
    nnd_folder_store_close(store);
    assert_status(nnd_folder_store_open(ctx, scratch_path("a/b"), "d", false, &none), NND_E_IO);
    assert_message("cannot create the folder");
    scratch_write(scratch_path("file"), "x", 1);
    assert_status(nnd_folder_store_open(ctx, scratch_path("file"), "d", false, &none), NND_E_IO);
    assert_message("Not a directory");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("folder_store");
    TCase *tcase = tcase_create("folder_store");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
    tcase_add_test(tcase, keeps_frames_across_openings);
    tcase_add_test(tcase, same_frame_same_bytes);
    tcase_add_test(tcase, shard_under_the_name_of_another_is_refused);
    tcase_add_test(tcase, second_opener_is_refused);
    tcase_add_test(tcase, only_rank_zero_locks);
    tcase_add_test(tcase, foreign_shard_needs_force);
    tcase_add_test(tcase, flipped_bytes_are_found);
    tcase_add_test(tcase, a_forged_shard_is_computed_again);
    tcase_add_test(tcase, truncated_and_longer_shards_are_found);
    tcase_add_test(tcase, opening_removes_temporaries);
    tcase_add_test(tcase, failed_put_keeps_the_old_shard);
    tcase_add_test(tcase, bad_keys_and_folders);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
