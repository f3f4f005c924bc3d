/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NumPy's .npy, versions 1 to 3: "\x93NUMPY", two bytes of version, the length of the header (2
 * bytes, from version 2 on 4, little-endian), the header, the numbers. The header is a dictionary
 * as Python writes it, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }. Numbers of
 * objects are pickled, which would run what the file says; they are never read.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/matrices_impl.h"

enum { MAGIC = 6, LONGEST_HEADER = 1 << 20, MAX_NDIMS = 64, TEXT_SIZE = 128 };

/* ---- the header ---- */

typedef struct {
    char descr[TEXT_SIZE]; /* "" for anything but a text */
    bool has_descr, has_order, has_shape;
    bool fortran;
    size_t ndims;
    uint64_t shape[MAX_NDIMS];
} header;

static void skip_spaces(const char **at) {
    while (isspace((unsigned char)**at))
        ++*at;
}

static bool take(const char **at, const char *text) {
    skip_spaces(at);
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

/* A text in single or double quotes, without escapes. */
static bool take_quoted(const char **at, char text[TEXT_SIZE]) {
    skip_spaces(at);
    char quote = **at;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(*at + 1, quote);
    size_t length = end != NULL ? (size_t)(end - *at - 1) : TEXT_SIZE;
    if (length >= TEXT_SIZE || memchr(*at, '\\', length + 1) != NULL)
        return false;
    memcpy(text, *at + 1, length);
    text[length] = '\0';
    *at = end + 1;
    return true;
}

/* (3, 4), (3,) or (); Python 2 wrote 3L. */
static bool take_shape(const char **at, header *h) {
    if (!take(at, "("))
        return false;
    while (!take(at, ")")) {
        uint64_t n = 0;
        if (h->ndims == MAX_NDIMS || !isdigit((unsigned char)**at))
            return false;
        for (; isdigit((unsigned char)**at); ++*at)
            if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
                __builtin_add_overflow(n, (uint64_t)(**at - '0'), &n))
                return false;
        h->shape[h->ndims++] = n;
        take(at, "L");
        if (!take(at, ",") && (skip_spaces(at), **at != ')'))
            return false;
    }
    return true;
}

/* Of a record the description is a list: passed over, up to the bracket that closes it. */
static bool take_list(const char **at) {
    size_t depth = 0;
    for (; **at != '\0'; ++*at) {
        depth += **at == '[';
        if (**at == ']' && --depth == 0) {
            ++*at;
            return true;
        }
    }
    return false;
}

static bool take_item(const char **at, header *h) {
    char key[TEXT_SIZE];
    if (!take_quoted(at, key) || !take(at, ":"))
        return false;
    skip_spaces(at);
    if (strcmp(key, "descr") == 0 && !h->has_descr) {
        h->has_descr = true;
        return **at == '[' ? take_list(at) : take_quoted(at, h->descr);
    }
    if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
        h->has_order = true;
        h->fortran = take(at, "True");
        return h->fortran || take(at, "False");
    }
    if (strcmp(key, "shape") == 0 && !h->has_shape) {
        h->has_shape = true;
        return take_shape(at, h);
    }
    return false;
}

static bool parse(const char *text, header *h) {
    const char **at = &text;
    *h = (header){0};
    if (!take(at, "{"))
        return false;
    while (!take(at, "}")) {
        if (!take_item(at, h) || (!take(at, ",") && (skip_spaces(at), *text != '}')))
            return false;
    }
    skip_spaces(at);
    return *text == '\0' && h->has_descr && h->has_order && h->has_shape;
}

/* ---- kinds of numbers ---- */

static const char *unreadable(char kind) {
    switch (kind) {
    case 'O':
        return "holds Python objects, which are pickled; pickled arrays are not read";
    case 'c':
        return "is complex";
    case '\0':
        return "is an array of records";
    default:
        return "is not of numbers; allowed: f2, f4, f8, i1 to i8, u1 to u8, b1";
    }
}

/* Of '<f8' and the like; NULL, or why it cannot be read. */
static const char *read_element(const char *descr, nnd_element *element) {
    static const struct {
        const char *code;
        nnd_element_kind kind;
        size_t size;
    } kinds[] = {
        {"f8", NND_ELEMENT_F64, 8},      {"f4", NND_ELEMENT_F32, 4},
        {"f2", NND_ELEMENT_F16, 2},      {"i1", NND_ELEMENT_SIGNED, 1},
        {"i2", NND_ELEMENT_SIGNED, 2},   {"i4", NND_ELEMENT_SIGNED, 4},
        {"i8", NND_ELEMENT_SIGNED, 8},   {"u1", NND_ELEMENT_UNSIGNED, 1},
        {"u2", NND_ELEMENT_UNSIGNED, 2}, {"u4", NND_ELEMENT_UNSIGNED, 4},
        {"u8", NND_ELEMENT_UNSIGNED, 8}, {"b1", NND_ELEMENT_UNSIGNED, 1},
    };
    char order = *descr;
    const char *code = descr + (order != '\0' && strchr("<>|=", order) != NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(code, kinds[i].code) == 0) {
            *element = (nnd_element){kinds[i].kind, kinds[i].size, order == '>'};
            return NULL;
        }
    return unreadable(*code);
}

/* ---- one array ---- */

static nnd_status damaged(nnd_context *ctx, const char *what, const char *wrong) {
    return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged: %s", what, wrong);
}

/* The text of the header, to be freed; `*length` counts all bytes before the numbers. */
static nnd_status read_header(nnd_context *ctx, const char *what, nnd_stream *stream, char **text,
                              size_t *length) {
    unsigned char begin[MAGIC + 2], count[4] = {0};
    nnd_status status = nnd_stream_read(ctx, stream, sizeof begin, begin);
    if (status != NND_OK)
        return status;
    if (memcmp(begin, "\x93NUMPY", MAGIC) != 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is not an .npy array", what);
    if (begin[MAGIC] < 1 || begin[MAGIC] > 3)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is of .npy version %d; allowed: 1 to 3", what,
                        begin[MAGIC]);
    size_t size = begin[MAGIC] == 1 ? 2 : 4;
    status = nnd_stream_read(ctx, stream, size, count);
    if (status != NND_OK)
        return status;
    size_t n = count[0] | (size_t)count[1] << 8 | (size_t)count[2] << 16 | (size_t)count[3] << 24;
    if (n > LONGEST_HEADER)
        return damaged(ctx, what, "its header is longer than 1 MiB");
    *length = sizeof begin + size + n;
    *text = calloc(n + 1, 1);
    if (*text == NULL)
        return nnd_fail_memory(ctx, what);
    status = nnd_stream_read(ctx, stream, n, *text);
    return status == NND_OK && strlen(*text) < n ? damaged(ctx, what, "its header is not a text")
                                                 : status;
}

nnd_status nnd_npy_add(nnd_context *ctx, nnd_matrices *file, const char *name, const char *what,
                       nnd_stream *stream, uint64_t at) {
    char *text = NULL;
    size_t length = 0;
    header h;
    nnd_status status = read_header(ctx, what, stream, &text, &length);
    if (status == NND_OK && !parse(text, &h))
        status = damaged(ctx, what, "its header is not one of NumPy's");
    free(text);
    if (status != NND_OK)
        return status;
    nnd_matrix_found found = {name, NAN, h.ndims, h.shape, h.fortran, {0}, NULL, at + length};
    found.reason = read_element(h.descr, &found.element);
    uint64_t bytes;
    if (found.reason == NULL &&
        !nnd_matrices_bytes_of(h.ndims, h.shape, found.element.size, &bytes))
        return damaged(ctx, what, "no memory could hold what its header claims");
    if (found.reason == NULL && bytes != stream->left)
        return nnd_fail(ctx, NND_E_FORMAT,
                        "%s: is %s: its header claims %" PRIu64
                        " bytes of numbers, it has %" PRIu64,
                        what, bytes > stream->left ? "truncated" : "damaged", bytes, stream->left);
    return nnd_matrices_add(ctx, file, &found);
}

nnd_status nnd_npy_list(nnd_context *ctx, nnd_matrices *file) {
    nnd_status status = nnd_bytes_open(ctx, file->path, &file->bytes);
    if (status != NND_OK)
        return status;
    file->read = nnd_matrices_read_bytes;
    nnd_bytes_stream stream = nnd_bytes_stream_at(&file->bytes, 0);
    return nnd_npy_add(ctx, file, "data", file->path, &stream.stream, 0);
}
