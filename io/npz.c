/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's .npz: a zip archive of .npy arrays, NAME.npy each, stored or deflated. */
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "io/matrices_impl.h"

enum { TEXT_SIZE = 512 };

typedef struct {
    nnd_stream stream;
    const char *what;
    zip_file_t *member;
} member_stream;

static nnd_status read_on(nnd_context *ctx, nnd_stream *stream, size_t count, void *bytes) {
    member_stream *s = (member_stream *)stream;
    for (size_t done = 0; done < count;) {
        zip_int64_t n = zip_fread(s->member, (char *)bytes + done, count - done);
        if (n <= 0)
            return nnd_fail(ctx, NND_E_FORMAT, "%s: is %s", s->what,
                            n == 0 ? "truncated" : "damaged");
        done += (size_t)n;
    }
    return NND_OK;
}

/* The name of an array, for messages and for the list. */
typedef struct {
    char what[TEXT_SIZE], name[TEXT_SIZE];
} member_name;

static nnd_status open_member(nnd_context *ctx, const nnd_matrices *file, zip_uint64_t index,
                              member_name *name, member_stream *s) {
    zip_stat_t st;
    const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE;
    *s = (member_stream){.stream = {.read = read_on}, .what = name->what};
    if (zip_stat_index(file->source, index, 0, &st) != 0 || (st.valid & wanted) != wanted)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged", file->path);
    snprintf(name->what, sizeof name->what, "%s: %s", file->path, st.name);
    snprintf(name->name, sizeof name->name, "%s", st.name);
    s->stream.left = st.size;
    s->member = zip_fopen_index(file->source, index, 0);
    return s->member != NULL ? NND_OK
                             : nnd_fail(ctx, NND_E_FORMAT, "%s: cannot be read: %s", name->what,
                                        zip_strerror(file->source));
}

/* The checksum of a member is looked at where it ends. */
static nnd_status check_end(nnd_context *ctx, const member_stream *s) {
    char byte;
    return zip_fread(s->member, &byte, 1) == 0
               ? NND_OK
               : nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged: its checksum is wrong", s->what);
}

static void close_member(member_stream *s) {
    if (s->member != NULL)
        zip_fclose(s->member);
}

/* Passes over the header again; a member cannot be entered in its middle. */
static nnd_status skip(nnd_context *ctx, nnd_stream *stream, uint64_t count) {
    char bytes[4096];
    nnd_status status = NND_OK;
    for (uint64_t n; status == NND_OK && count > 0; count -= n) {
        n = count < sizeof bytes ? count : sizeof bytes;
        status = nnd_stream_read(ctx, stream, (size_t)n, bytes);
    }
    return status;
}

/* An entry holds the index of its member in the upper bits, the length of the header below. */
enum { HEADER_BITS = 24 };

static nnd_status read_array(nnd_context *ctx, const nnd_matrices *file,
                             const nnd_matrix_entry *entry, double *stored) {
    member_stream s;
    member_name name;
    nnd_status status = open_member(ctx, file, entry->at >> HEADER_BITS, &name, &s);
    if (status == NND_OK)
        status = skip(ctx, &s.stream, entry->at & (((uint64_t)1 << HEADER_BITS) - 1));
    if (status == NND_OK)
        status = nnd_stream_elements(ctx, &s.stream, entry->element, entry->count, stored);
    if (status == NND_OK)
        status = check_end(ctx, &s);
    close_member(&s);
    return status;
}

static nnd_status add_member(nnd_context *ctx, nnd_matrices *file, zip_uint64_t index) {
    member_stream s;
    member_name name;
    nnd_status status = open_member(ctx, file, index, &name, &s);
    char *ending = strrchr(name.name, '.');
    if (status == NND_OK && ending != NULL && strcmp(ending, ".npy") == 0) {
        *ending = '\0';
        status = nnd_npy_add(ctx, file, name.name, name.what, &s.stream, index << HEADER_BITS);
    }
    close_member(&s);
    return status;
}

static void discard(void *archive) {
    zip_discard(archive);
}

nnd_status nnd_npz_list(nnd_context *ctx, nnd_matrices *file) {
    nnd_status status = nnd_bytes_open(ctx, file->path, &file->bytes);
    if (status != NND_OK)
        return status;
    int wrong;
    file->source = zip_fdopen(file->bytes.fd, ZIP_CHECKCONS, &wrong);
    if (file->source == NULL)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged, or not a zip archive", file->path);
    file->bytes.fd = -1; /* the archive has it */
    file->read = read_array;
    file->close = discard;
    zip_int64_t count = zip_get_num_entries(file->source, 0);
    for (zip_int64_t i = 0; status == NND_OK && i < count; i++)
        status = add_member(ctx, file, (zip_uint64_t)i);
    return status;
}
