/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

nnd_status nnd_bytes_open(nnd_context *ctx, const char *path, nnd_bytes *file) {
    struct stat st;
    /* Pipes and devices are refused, and not waited for. */
    *file = (nnd_bytes){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return nnd_fail(ctx, NND_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    file->size = (uint64_t)st.st_size;
    return S_ISREG(st.st_mode) ? NND_OK
                               : nnd_fail(ctx, NND_E_INPUT, "%s: is not a regular file", path);
}

void nnd_bytes_close(nnd_bytes *file) {
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

nnd_status nnd_bytes_read(nnd_context *ctx, const nnd_bytes *file, uint64_t at, size_t count,
                          void *bytes) {
    const size_t most = (size_t)1 << 30;
    for (size_t done = 0; done < count;) {
        size_t rest = count - done < most ? count - done : most;
        ssize_t n = pread(file->fd, (char *)bytes + done, rest, (off_t)(at + done));
        if (n == 0)
            return nnd_fail(ctx, NND_E_FORMAT, "%s: is truncated", file->path);
        if (n < 0 && errno != EINTR)
            return nnd_fail(ctx, NND_E_IO, "%s: cannot be read: %s", file->path, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return NND_OK;
}

nnd_status nnd_stream_read(nnd_context *ctx, nnd_stream *stream, size_t count, void *bytes) {
    nnd_status status = stream->read(ctx, stream, count, bytes);
    stream->left -= count < stream->left ? count : stream->left;
    return status;
}

nnd_status nnd_stream_elements(nnd_context *ctx, nnd_stream *stream, nnd_element element,
                               size_t count, double *value) {
    unsigned char bytes[CHUNK];
    size_t most = CHUNK / element.size;
    nnd_status status = NND_OK;
    for (size_t n; status == NND_OK && count > 0; count -= n, value += n) {
        n = count < most ? count : most;
        status = nnd_context_interrupted(ctx)
                     ? nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted")
                     : nnd_stream_read(ctx, stream, n * element.size, bytes);
        if (status == NND_OK)
            nnd_elements_decode(element, n, bytes, value);
    }
    return status;
}

static nnd_status read_on(nnd_context *ctx, nnd_stream *stream, size_t count, void *bytes) {
    nnd_bytes_stream *s = (nnd_bytes_stream *)stream;
    nnd_status status = nnd_bytes_read(ctx, s->file, s->at, count, bytes);
    s->at += count;
    return status;
}

nnd_bytes_stream nnd_bytes_stream_at(const nnd_bytes *file, uint64_t at) {
    uint64_t left = file->size > at ? file->size - at : 0;
    return (nnd_bytes_stream){{read_on, left}, file, at};
}
