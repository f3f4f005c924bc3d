/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/weights_frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

enum { TEXT_SIZE = 256 };

/* One matrix of an array: where it begins, and how far its rows are apart. */
typedef struct {
    const double *first;
    size_t rows, cols; /* of the array */
} slab;

static bool row_has(const slab *s, size_t i) {
    for (size_t j = 0; j < s->cols; j++)
        if (!isnan(s->first[i * s->cols + j]))
            return true;
    return false;
}

static bool column_has(const slab *s, size_t j) {
    for (size_t i = 0; i < s->rows; i++)
        if (!isnan(s->first[i * s->cols + j]))
            return true;
    return false;
}

/* Rows and columns without the padding. */
static void trim(const slab *s, uint64_t shape[2]) {
    size_t rows = s->rows, cols = s->cols;
    while (rows > 0 && !row_has(s, rows - 1))
        rows--;
    while (rows > 0 && cols > 0 && !column_has(s, cols - 1))
        cols--;
    shape[0] = rows;
    shape[1] = rows > 0 ? cols : 0;
}

/* An entry's place: the array's number, then the place of the slab in it. */
enum { ARRAY_BITS = 20 };

static slab slab_at(const nnd_array *array, size_t place) {
    size_t n = array->ndims, size = array->shape[n - 2] * array->shape[n - 1];
    return (slab){array->data + place * size, array->shape[n - 2], array->shape[n - 1]};
}

static nnd_status add_slab(nnd_context *ctx, nnd_matrices *file, const nnd_frame *frame,
                           size_t index, size_t place) {
    const nnd_array *array = nnd_frame_array(frame, index);
    char points[TEXT_SIZE], name[2 * TEXT_SIZE];
    uint64_t shape[2];
    size_t block = 1;
    nnd_text list = nnd_text_in(sizeof points, points);
    for (size_t d = 0; d + 2 < array->ndims; d++)
        block *= array->shape[d];
    nnd_matrix_found found = {.name = name, .step = NAN, .ndims = 2, .shape = shape};
    for (size_t d = 0; d + 2 < array->ndims; d++) {
        const nnd_dim *dim = nnd_frame_dim(frame, array->dim[d]);
        block /= dim->length;
        size_t at = place / block % dim->length;
        char value[TEXT_SIZE];
        nnd_coord_text(dim, at, sizeof value, value);
        if (strcmp(dim->name, "t") == 0)
            found.step = dim->value[at];
        else
            nnd_text_item(&list, ", ", "%s=%s", dim->name, value);
    }
    snprintf(name, sizeof name, list.items > 0 ? "%s[%s]" : "%s", array->name, points);
    slab s = slab_at(array, place);
    trim(&s, shape);
    if (shape[0] == 0)
        found.reason = "is not there: the network has no such matrix, or had diverged";
    found.at = (uint64_t)place << ARRAY_BITS | index;
    return nnd_matrices_add(ctx, file, &found);
}

static nnd_status read_slab(nnd_context *ctx, const nnd_matrices *file,
                            const nnd_matrix_entry *entry, double *stored) {
    const nnd_array *array =
        nnd_frame_array(file->source, entry->at & (((uint64_t)1 << ARRAY_BITS) - 1));
    slab s = slab_at(array, entry->at >> ARRAY_BITS);
    (void)ctx;
    for (size_t i = 0; i < entry->rows; i++)
        memcpy(stored + i * entry->cols, s.first + i * s.cols, entry->cols * sizeof *stored);
    return NND_OK;
}

static void close_frame(void *frame) {
    nnd_frame_free(frame);
}

nnd_status nnd_weights_list(nnd_context *ctx, nnd_matrices *file, nnd_frame *frame) {
    nnd_status status = NND_OK;
    file->source = frame;
    file->read = read_slab;
    file->close = close_frame;
    for (size_t i = 0; status == NND_OK && i < nnd_frame_array_count(frame); i++) {
        const nnd_array *array = nnd_frame_array(frame, i);
        size_t slabs = 1;
        for (size_t d = 0; d + 2 < array->ndims; d++)
            slabs *= array->shape[d];
        for (size_t k = 0; status == NND_OK && array->ndims >= 2 && k < slabs; k++)
            status = add_slab(ctx, file, frame, i, k);
    }
    return status;
}
