/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stacking of frames: the points of a sweep, or the sizes of an ensemble, become one frame. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "nndmft/frame.h"

enum { DIMS_TEXT = 4096 };

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Union of two numeric dimensions, sorted; `out` has room for both. Returns its length. */
static size_t unite_numbers(const nnd_dim *a, const nnd_dim *b, double *out) {
    size_t n = a->length;
    memcpy(out, a->value, n * sizeof *out);
    for (size_t i = 0; i < b->length; i++)
        if (nnd_coord_find(a, b, i) == a->length)
            out[n++] = b->value[i];
    if (n > a->length)
        qsort(out, n, sizeof *out, by_value);
    return n;
}

static size_t unite_texts(const nnd_dim *a, const nnd_dim *b, const char **out) {
    size_t n = a->length;
    for (size_t i = 0; i < n; i++)
        out[i] = a->text[i];
    for (size_t i = 0; i < b->length; i++)
        if (nnd_coord_find(a, b, i) == a->length)
            out[n++] = b->text[i];
    return n;
}

/* Adds to `out` the union of dimension `name` over all parts. */
static nnd_status unite_dim(nnd_frame *out, const char *name, size_t count,
                            const nnd_frame *const *parts) {
    nnd_context *ctx = nnd_frame_context(out);
    nnd_frame *scratch = NULL;
    nnd_status status = NND_OK;
    const nnd_dim *sum = NULL;
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        const nnd_dim *next = parts[i] != NULL ? nnd_frame_find_dim(parts[i], name) : NULL;
        if (next == NULL)
            continue;
        if (sum == NULL) {
            sum = next;
            continue;
        }
        bool text = sum->kind == NND_COORD_TEXT;
        if (text != (next->kind == NND_COORD_TEXT)) {
            status =
                nnd_fail(ctx, NND_E_INPUT, "dimension %s is text here and numbers there", name);
            break;
        }
        nnd_frame *united = NULL;
        void *values = calloc(sum->length + next->length + 1, sizeof(double));
        status = values == NULL ? nnd_fail_memory(ctx, name) : nnd_frame_new(ctx, &united);
        if (status == NND_OK && text)
            status = nnd_frame_add_text_dim(united, name, unite_texts(sum, next, values), values);
        else if (status == NND_OK)
            status = nnd_frame_add_dim(united, name,
                                       sum->kind == NND_COORD_REAL ? NND_COORD_REAL : next->kind,
                                       unite_numbers(sum, next, values), values);
        free(values);
        nnd_frame_free(scratch);
        scratch = united;
        if (status == NND_OK)
            sum = nnd_frame_dim(united, 0);
    }
    if (status == NND_OK && sum != NULL)
        status = nnd_frame_copy_dim(out, sum);
    nnd_frame_free(scratch);
    return status;
}

static nnd_status unite_dims(nnd_frame *out, size_t count, const nnd_frame *const *parts) {
    for (size_t i = 0; i < count; i++) {
        size_t dims = parts[i] != NULL ? nnd_frame_dim_count(parts[i]) : 0;
        for (size_t d = 0; d < dims; d++) {
            const char *name = nnd_frame_dim(parts[i], d)->name;
            if (nnd_frame_find_dim(out, name) != NULL)
                continue;
            nnd_status status = unite_dim(out, name, count, parts);
            if (status != NND_OK)
                return status;
        }
    }
    return NND_OK;
}

/* Copies one array of a part to its place in the stacked array. */
static nnd_status place(const nnd_frame *out, const nnd_array *to, size_t offset, size_t outer_dims,
                        const nnd_frame *part, const nnd_array *from) {
    bool same_dims = from->ndims == to->ndims - outer_dims;
    for (size_t k = 0; same_dims && k < from->ndims; k++)
        same_dims = strcmp(nnd_frame_dim(out, to->dim[outer_dims + k])->name,
                           nnd_frame_dim(part, from->dim[k])->name) == 0;
    if (!same_dims)
        return nnd_fail(nnd_frame_context(out), NND_E_INPUT,
                        "array %s has different dimensions in two parts", from->name);
    size_t *position[NND_MAX_DIMS] = {0}, stride[NND_MAX_DIMS] = {0}, index[NND_MAX_DIMS] = {0};
    nnd_status status = NND_OK;
    size_t step = 1;
    for (size_t k = from->ndims; k-- > 0;) {
        const nnd_dim *in = nnd_frame_dim(out, to->dim[outer_dims + k]);
        const nnd_dim *of = nnd_frame_dim(part, from->dim[k]);
        stride[k] = step;
        step *= in->length;
        position[k] = calloc(of->length, sizeof(size_t));
        if (position[k] == NULL)
            status = nnd_fail_memory(nnd_frame_context(out), from->name);
        for (size_t i = 0; position[k] != NULL && i < of->length; i++)
            position[k][i] = nnd_coord_find(in, of, i);
    }
    for (size_t i = 0; status == NND_OK && i < from->count; i++) {
        size_t at = offset;
        for (size_t k = 0; k < from->ndims; k++)
            at += position[k][index[k]] * stride[k];
        to->data[at] = from->data[i];
        for (size_t k = from->ndims; k-- > 0 && ++index[k] == from->shape[k];)
            index[k] = 0;
    }
    for (size_t k = 0; k < from->ndims; k++)
        free(position[k]);
    return status;
}

static nnd_status stack_array(nnd_frame *out, size_t nouter, const nnd_dim *const *outer,
                              size_t count, const nnd_frame *const *parts, const nnd_frame *model,
                              const nnd_array *array) {
    char dims[DIMS_TEXT];
    nnd_text list = nnd_text_in(sizeof dims, dims);
    for (size_t i = 0; i < nouter; i++)
        nnd_text_item(&list, ",", "%s", outer[i]->name);
    for (size_t k = 0; k < array->ndims; k++)
        nnd_text_item(&list, ",", "%s", nnd_frame_dim(model, array->dim[k])->name);
    if (list.cut)
        return nnd_fail(nnd_frame_context(out), NND_E_LIMIT,
                        "array %s: the names of its dimensions are too long", array->name);
    nnd_status status = nnd_frame_add(out, array->name, dims, NULL);
    if (status != NND_OK)
        return status;
    const nnd_array *to = nnd_frame_find(out, array->name);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        const nnd_array *from = parts[i] != NULL ? nnd_frame_find(parts[i], array->name) : NULL;
        if (nnd_context_interrupted(nnd_frame_context(out)))
            status = nnd_fail(nnd_frame_context(out), NND_E_INTERRUPTED,
                              "interrupted while results are joined");
        else if (from != NULL)
            status = place(out, to, i * (to->count / count), nouter, parts[i], from);
    }
    return status;
}

/* Whether what is there already says as much: the error of a whole is that of its worst part. */
static bool is_covered(const nnd_attribute *there, const nnd_attribute *a) {
    return there != NULL &&
           (there->text != NULL || a->text != NULL || !(a->number > there->number));
}

static nnd_status copy_attributes(nnd_frame *out, const nnd_frame *part) {
    for (size_t i = 0; i < nnd_frame_attribute_count(part); i++) {
        const nnd_attribute *a = nnd_frame_attribute(part, i);
        if (is_covered(nnd_frame_find_attribute(out, a->array, a->key), a))
            continue;
        nnd_status status = a->text != NULL
                                ? nnd_frame_set_text(out, a->array, a->key, a->text)
                                : nnd_frame_set_number(out, a->array, a->key, a->number);
        if (status != NND_OK)
            return status;
    }
    return NND_OK;
}

nnd_status nnd_frame_stack(nnd_context *ctx, size_t nouter, const nnd_dim *const *outer,
                           size_t count, const nnd_frame *const *parts, nnd_frame **stacked) {
    nnd_frame *out;
    nnd_status status = nnd_frame_new(ctx, &out);
    if (status != NND_OK)
        return status;
    for (size_t i = 0; status == NND_OK && i < nouter; i++)
        status = nnd_frame_copy_dim(out, outer[i]);
    if (status == NND_OK)
        status = unite_dims(out, count, parts);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        if (nnd_context_interrupted(ctx))
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted while results are joined");
        size_t arrays = parts[i] != NULL ? nnd_frame_array_count(parts[i]) : 0;
        for (size_t a = 0; status == NND_OK && a < arrays; a++) {
            const nnd_array *array = nnd_frame_array(parts[i], a);
            if (nnd_frame_find(out, array->name) == NULL)
                status = stack_array(out, nouter, outer, count, parts, parts[i], array);
        }
        if (status == NND_OK && parts[i] != NULL)
            status = copy_attributes(out, parts[i]);
    }
    if (status != NND_OK) {
        nnd_frame_free(out);
        return status;
    }
    *stacked = out;
    return NND_OK;
}
