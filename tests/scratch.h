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
