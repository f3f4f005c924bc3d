/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IDX, plain or gzipped: two bytes 0, the kind of the numbers, how many dimensions there are, their
 * lengths (4 bytes each, big-endian), the numbers (big-endian). The first dimension is that of
 * samples; what is behind it becomes one, so that an image is a row.
 */
#include "io/idx.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "io/matrices_impl.h"

enum { MAX_NDIMS = 255, TEXT_SIZE = 256 };
/* No deflated byte stands for more. */
static const uint64_t MOST_INFLATED = 1032;

/* ---- names ---- */

static const char *mark_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    for (const char *at = strstr(name, "idx"); at != NULL; at = strstr(at + 1, "idx"))
        if (at > name + 1 && (at[-1] == '-' || at[-1] == '.') && isdigit((unsigned char)at[3]))
            return at;
    return NULL;
}

bool nnd_idx_is_named(const char *path) {
    return mark_of(path) != NULL;
}

void nnd_idx_array_name(const char *path, size_t size, char *name) {
    const char *slash = strrchr(path, '/'), *first = slash != NULL ? slash + 1 : path;
    const char *mark = mark_of(path);
    snprintf(name, size, "%.*s", mark != NULL ? (int)(mark - 1 - first) : 0, first);
}

/* ---- bytes ---- */

typedef struct {
    nnd_stream stream;
    const char *path;
    gzFile file;
} inflated;

static nnd_status read_on(nnd_context *ctx, nnd_stream *stream, size_t count, void *bytes) {
    const inflated *s = (const inflated *)stream;
    int got = gzread(s->file, bytes, (unsigned)count);
    if (got >= 0 && (size_t)got == count)
        return NND_OK;
    return nnd_fail(ctx, NND_E_FORMAT, "%s: is %s", s->path, got < 0 ? "damaged" : "truncated");
}

/* After the numbers nothing may come; where a gzipped file ends its checksum is looked at. */
static nnd_status check_end(nnd_context *ctx, const inflated *s) {
    char byte;
    int got = gzread(s->file, &byte, 1), wrong;
    gzerror(s->file, &wrong);
    if (got == 0 && (wrong == Z_OK || wrong == Z_STREAM_END))
        return NND_OK;
    return nnd_fail(ctx, NND_E_FORMAT, "%s: is %s", s->path,
                    got > 0 ? "damaged: it is longer than its header claims"
                            : "damaged, or truncated");
}

static nnd_status read_array(nnd_context *ctx, const nnd_matrices *file,
                             const nnd_matrix_entry *entry, double *stored) {
    inflated s = {{read_on, UINT64_MAX}, file->path, file->source};
    if (gzseek(s.file, (z_off_t)entry->at, SEEK_SET) != (z_off_t)entry->at)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged", file->path);
    nnd_status status = nnd_stream_elements(ctx, &s.stream, entry->element, entry->count, stored);
    return status == NND_OK ? check_end(ctx, &s) : status;
}

static void close_file(void *source) {
    gzclose(source);
}

/* ---- the header ---- */

static bool find_element(unsigned char code, nnd_element *element) {
    static const struct {
        unsigned char code;
        nnd_element element;
    } kinds[] = {
        {0x08, {NND_ELEMENT_UNSIGNED, 1, true}}, {0x09, {NND_ELEMENT_SIGNED, 1, true}},
        {0x0b, {NND_ELEMENT_SIGNED, 2, true}},   {0x0c, {NND_ELEMENT_SIGNED, 4, true}},
        {0x0d, {NND_ELEMENT_F32, 4, true}},      {0x0e, {NND_ELEMENT_F64, 8, true}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code) {
            *element = kinds[i].element;
            return true;
        }
    return false;
}

/* shape[0] and the product of the others. */
static nnd_status read_shape(nnd_context *ctx, inflated *s, size_t ndims, uint64_t shape[2]) {
    unsigned char bytes[4 * MAX_NDIMS];
    nnd_status status = nnd_stream_read(ctx, &s->stream, 4 * ndims, bytes);
    shape[0] = shape[1] = 1;
    for (size_t i = 0; status == NND_OK && i < ndims; i++) {
        const unsigned char *b = bytes + 4 * i;
        uint64_t length = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
        if (__builtin_mul_overflow(shape[i > 0], length, &shape[i > 0]))
            status =
                nnd_fail(ctx, NND_E_FORMAT,
                         "%s: is damaged: no memory could hold what its header claims", s->path);
    }
    return status;
}

static nnd_status check_size(nnd_context *ctx, const nnd_matrices *file, const inflated *s,
                             const nnd_matrix_found *found) {
    uint64_t claimed, most = file->bytes.size;
    if (!gzdirect(s->file) && __builtin_mul_overflow(most, MOST_INFLATED, &most))
        most = UINT64_MAX;
    if (nnd_matrices_bytes_of(found->ndims, found->shape, found->element.size, &claimed) &&
        claimed <= most)
        return NND_OK;
    return nnd_fail(ctx, NND_E_FORMAT,
                    "%s: is truncated: its header claims %" PRIu64 " x %" PRIu64 " numbers",
                    file->path, found->shape[0], found->shape[1]);
}

static nnd_status add_array(nnd_context *ctx, nnd_matrices *file) {
    inflated s = {{read_on, UINT64_MAX}, file->path, file->source};
    unsigned char begin[4];
    char name[TEXT_SIZE];
    uint64_t shape[2];
    nnd_idx_array_name(file->path, sizeof name, name);
    nnd_matrix_found found = {.name = name, .step = NAN, .shape = shape};
    nnd_status status = nnd_stream_read(ctx, &s.stream, sizeof begin, begin);
    if (status != NND_OK)
        return status;
    if (begin[0] != 0 || begin[1] != 0 || begin[3] == 0 || !find_element(begin[2], &found.element))
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is not an IDX file", file->path);
    status = read_shape(ctx, &s, begin[3], shape);
    found.ndims = begin[3] > 1 ? 2 : 1;
    found.at = sizeof begin + 4 * (uint64_t)begin[3];
    if (status == NND_OK)
        status = check_size(ctx, file, &s, &found);
    return status == NND_OK ? nnd_matrices_add(ctx, file, &found) : status;
}

nnd_status nnd_idx_list(nnd_context *ctx, nnd_matrices *file) {
    nnd_status status = nnd_bytes_open(ctx, file->path, &file->bytes);
    if (status != NND_OK)
        return status;
    file->source = gzdopen(file->bytes.fd, "rb");
    if (file->source == NULL)
        return nnd_fail_memory(ctx, file->path);
    file->bytes.fd = -1; /* zlib has it */
    file->close = close_file;
    file->read = read_array;
    return add_array(ctx, file);
}
