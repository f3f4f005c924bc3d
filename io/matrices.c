/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"
#include "io/idx.h"
#include "io/matrices_impl.h"

enum { TEXT_SIZE = 256 };

/* ---- the list ---- */

bool nnd_matrices_bytes_of(size_t ndims, const uint64_t *shape, size_t size, uint64_t *bytes) {
    *bytes = size;
    for (size_t i = 0; i < ndims; i++)
        if (__builtin_mul_overflow(*bytes, shape[i], bytes))
            return false;
    return *bytes <= PTRDIFF_MAX;
}

static void write_shape(size_t ndims, const uint64_t *shape, char text[TEXT_SIZE]) {
    nnd_text list = nnd_text_in(TEXT_SIZE, text);
    for (size_t i = 0; i < ndims; i++)
        nnd_text_item(&list, " x ", "%" PRIu64, shape[i]);
    if (ndims == 0)
        nnd_text_add(&list, "a number");
}

/* True if a kernel of this name is stored with its outputs last, as Keras and Flax do. */
static bool outputs_last(const char *name) {
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    const char *last = slash != NULL ? slash + 1 : dot != NULL ? dot + 1 : name;
    const char *parent = slash;
    while (parent != NULL && parent > name && parent[-1] != '/')
        parent--;
    return strcmp(last, "kernel") == 0 || strcmp(last, "kernel:0") == 0 ||
           (parent != NULL && strncmp(parent, "vars/", 5) == 0);
}

/* Rows, columns and axes of an array of one, two or four dimensions. */
static void lay_out(const nnd_matrix_found *found, nnd_matrix_entry *entry) {
    size_t n[4] = {0}, stride[4] = {0}, d = found->ndims;
    for (size_t i = 0; i < d; i++)
        n[i] = (size_t)found->shape[i];
    stride[d - 1] = 1;
    for (size_t i = d - 1; i > 0; i--)
        stride[i - 1] = stride[i] * n[i];
    bool last = d == 4 && outputs_last(found->name);
    entry->rows = last ? n[3] : n[0];
    entry->cols = last ? n[0] * n[1] * n[2] : stride[0];
    entry->count = entry->rows * entry->cols;
    entry->info.unfolded = d == 4;
    if (last) {
        /* (height, width, in, out): out x (height width in) */
        stride[3] = entry->cols;
        stride[2] = 1;
        stride[1] = n[2];
        stride[0] = n[1] * n[2];
    }
    entry->axes = d;
    for (size_t i = 0; i < d; i++) {
        size_t from = found->fortran ? d - 1 - i : i;
        entry->axis[i] = (nnd_axis){n[from], stride[from]};
    }
}

/* Why the numbers of an array cannot be read; an empty text: they can. */
static void find_objection(const nnd_matrix_found *found, char text[TEXT_SIZE]) {
    uint64_t bytes;
    nnd_text reason = nnd_text_in(TEXT_SIZE, text);
    bool empty = false;
    for (size_t i = 0; i < found->ndims; i++)
        empty = empty || found->shape[i] == 0;
    if (found->reason != NULL)
        nnd_text_add(&reason, "%s", found->reason);
    else if (empty)
        nnd_text_add(&reason, "is empty");
    else if (found->ndims != 1 && found->ndims != 2 && found->ndims != 4)
        nnd_text_add(&reason, "has %zu dimensions; allowed: 2 or 4", found->ndims);
    else if (!nnd_matrices_bytes_of(found->ndims, found->shape, sizeof(double), &bytes))
        nnd_text_add(&reason, "is larger than any memory");
}

nnd_status nnd_matrices_add(nnd_context *ctx, nnd_matrices *file, const nnd_matrix_found *found) {
    char shape[TEXT_SIZE], reason[TEXT_SIZE];
    /* The list doubles where its length is a power of 2. */
    if ((file->count & (file->count - 1)) == 0) {
        size_t room = file->count > 0 ? 2 * file->count : 1;
        nnd_matrix_entry *grown = realloc(file->entry, room * sizeof *grown);
        if (grown == NULL)
            return nnd_fail_memory(ctx, file->path);
        file->entry = grown;
    }
    nnd_matrix_entry *entry = &file->entry[file->count++];
    write_shape(found->ndims, found->shape, shape);
    find_objection(found, reason);
    *entry = (nnd_matrix_entry){
        .info = {.name = strdup(found->name), .step = found->step, .shape = strdup(shape)},
        .element = found->element,
        .at = found->at,
    };
    if (reason[0] == '\0')
        lay_out(found, entry);
    entry->info.count = entry->count;
    bool matrix = entry->rows > 1 && entry->cols > 1;
    if (matrix) {
        entry->info.rows = entry->rows;
        entry->info.cols = entry->cols;
    } else {
        entry->info.left_out = strdup(entry->count > 0 ? "is a vector" : reason);
    }
    return entry->info.name == NULL || entry->info.shape == NULL ||
                   (!matrix && entry->info.left_out == NULL)
               ? nnd_fail_memory(ctx, file->path)
               : NND_OK;
}

/* ---- files ---- */

static bool ends_in(const char *path, const char *ending) {
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcasecmp(dot + 1, ending) == 0;
}

static nnd_status list(nnd_context *ctx, nnd_matrices *file) {
    static const struct {
        const char *ending;
        nnd_status (*list)(nnd_context *ctx, nnd_matrices *file);
    } kinds[] = {
        {"npy", nnd_npy_list},
        {"npz", nnd_npz_list},
        {"safetensors", nnd_safetensors_list},
        {"csv", nnd_csv_list},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ends_in(file->path, kinds[i].ending))
            return kinds[i].list(ctx, file);
    return nnd_idx_is_named(file->path) ? nnd_idx_list(ctx, file) : nnd_hdf5_list(ctx, file);
}

nnd_status nnd_matrices_open(nnd_context *ctx, const char *path, nnd_matrices **out) {
    nnd_matrices *file = calloc(1, sizeof *file);
    *out = NULL;
    if (file == NULL)
        return nnd_fail_memory(ctx, path);
    file->bytes.fd = -1;
    file->path = strdup(path);
    nnd_status status = file->path != NULL ? list(ctx, file) : nnd_fail_memory(ctx, path);
    if (status == NND_OK && file->count == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: holds no array", path);
    if (status == NND_OK)
        *out = file;
    else
        nnd_matrices_close(file);
    return status;
}

void nnd_matrices_close(nnd_matrices *file) {
    if (file == NULL)
        return;
    if (file->close != NULL)
        file->close(file->source);
    nnd_bytes_close(&file->bytes);
    for (size_t i = 0; i < file->count; i++) {
        free(file->entry[i].info.name);
        free(file->entry[i].info.shape);
        free(file->entry[i].info.left_out);
    }
    free(file->entry);
    free(file->path);
    free(file);
}

size_t nnd_matrices_count(const nnd_matrices *file) {
    return file->count;
}

const nnd_matrix_info *nnd_matrices_info(const nnd_matrices *file, size_t i) {
    return &file->entry[i].info;
}

/* ---- reading ---- */

/* True if the numbers are stored in the order of the matrix. */
static bool in_order(const nnd_matrix_entry *entry) {
    size_t stride = 1;
    for (size_t i = entry->axes; i > 0; i--) {
        if (entry->axis[i - 1].length > 1 && entry->axis[i - 1].stride != stride)
            return false;
        stride *= entry->axis[i - 1].length;
    }
    return true;
}

nnd_status nnd_matrices_read_bytes(nnd_context *ctx, const nnd_matrices *file,
                                   const nnd_matrix_entry *entry, double *stored) {
    nnd_bytes_stream stream = nnd_bytes_stream_at(&file->bytes, entry->at);
    return nnd_stream_elements(ctx, &stream.stream, entry->element, entry->count, stored);
}

double nnd_matrices_bytes(const nnd_matrices *file, size_t i) {
    const nnd_matrix_entry *entry = &file->entry[i];
    return sizeof(double) * (double)entry->count * (in_order(entry) ? 1.0 : 2.0);
}

/* Numbers from the order of storage into that of the matrix. */
static void place(const nnd_matrix_entry *entry, const double *stored, double *value) {
    size_t index[NND_MATRIX_AXES] = {0}, fast = entry->axes - 1;
    size_t length = entry->axis[fast].length, stride = entry->axis[fast].stride;
    for (;;) {
        size_t first = 0, k = fast;
        for (size_t i = 0; i < fast; i++)
            first += index[i] * entry->axis[i].stride;
        for (size_t j = 0; j < length; j++)
            value[first + j * stride] = *stored++;
        while (k > 0 && ++index[k - 1] == entry->axis[k - 1].length)
            index[--k] = 0;
        if (k == 0)
            return;
    }
}

static nnd_status check_finite(nnd_context *ctx, const nnd_matrices *file,
                               const nnd_matrix_entry *entry, const double *value) {
    for (size_t k = 0; k < entry->count; k++)
        if (!isfinite(value[k]))
            return nnd_fail(ctx, NND_E_INPUT, "%s: %s: row %zu, column %zu is %s", file->path,
                            entry->info.name, k / entry->cols, k % entry->cols,
                            isnan(value[k]) ? "not a number" : "infinite");
    return NND_OK;
}

nnd_status nnd_matrices_read(nnd_context *ctx, const nnd_matrices *file, size_t i, double *value) {
    const nnd_matrix_entry *entry = &file->entry[i];
    char what[TEXT_SIZE];
    snprintf(what, sizeof what, "%s: %s", file->path, entry->info.name);
    nnd_status status = nnd_check_memory(ctx, nnd_matrices_bytes(file, i), what);
    if (status != NND_OK)
        return status;
    if (in_order(entry)) {
        status = file->read(ctx, file, entry, value);
    } else {
        double *stored = malloc(entry->count * sizeof *stored);
        status = stored != NULL ? file->read(ctx, file, entry, stored) : nnd_fail_memory(ctx, what);
        if (status == NND_OK)
            place(entry, stored, value);
        free(stored);
    }
    return status == NND_OK ? check_finite(ctx, file, entry, value) : status;
}
