/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scratch folder per test, removed afterwards, and a context that keeps its last log line. */
#ifndef NNDMFT_TESTS_SCRATCH_H
#define NNDMFT_TESTS_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nndmft/context.h"

static char scratch_folder[64];
static char scratch_log[1024];
static nnd_context *ctx;

static void scratch_keep_line(void *user, nnd_log_level level, const char *line) {
    (void)user;
    if (level == NND_LOG_WARNING)
        snprintf(scratch_log, sizeof scratch_log, "%s", line);
}

static void scratch_setup(void) {
    nnd_context_options options = {.log = scratch_keep_line, .memory_limit = (size_t)1 << 28};
    strcpy(scratch_folder, "/tmp/nndmft-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch_folder));
    scratch_log[0] = '\0';
    ctx = nnd_context_new(&options);
    ck_assert_ptr_nonnull(ctx);
}

static int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void scratch_teardown(void) {
    nftw(scratch_folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
    nnd_context_free(ctx);
}

/* The path of `name` in the scratch folder; one of a few buffers used in turn. */
static const char *scratch_path(const char *name) {
    static char path[4][512];
    static size_t next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", scratch_folder, name);
    return p;
}

/* Number of files in the scratch folder that match a pattern such as ".*.tmp". */
static inline size_t scratch_count(const char *pattern) {
    glob_t found;
    size_t n = glob(scratch_path(pattern), GLOB_PERIOD, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* Reads a whole file; owned by the caller. */
static inline unsigned char *scratch_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

static inline void scratch_write(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* Ends bytes with a seal as versions before wrote it, in their last 64: FNV-1a of the others. */
static inline void scratch_seal_as_before(unsigned char *bytes, size_t size) {
    enum { SEAL = 64 };
    unsigned long long h = 0xcbf29ce484222325;
    for (size_t i = 0; i < size - SEAL; i++)
        h = (h ^ bytes[i]) * 0x100000001b3;
    memset(bytes + size - SEAL, 0, SEAL);
    snprintf((char *)bytes + size - SEAL, SEAL, "\nnndmft seal: %zu bytes %016llx\n", size - SEAL,
             h);
}

/*
 * Gives a file that ends with a seal one that fits its contents, as a stranger would, after the
 * length of the first text it holds became absurd: HDF5 1.10 crashes on it. Heaps of texts begin
 * with "GCOL", and the length of the first stands in bytes 24 to 31.
 */
static inline void scratch_forge(const char *path) {
    enum { LENGTH = 24 };
    size_t size;
    unsigned char *bytes = scratch_read(path, &size), *heap;
    heap = memmem(bytes, size, "GCOL\1", 5);
    ck_assert_ptr_nonnull(heap);
    heap[LENGTH + 5] = 0x7f;
    scratch_seal_as_before(bytes, size);
    scratch_write(path, bytes, size);
    free(bytes);
}

/* Asserts a status, showing the context's message if it is another. */
#define assert_status(call, wanted)                                                                \
    do {                                                                                           \
        nnd_status got_ = (call);                                                                  \
        ck_assert_msg(got_ == (wanted), "%s: want %d got %d (%s)", #call, (int)(wanted),           \
                      (int)got_, nnd_context_message(ctx));                                        \
    } while (0)
#define assert_ok(call) assert_status(call, NND_OK)
/* Asserts that the last message contains a text. */
#define assert_message(text)                                                                       \
    ck_assert_msg(strstr(nnd_context_message(ctx), text) != NULL, "\"%s\" lacks \"%s\"",           \
                  nnd_context_message(ctx), text)

#endif
