/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * .safetensors: the length of the header (8 bytes, little-endian), the header, the numbers. The
 * header is JSON: for every array {"NAME": {"dtype": "F32", "shape": [3, 4], "data_offsets":
 * [begin, end]}}, offsets from the end of the header; "__metadata__" is for people.
 */
#include <inttypes.h>
#include <json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/matrices_impl.h"

/* The format allows headers of 100 MB. Parsed they are some ten times as large. */
enum { LENGTH_BYTES = 8, LONGEST_HEADER = 100000000, PARSED = 20, MAX_NDIMS = 64, DEPTH = 8 };

typedef struct {
    nnd_context *ctx;
    nnd_matrices *file;
    uint64_t data;  /* where the numbers begin */
    uint64_t bytes; /* how many there are */
} listing;

static nnd_status damaged(const listing *l, const char *name, const char *wrong) {
    return nnd_fail(l->ctx, NND_E_FORMAT, "%s: is damaged: %s%s%s", l->file->path,
                    name != NULL ? name : "", name != NULL ? ": " : "", wrong);
}

/* ---- the header ---- */

static bool is_natural(struct json_object *value, uint64_t *n) {
    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
        return false;
    *n = json_object_get_uint64(value);
    return true;
}

/* The naturals of a list; false if it is none, or has more than `most`. */
static bool read_naturals(struct json_object *list, size_t most, size_t *count, uint64_t *value) {
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > most)
        return false;
    *count = json_object_array_length(list);
    for (size_t i = 0; i < *count; i++)
        if (!is_natural(json_object_array_get_idx(list, i), &value[i]))
            return false;
    return true;
}

/* A kind of numbers; NND_ELEMENT_NONE: not one that is read. */
static nnd_element find_element(const char *dtype) {
    static const struct {
        const char *name;
        nnd_element_kind kind;
        size_t size;
    } kinds[] = {
        {"F64", NND_ELEMENT_F64, 8},       {"F32", NND_ELEMENT_F32, 4},
        {"F16", NND_ELEMENT_F16, 2},       {"BF16", NND_ELEMENT_BF16, 2},
        {"I64", NND_ELEMENT_SIGNED, 8},    {"I32", NND_ELEMENT_SIGNED, 4},
        {"I16", NND_ELEMENT_SIGNED, 2},    {"I8", NND_ELEMENT_SIGNED, 1},
        {"U64", NND_ELEMENT_UNSIGNED, 8},  {"U32", NND_ELEMENT_UNSIGNED, 4},
        {"U16", NND_ELEMENT_UNSIGNED, 2},  {"U8", NND_ELEMENT_UNSIGNED, 1},
        {"BOOL", NND_ELEMENT_UNSIGNED, 1},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(dtype, kinds[i].name) == 0)
            return (nnd_element){kinds[i].kind, kinds[i].size, false};
    return (nnd_element){0};
}

static nnd_status add_array(const listing *l, const char *name, struct json_object *about) {
    struct json_object *dtype, *shape, *offsets;
    uint64_t length[MAX_NDIMS], range[2], bytes;
    nnd_matrix_found found = {.name = name, .step = NAN, .shape = length};
    size_t ends = 0;
    if (!json_object_object_get_ex(about, "dtype", &dtype) ||
        !json_object_is_type(dtype, json_type_string) ||
        !json_object_object_get_ex(about, "shape", &shape) ||
        !read_naturals(shape, MAX_NDIMS, &found.ndims, length) ||
        !json_object_object_get_ex(about, "data_offsets", &offsets) ||
        !read_naturals(offsets, 2, &ends, range) || ends != 2)
        return damaged(l, name, "it needs dtype, shape and data_offsets");
    if (range[0] > range[1] || range[1] > l->bytes)
        return nnd_fail(l->ctx, NND_E_FORMAT,
                        "%s: is truncated or damaged: %s has bytes %" PRIu64 " to %" PRIu64
                        " of %" PRIu64,
                        l->file->path, name, range[0], range[1], l->bytes);
    found.at = l->data + range[0];
    found.element = find_element(json_object_get_string(dtype));
    if (found.element.kind == NND_ELEMENT_NONE)
        found.reason =
            "is of a type that is not read; allowed: F64, F32, F16, BF16, integers, BOOL";
    else if (!nnd_matrices_bytes_of(found.ndims, length, found.element.size, &bytes) ||
             bytes != range[1] - range[0])
        return damaged(l, name, "its shape does not fit its data_offsets");
    return nnd_matrices_add(l->ctx, l->file, &found);
}

static nnd_status list_arrays(const listing *l, struct json_object *header) {
    nnd_status status = NND_OK;
    if (!json_object_is_type(header, json_type_object))
        return damaged(l, NULL, "its header is not a JSON object");
    struct json_object_iterator at = json_object_iter_begin(header);
    struct json_object_iterator end = json_object_iter_end(header);
    for (; status == NND_OK && !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);
        struct json_object *about = json_object_iter_peek_value(&at);
        if (strcmp(name, "__metadata__") == 0)
            continue;
        status = json_object_is_type(about, json_type_object)
                     ? add_array(l, name, about)
                     : damaged(l, name, "it needs dtype, shape and data_offsets");
    }
    return status;
}

static nnd_status parse(const listing *l, const char *text, size_t length) {
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    if (tokener == NULL)
        return nnd_fail_memory(l->ctx, l->file->path);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *header = json_tokener_parse_ex(tokener, text, (int)length);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success &&
                 json_tokener_get_parse_end(tokener) == length;
    nnd_status status = whole ? list_arrays(l, header) : damaged(l, NULL, "its header is not JSON");
    json_object_put(header);
    json_tokener_free(tokener);
    return status;
}

/* ---- the file ---- */

/* Headers are padded with spaces. */
static size_t without_padding(const char *text, size_t length) {
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

nnd_status nnd_safetensors_list(nnd_context *ctx, nnd_matrices *file) {
    unsigned char bytes[LENGTH_BYTES];
    listing l = {.ctx = ctx, .file = file};
    uint64_t length = 0;
    file->read = nnd_matrices_read_bytes;
    nnd_status status = nnd_bytes_open(ctx, file->path, &file->bytes);
    if (status == NND_OK)
        status = nnd_bytes_read(ctx, &file->bytes, 0, sizeof bytes, bytes);
    if (status != NND_OK)
        return status;
    for (size_t i = 0; i < sizeof bytes; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > LONGEST_HEADER)
        return damaged(&l, NULL, "its header is longer than 100 MB");
    if (length > file->bytes.size - sizeof bytes)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is truncated", file->path);
    l.data = sizeof bytes + length;
    l.bytes = file->bytes.size - l.data;
    status = nnd_check_memory(ctx, PARSED * (double)length, file->path);
    if (status != NND_OK)
        return status;
    char *text = calloc((size_t)length + 1, 1);
    status = text != NULL ? nnd_bytes_read(ctx, &file->bytes, sizeof bytes, (size_t)length, text)
                          : nnd_fail_memory(ctx, file->path);
    if (status == NND_OK)
        status = parse(&l, text, without_padding(text, (size_t)length));
    free(text);
    return status;
}
