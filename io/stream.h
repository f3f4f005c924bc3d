/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of files that this library reads itself, and the numbers that they are. */
#ifndef NNDMFT_IO_STREAM_H
#define NNDMFT_IO_STREAM_H

#include <stdint.h>

#include "io/elements.h"
#include "nndmft/context.h"

/* An open file whose bytes are read at any place. */
typedef struct {
    const char *path; /* for messages; not owned */
    int fd;           /* -1: not open */
    uint64_t size;
} nnd_bytes;

/* Opens a regular file; `path` must outlive it. To be closed also after a failure. */
NND_MUST_USE nnd_status nnd_bytes_open(nnd_context *ctx, const char *path, nnd_bytes *file);
void nnd_bytes_close(nnd_bytes *file);
/* Reads `count` bytes from `at` on; NND_E_FORMAT if the file ends before. */
NND_MUST_USE nnd_status nnd_bytes_read(nnd_context *ctx, const nnd_bytes *file, uint64_t at,
                                       size_t count, void *bytes);

/* Bytes one after another: of a file, or of a member of an archive. */
typedef struct nnd_stream nnd_stream;
struct nnd_stream {
    /* Reads exactly `count` bytes, or fails with a message that names the file. */
    nnd_status (*read)(nnd_context *ctx, nnd_stream *stream, size_t count, void *bytes);
    uint64_t left; /* bytes that have not been read */
};
/* Reads `count` bytes, which makes fewer left. */
NND_MUST_USE nnd_status nnd_stream_read(nnd_context *ctx, nnd_stream *stream, size_t count,
                                        void *bytes);
/* The numbers that it goes on with. An interrupt of the context ends it. */
NND_MUST_USE nnd_status nnd_stream_elements(nnd_context *ctx, nnd_stream *stream,
                                            nnd_element element, size_t count, double *value);

/* A stream over a file. */
typedef struct {
    nnd_stream stream;
    const nnd_bytes *file;
    uint64_t at;
} nnd_bytes_stream;
/* It begins at `at`. */
nnd_bytes_stream nnd_bytes_stream_at(const nnd_bytes *file, uint64_t at);

#endif
