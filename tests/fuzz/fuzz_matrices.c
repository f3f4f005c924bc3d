/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a file of matrices with the ending ENDING: it is refused with a message, or listed,
 * and every matrix in it read or refused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nndmft/matrices.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A file in memory, reused for every input. */
static int make_file(char *path, size_t room) {
    const char *folder = getenv("FUZZ_FOLDER");
    snprintf(path, room, "%s/input-XXXXXX." ENDING, folder != NULL ? folder : "/dev/shm");
    int fd = mkstemps(path, sizeof "." ENDING - 1);
    require(fd >= 0, "a file");
    return fd;
}

static void read_all(nnd_context *ctx, const nnd_matrices *file) {
    for (size_t i = 0; i < nnd_matrices_count(file); i++) {
        const nnd_matrix_info *info = nnd_matrices_info(file, i);
        require((info->left_out == NULL) == (info->rows > 0), "a matrix, or a reason");
        if (info->left_out != NULL || nnd_matrices_bytes(file, i) > (double)(1 << 24))
            continue;
        double *value = malloc(info->rows * info->cols * sizeof *value);
        require(value != NULL, "memory");
        nnd_status status = nnd_matrices_read(ctx, file, i, value);
        require(status == NND_OK || nnd_context_message(ctx)[0] != '\0', "a failure has a message");
        free(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static nnd_context *ctx;
    static int fd;
    static char path[256];
    if (ctx == NULL) {
        nnd_context_options options = {.threads = 1, .memory_limit = (size_t)1 << 24};
        ctx = nnd_context_new(&options);
        require(ctx != NULL, "a context");
        fd = make_file(path, sizeof path);
    }
    require(ftruncate(fd, 0) == 0, "a file can be emptied");
    require(pwrite(fd, bytes, size, 0) == (ssize_t)size, "a file can be filled");
    nnd_matrices *file = NULL;
    nnd_status status = nnd_matrices_open(ctx, path, &file);
    require((status == NND_OK) == (file != NULL), "a file exactly if it was opened");
    require(status == NND_OK || nnd_context_message(ctx)[0] != '\0', "a failure has a message");
    if (status == NND_OK)
        read_all(ctx, file);
    nnd_matrices_close(file);
    return 0;
}
