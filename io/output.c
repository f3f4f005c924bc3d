/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are replaced whole. The writer keeps its temporary locked (flock) as long as it lives,
 * so that others can tell what a killed one left behind, on whatever machine it ran.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/output_impl.h"

/* The temporary of NAME is .NAME.nndmft-XXXXXX.tmp; of a long name only the first bytes. */
enum { LONGEST_STEM = 200, RANDOM = 6 };
static const char mark[] = ".nndmft-", suffix[] = ".tmp";
static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";

struct nnd_output {
    char *path; /* the final name */
    char *folder;
    char *temporary;
    int fd; /* of the temporary; holds its lock */
};

static void output_free(nnd_output *output) {
    if (output == NULL)
        return;
    if (output->fd >= 0)
        close(output->fd);
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

/* Where the link `path` points to, as seen from here; NULL with errno if it is none. */
static char *read_link(const char *path) {
    char target[4096], *seen;
    ssize_t length = readlink(path, target, sizeof target);
    if (length < 0 || length == sizeof target)
        return NULL;
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL || target[0] == '/' ? 0 : (int)(slash + 1 - path);
    return asprintf(&seen, "%.*s%.*s", folder, path, (int)length, target) < 0 ? NULL : seen;
}

/* The file that a path leads to, so that a link stays a link: also where that file is not there
 * yet. NULL when out of memory, or in a circle. Owned by the caller. */
static char *follow(const char *path) {
    enum { MOST_LINKS = 40 };
    char *name = strdup(path);
    for (int turn = 0; name != NULL && turn < MOST_LINKS; turn++) {
        char *next = realpath(name, NULL);
        bool found = next != NULL;
        if (!found)
            next = read_link(name);
        if (next == NULL)
            return name;
        free(name);
        if (found)
            return next;
        name = next;
    }
    free(name);
    return NULL;
}

/* Splits a path behind its last slash. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static nnd_status set_names(nnd_context *ctx, const char *path, nnd_output *output) {
    output->path = follow(path);
    if (output->path == NULL)
        return nnd_fail_memory(ctx, path);
    const char *name = base_name(output->path);
    if (*name == '\0')
        return nnd_fail(ctx, NND_E_IO, "%s: is not the name of a file", path);
    int length = (int)(name - output->path);
    output->folder = length == 0 ? strdup(".") : strndup(output->path, (size_t)length);
    if (output->folder == NULL ||
        asprintf(&output->temporary, "%.*s.%.*s%s%*s%s", length, output->path, LONGEST_STEM, name,
                 mark, RANDOM, "", suffix) < 0)
        return nnd_fail_memory(ctx, path);
    return NND_OK;
}

/* Waits: who removes what is left behind locks for a moment. False if the file was removed. File
 * systems without locks have nothing removed. */
static bool lock_new(int fd) {
    struct stat st;
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        continue;
    return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

/* Like mkostemps, but with a mode that honours the umask, which cannot be read without a race. */
static int create_unique(char *path) {
    enum { ATTEMPTS = 100 };
    char *random = path + strlen(path) - strlen(suffix) - RANDOM;
    int fd = -1;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        unsigned char byte[RANDOM];
        if (getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte)
            return -1;
        for (size_t i = 0; i < RANDOM; i++)
            random[i] = letters[byte[i] % 32];
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 && lock_new(fd))
            break;
        if (fd < 0 && errno != EEXIST)
            break;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    return fd;
}

nnd_status nnd_output_create(nnd_context *ctx, const char *path, nnd_output **output) {
    int mode;
    nnd_status status = check_target(ctx, path, &mode);
    if (status != NND_OK)
        return status;
    nnd_output *o = calloc(1, sizeof *o);
    if (o == NULL)
        return nnd_fail_memory(ctx, path);
    o->fd = -1;
    status = set_names(ctx, path, o);
    if (status != NND_OK)
        goto out;
    o->fd = create_unique(o->temporary);
    if (o->fd < 0) {
        status = nnd_fail(ctx, NND_E_IO, "%s: cannot create a file in folder %s: %s", path,
                          o->folder, strerror(errno));
        goto out;
    }
    if (mode >= 0 && fchmod(o->fd, (mode_t)mode) != 0)
        nnd_log(ctx, NND_LOG_WARNING, "%s: cannot keep its mode: %s", path, strerror(errno));
    *output = o;
out:
    if (status != NND_OK)
        output_free(o);
    return status;
}

nnd_status nnd_output_open(nnd_context *ctx, const char *path, nnd_output **output) {
    nnd_status status = nnd_output_create(ctx, path, output);
    if (status == NND_OK)
        nnd_output_sweep((*output)->folder, base_name((*output)->path));
    return status;
}

const char *nnd_output_path(const nnd_output *output) {
    return output->temporary;
}

/* fsync of a folder; file systems that cannot do it say EINVAL. */
static bool sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0 || errno == EINVAL;
    int error = errno;
    close(fd);
    errno = error;
    return synced;
}

nnd_status nnd_output_close(nnd_context *ctx, nnd_output *output, bool keep) {
    nnd_status status = NND_OK;
    if (!keep) {
        unlink(output->temporary);
    } else if (fsync(output->fd) != 0 || rename(output->temporary, output->path) != 0) {
        status =
            nnd_fail(ctx, NND_E_IO, "%s: cannot be written: %s", output->path, strerror(errno));
        unlink(output->temporary);
    } else if (!sync_folder(output->folder)) {
        status =
            nnd_fail(ctx, NND_E_IO, "%s: cannot be written: %s", output->folder, strerror(errno));
    }
    output_free(output);
    return status;
}

/* ---- what killed writers left behind ---- */

/* True for the temporary of `name`, or, if that is NULL, of any file. */
static bool is_temporary(const char *entry, const char *name) {
    const size_t tail = strlen(mark) + RANDOM + strlen(suffix);
    size_t length = strlen(entry);
    if (length <= 1 + tail || entry[0] != '.')
        return false;
    size_t stem = length - 1 - tail;
    const char *at = entry + 1 + stem, *random = at + strlen(mark);
    if (strncmp(at, mark, strlen(mark)) != 0 || strspn(random, letters) != RANDOM ||
        strcmp(random + RANDOM, suffix) != 0)
        return false;
    return name == NULL ||
           (stem == strnlen(name, LONGEST_STEM) && strncmp(entry + 1, name, stem) == 0);
}

/* The lock of a living writer is not to be had. */
static void remove_dead(int folder, const char *entry) {
    struct stat st;
    int fd = openat(folder, entry, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, entry, 0);
    close(fd);
}

void nnd_output_sweep(const char *folder, const char *name) {
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (is_temporary(entry->d_name, name))
            remove_dead(dirfd(dir), entry->d_name);
    closedir(dir);
}

/* ---- one writer at a time ---- */

struct nnd_output_lock {
    char *path;
    int fd;
};

void nnd_output_unlock(nnd_output_lock *lock) {
    if (lock == NULL)
        return;
    if (lock->fd >= 0) {
        unlink(lock->path);
        close(lock->fd);
    }
    free(lock->path);
    free(lock);
}

/* Waits for the lock on an open file; says so once, if it takes long. */
static nnd_status wait_for_lock(nnd_context *ctx, const char *path, int fd) {
    enum { TURNS_BEFORE_WORD = 100 };
    const struct timespec turn = {0, 10000000};
    for (int turns = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; turns++) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            nnd_log(ctx, NND_LOG_WARNING,
                    "%s cannot be locked (%s): do not let two runs write to it at once", path,
                    strerror(errno));
            return NND_OK;
        }
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "%s: interrupted", path);
        if (turns == TURNS_BEFORE_WORD)
            nnd_log(ctx, NND_LOG_WARNING, "waiting for another nndmft that is writing to %s", path);
        nanosleep(&turn, NULL);
    }
    return NND_OK;
}

/* False if another process removed the file before it was locked. */
static bool is_current(const nnd_output_lock *lock) {
    struct stat open, named;
    return fstat(lock->fd, &open) == 0 && stat(lock->path, &named) == 0 &&
           open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static nnd_status take(nnd_context *ctx, const char *path, nnd_output_lock *lock) {
    nnd_status status = NND_OK;
    do {
        if (lock->fd >= 0)
            close(lock->fd);
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (lock->fd < 0)
            return nnd_fail(ctx, NND_E_IO, "%s: cannot be locked: %s", path, strerror(errno));
        status = wait_for_lock(ctx, path, lock->fd);
    } while (status == NND_OK && !is_current(lock));
    if (status != NND_OK) {
        close(lock->fd);
        lock->fd = -1;
    }
    return status;
}

nnd_status nnd_output_lock_wait(nnd_context *ctx, const char *path, nnd_output_lock **lock) {
    nnd_output_lock *l = calloc(1, sizeof *l);
    char *target = follow(path);
    *lock = l;
    if (l == NULL || target == NULL) {
        free(target);
        return nnd_fail_memory(ctx, path);
    }
    l->fd = -1;
    const char *name = base_name(target);
    nnd_status status = asprintf(&l->path, "%.*s.%.*s.nndmft.lock", (int)(name - target), target,
                                 LONGEST_STEM, name) < 0
                            ? nnd_fail_memory(ctx, path)
                            : take(ctx, path, l);
    free(target);
    return status;
}
