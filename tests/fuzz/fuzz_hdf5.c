/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a result file: it is refused with a message, or read, listed and exported. The
 * library HDF5 is not instrumented, and crashes on some inputs by itself; the tool lets a child
 * process read such files first. Here everything is read in this process, so that nothing is
 * hidden.
 */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/hdf5_impl.h"
#include "nndmft/nndmft.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Instead of the library's: no child process. */
nnd_status nnd_hdf5_rehearse(nnd_context *ctx, const char *path, nnd_hdf5_reader reader,
                             const void *user) {
    (void)ctx, (void)path, (void)reader, (void)user;
    return NND_OK;
}

/* A file in memory, reused for every input. */
static void fill(int fd, const uint8_t *bytes, size_t size) {
    require(ftruncate(fd, 0) == 0, "a file can be emptied");
    require(pwrite(fd, bytes, size, 0) == (ssize_t)size, "a file can be filled");
}

/* What commands do with a result: list, compare and export it. */
static void use(nnd_context *ctx, const nnd_result *result) {
    static FILE *sink;
    if (sink == NULL)
        sink = fopen("/dev/null", "w");
    require(sink != NULL, "/dev/null");
    const nnd_frame *frames[] = {result->theory, result->mc, result->seeds, result->weights,
                                 result->compare};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        if (frames[i] != NULL)
            require(nnd_json_write(ctx, frames[i], NULL, sink) == NND_OK, "JSON can be written");
    nnd_plot_list(result, sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static nnd_context *ctx;
    static int fd;
    static char path[256];
    if (ctx == NULL) {
        nnd_context_options options = {.threads = 1, .memory_limit = (size_t)1 << 24};
        ctx = nnd_context_new(&options);
        const char *folder = getenv("FUZZ_FOLDER");
        snprintf(path, sizeof path, "%s/input-XXXXXX", folder != NULL ? folder : "/dev/shm");
        fd = mkstemp(path);
        require(ctx != NULL && fd >= 0, "a context and a file");
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        /* HDF5 keeps its own structures, megabytes for every file, but no buffers. */
        H5set_free_list_limits(-1, -1, 0, 0, 0, 0);
    }
    fill(fd, bytes, size);
    nnd_result result = {0};
    nnd_status status = nnd_result_read(ctx, path, &result);
    require(status <= NND_OK, "no warnings");
    if (status == NND_OK)
        use(ctx, &result);
    else
        require(nnd_context_message(ctx)[0] != '\0', "a failure has a message");
    nnd_result_clear(&result);
    /* HDF5 keeps a file open as long as anything in it is. */
    require(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0, "everything is closed");
    return 0;
}
