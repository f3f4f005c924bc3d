/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds between looks at whether an interrupt came. */
enum { PATIENCE = 100 };

static bool is_stdin(const char *path) {
    return strcmp(path, "-") == 0;
}

const char *nnd_small_file_name(const char *path) {
    return is_stdin(path) ? "stdin" : path;
}

/* Bytes read, at least one unless the file ends; -1 with errno, EINTR after an interrupt. */
static ssize_t read_some(const nnd_context *ctx, int fd, char *to, size_t room) {
    for (;;) {
        if (nnd_context_interrupted(ctx)) {
            errno = EINTR;
            return -1;
        }
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE) <= 0)
            continue;
        ssize_t got = read(fd, to, room);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
    }
}

/* Reads until the end of the file or one byte beyond the limit. */
static nnd_status read_all(nnd_context *ctx, int fd, const char *name, size_t limit, char **text,
                           size_t *length) {
    size_t room = 1 << 12;
    ssize_t got = 0;
    *length = 0;
    do {
        *length += (size_t)got;
        room = *length + 1 < room ? room : 2 * room;
        char *grown = realloc(*text, room);
        if (grown == NULL)
            return nnd_fail_memory(ctx, name);
        *text = grown;
        got = read_some(ctx, fd, *text + *length, room - *length - 1);
    } while (got > 0 && *length + (size_t)got <= limit);
    if (got < 0)
        return errno == EINTR ? nnd_fail(ctx, NND_E_INTERRUPTED, "%s: interrupted", name)
                              : nnd_fail(ctx, errno == EISDIR ? NND_E_INPUT : NND_E_IO, "%s: %s",
                                         name, strerror(errno));
    *length += (size_t)got;
    (*text)[*length] = '\0';
    return NND_OK;
}

nnd_status nnd_small_file_read(nnd_context *ctx, const char *path, size_t limit, const char *advice,
                               char **text) {
    const char *name = nnd_small_file_name(path);
    size_t length = 0;
    *text = NULL;
    /* A named pipe opens at once this way, and is then waited for like any other. */
    int fd = is_stdin(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return nnd_fail(ctx, NND_E_INPUT, "%s: %s", name, strerror(errno));
    nnd_status status = read_all(ctx, fd, name, limit, text, &length);
    if (status == NND_OK && length == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: empty", name);
    else if (status == NND_OK && strlen(*text) < length)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: not a case file", name);
    else if (status == NND_OK && length > limit)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: larger than %zu bytes; %s", name, limit, advice);
    if (!is_stdin(path))
        close(fd);
    if (status != NND_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}
