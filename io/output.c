/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nndmft/io.h"

struct nnd_output {
    char *path; /* the final name */
    char *folder;
    char *temporary;
};

static void output_free(nnd_output *output) {
    if (output == NULL)
        return;
    free(output->path);
    free(output->folder);
    free(output->temporary);
    free(output);
}

/* Refuses what a rename must not replace; `*mode` is that of an old file, -1 if there is none. */
static nnd_status check_target(nnd_context *ctx, const char *path, int *mode) {
    struct stat st;
    *mode = -1;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? NND_OK : nnd_fail(ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return nnd_fail(ctx, NND_E_IO, "%s: is a folder, not a file", path);
    if (!S_ISREG(st.st_mode))
        return nnd_fail(ctx, NND_E_IO, "%s: is not a regular file", path);
    /* The mode bits protect a file from root too, whom access() lets through. */
    if (access(path, W_OK) != 0 || (st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0)
        return nnd_fail(ctx, NND_E_IO, "%s: is read-only", path);
    *mode = (int)(st.st_mode & 0777);
    return NND_OK;
}

/* Fills in the names; `path` with symbolic links followed, so that a link stays a link. */
static nnd_status set_names(nnd_context *ctx, const char *path, nnd_output *output) {
    enum { LONGEST_STEM = 200 }; /* leaves room for the suffix within NAME_MAX */
    output->path = realpath(path, NULL);
    if (output->path == NULL)
        output->path = strdup(path);
    if (output->path == NULL)
        return nnd_fail_memory(ctx, path);
    const char *slash = strrchr(output->path, '/');
    const char *name = slash != NULL ? slash + 1 : output->path;
    if (*name == '\0')
        return nnd_fail(ctx, NND_E_IO, "%s: is not the name of a file", path);
    size_t length = (size_t)(name - output->path);
    output->folder = length == 0 ? strdup(".") : strndup(output->path, length);
    if (output->folder == NULL || asprintf(&output->temporary, "%.*s.%.*s.XXXXXX.tmp", (int)length,
                                           output->path, LONGEST_STEM, name) < 0)
        return nnd_fail_memory(ctx, path);
    return NND_OK;
}

/* Like mkostemps, but with a mode that honours the umask, which cannot be read without a race. */
static int create_unique(char *path) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    enum { RANDOM = 6, SUFFIX = 4, ATTEMPTS = 100 };
    char *random = path + strlen(path) - SUFFIX - RANDOM;
    int fd = -1;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        unsigned char byte[RANDOM];
        if (getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte)
            return -1;
        for (size_t i = 0; i < RANDOM; i++)
            random[i] = letters[byte[i] % 32];
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    return fd;
}

nnd_status nnd_output_open(nnd_context *ctx, const char *path, nnd_output **output) {
    int mode, fd;
    nnd_status status = check_target(ctx, path, &mode);
    if (status != NND_OK)
        return status;
    nnd_output *o = calloc(1, sizeof *o);
    if (o == NULL)
        return nnd_fail_memory(ctx, path);
    status = set_names(ctx, path, o);
    if (status != NND_OK)
        goto out;
    fd = create_unique(o->temporary);
    if (fd < 0) {
        status = nnd_fail(ctx, NND_E_IO, "%s: cannot create a file in folder %s: %s", path,
                          o->folder, strerror(errno));
        goto out;
    }
    if (mode >= 0 && fchmod(fd, (mode_t)mode) != 0)
        nnd_log(ctx, NND_LOG_WARNING, "%s: cannot keep its mode: %s", path, strerror(errno));
    close(fd);
    *output = o;
out:
    if (status != NND_OK)
        output_free(o);
    return status;
}

const char *nnd_output_path(const nnd_output *output) {
    return output->temporary;
}

/* fsync of a file or folder; file systems that cannot sync a folder say EINVAL. */
static bool sync_path(const char *path, int flags) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0 || (flags == O_DIRECTORY && errno == EINVAL);
    int error = errno;
    close(fd);
    errno = error;
    return synced;
}

nnd_status nnd_output_close(nnd_context *ctx, nnd_output *output, bool keep) {
    nnd_status status = NND_OK;
    if (!keep) {
        unlink(output->temporary);
    } else if (!sync_path(output->temporary, 0) || rename(output->temporary, output->path) != 0) {
        status =
            nnd_fail(ctx, NND_E_IO, "%s: cannot be written: %s", output->path, strerror(errno));
        unlink(output->temporary);
    } else if (!sync_path(output->folder, O_DIRECTORY)) {
        status =
            nnd_fail(ctx, NND_E_IO, "%s: cannot be written: %s", output->folder, strerror(errno));
    }
    output_free(output);
    return status;
}
