/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/frame.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dim.h"
#include "core/text.h"

struct nnd_frame {
    nnd_context *ctx;
    size_t dims, arrays, attributes;
    nnd_dim **dim;
    nnd_array **array;
    nnd_attribute **attribute;
};

nnd_status nnd_frame_new(nnd_context *ctx, nnd_frame **frame) {
    *frame = calloc(1, sizeof **frame);
    if (*frame == NULL)
        return nnd_fail_memory(ctx, "a frame");
    (*frame)->ctx = ctx;
    return NND_OK;
}

void nnd_dim_free(nnd_dim *dim) {
    if (dim == NULL)
        return;
    for (size_t i = 0; dim->text != NULL && i < dim->length; i++)
        free(dim->text[i]);
    free(dim->text);
    free(dim->value);
    free(dim->name);
    free(dim);
}

static void array_free(nnd_array *array) {
    if (array == NULL)
        return;
    free(array->data);
    free(array->name);
    free(array);
}

static void attribute_free(nnd_attribute *attribute) {
    if (attribute == NULL)
        return;
    free(attribute->array);
    free(attribute->key);
    free(attribute->text);
    free(attribute);
}

void nnd_frame_free(nnd_frame *frame) {
    if (frame == NULL)
        return;
    for (size_t i = 0; i < frame->dims; i++)
        nnd_dim_free(frame->dim[i]);
    for (size_t i = 0; i < frame->arrays; i++)
        array_free(frame->array[i]);
    for (size_t i = 0; i < frame->attributes; i++)
        attribute_free(frame->attribute[i]);
    free(frame->dim);
    free(frame->array);
    free(frame->attribute);
    free(frame);
}

/* Appends a pointer to a list of pointers; false when out of memory. */
static bool append(void *list, size_t *count, void *item) {
    void ***items = list;
    void **grown = realloc(*items, (*count + 1) * sizeof(void *));
    if (grown == NULL)
        return false;
    grown[(*count)++] = item;
    *items = grown;
    return true;
}

/* A new dimension with zeroed coordinates, checked and appended to the frame. */
static nnd_status new_dim(nnd_frame *frame, const char *name, nnd_coord_kind kind, size_t length,
                          nnd_dim **dim) {
    if (nnd_frame_find_dim(frame, name) != NULL)
        return nnd_fail(frame->ctx, NND_E_INPUT, "dimension %s exists already", name);
    nnd_dim *d = calloc(1, sizeof *d);
    if (d == NULL)
        return nnd_fail_memory(frame->ctx, name);
    size_t room = length > 0 ? length : 1;
    d->kind = kind;
    d->length = length;
    d->name = strdup(name);
    if (kind == NND_COORD_TEXT)
        d->text = calloc(room, sizeof *d->text);
    else
        d->value = calloc(room, sizeof *d->value);
    if (d->name == NULL || (d->text == NULL && d->value == NULL) ||
        !append(&frame->dim, &frame->dims, d)) {
        nnd_dim_free(d);
        return nnd_fail_memory(frame->ctx, name);
    }
    *dim = d;
    return NND_OK;
}

nnd_status nnd_frame_add_dim(nnd_frame *frame, const char *name, nnd_coord_kind kind, size_t length,
                             const double *value) {
    nnd_dim *dim;
    nnd_status status = new_dim(frame, name, kind, length, &dim);
    if (status == NND_OK && length > 0)
        memcpy(dim->value, value, length * sizeof *value);
    return status;
}

nnd_status nnd_frame_add_range(nnd_frame *frame, const char *name, size_t length, double first) {
    nnd_dim *dim;
    nnd_status status = new_dim(frame, name, NND_COORD_INTEGER, length, &dim);
    for (size_t i = 0; status == NND_OK && i < length; i++)
        dim->value[i] = first + (double)i;
    return status;
}

nnd_status nnd_frame_add_text_dim(nnd_frame *frame, const char *name, size_t length,
                                  const char *const *text) {
    nnd_dim *dim;
    nnd_status status = new_dim(frame, name, NND_COORD_TEXT, length, &dim);
    for (size_t i = 0; status == NND_OK && i < length; i++) {
        dim->text[i] = strdup(text[i]);
        if (dim->text[i] == NULL)
            status = nnd_fail_memory(frame->ctx, name);
    }
    return status;
}

nnd_status nnd_frame_copy_dim(nnd_frame *frame, const nnd_dim *dim) {
    if (dim->kind == NND_COORD_TEXT)
        return nnd_frame_add_text_dim(frame, dim->name, dim->length,
                                      (const char *const *)dim->text);
    return nnd_frame_add_dim(frame, dim->name, dim->kind, dim->length, dim->value);
}

static size_t dim_index(const nnd_frame *frame, const char *name, size_t length) {
    for (size_t i = 0; i < frame->dims; i++)
        if (strlen(frame->dim[i]->name) == length &&
            strncmp(frame->dim[i]->name, name, length) == 0)
            return i;
    return frame->dims;
}

/* Resolves "t,layer" to dimensions of the frame. */
static nnd_status resolve_dims(nnd_frame *frame, const char *dims, nnd_array *array) {
    array->count = 1;
    for (const char *name = dims; *name != '\0';) {
        size_t length = strcspn(name, ",");
        size_t d = dim_index(frame, name, length);
        if (array->ndims == NND_MAX_DIMS)
            return nnd_fail(frame->ctx, NND_E_LIMIT, "array %s: more than %d dimensions",
                            array->name, NND_MAX_DIMS);
        if (d == frame->dims)
            return nnd_fail(frame->ctx, NND_E_INPUT, "array %s: no dimension %.*s", array->name,
                            (int)length, name);
        size_t n = frame->dim[d]->length;
        if (n > 0 && array->count > PTRDIFF_MAX / sizeof(double) / n)
            return nnd_fail(frame->ctx, NND_E_LIMIT, "array %s: more numbers than memory can hold",
                            array->name);
        array->dim[array->ndims] = d;
        array->shape[array->ndims++] = n;
        array->count *= n;
        name += length + (name[length] == ',');
    }
    if (array->count == 0)
        return nnd_fail(frame->ctx, NND_E_INPUT, "array %s: a dimension of length 0", array->name);
    return NND_OK;
}

nnd_status nnd_frame_add(nnd_frame *frame, const char *name, const char *dims, double **data) {
    if (nnd_frame_find(frame, name) != NULL)
        return nnd_fail(frame->ctx, NND_E_INPUT, "array %s exists already", name);
    nnd_array *a = calloc(1, sizeof *a);
    if (a == NULL)
        return nnd_fail_memory(frame->ctx, name);
    a->name = strdup(name);
    nnd_status status =
        a->name == NULL ? nnd_fail_memory(frame->ctx, name) : resolve_dims(frame, dims, a);
    if (status == NND_OK) {
        a->data = malloc(a->count * sizeof *a->data);
        if (a->data == NULL || !append(&frame->array, &frame->arrays, a))
            status = nnd_fail_memory(frame->ctx, name);
    }
    if (status != NND_OK) {
        array_free(a);
        return status;
    }
    for (size_t i = 0; i < a->count; i++)
        a->data[i] = NAN;
    if (data != NULL)
        *data = a->data;
    return NND_OK;
}

nnd_status nnd_frame_add_scalar(nnd_frame *frame, const char *name, double value) {
    double *data;
    nnd_status status = nnd_frame_add(frame, name, "", &data);
    if (status == NND_OK)
        *data = value;
    return status;
}

static bool same(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static nnd_attribute *find_attribute(const nnd_frame *frame, const char *array, const char *key) {
    for (size_t i = 0; i < frame->attributes; i++)
        if (same(frame->attribute[i]->array, array) && same(frame->attribute[i]->key, key))
            return frame->attribute[i];
    return NULL;
}

static nnd_status set_attribute(nnd_frame *frame, const char *array, const char *key,
                                const char *text, double number) {
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return nnd_fail_memory(frame->ctx, key);
    nnd_attribute *a = find_attribute(frame, array, key);
    if (a == NULL) {
        a = calloc(1, sizeof *a);
        if (a != NULL) {
            a->array = array != NULL ? strdup(array) : NULL;
            a->key = strdup(key);
        }
        if (a == NULL || a->key == NULL || (array != NULL && a->array == NULL) ||
            !append(&frame->attribute, &frame->attributes, a)) {
            attribute_free(a);
            free(copy);
            return nnd_fail_memory(frame->ctx, key);
        }
    }
    free(a->text);
    a->text = copy;
    a->number = number;
    return NND_OK;
}

nnd_status nnd_frame_set_text(nnd_frame *frame, const char *array, const char *key,
                              const char *text) {
    return set_attribute(frame, array, key, text, NAN);
}

nnd_status nnd_frame_set_number(nnd_frame *frame, const char *array, const char *key,
                                double number) {
    return set_attribute(frame, array, key, NULL, number);
}

void nnd_frame_adopt(nnd_frame *frame, nnd_context *ctx) {
    if (frame != NULL)
        frame->ctx = ctx;
}

nnd_context *nnd_frame_context(const nnd_frame *frame) {
    return frame->ctx;
}

const nnd_array *nnd_frame_find(const nnd_frame *frame, const char *name) {
    for (size_t i = 0; i < frame->arrays; i++)
        if (strcmp(frame->array[i]->name, name) == 0)
            return frame->array[i];
    return NULL;
}

const nnd_dim *nnd_frame_find_dim(const nnd_frame *frame, const char *name) {
    size_t i = dim_index(frame, name, strlen(name));
    return i < frame->dims ? frame->dim[i] : NULL;
}

const nnd_attribute *nnd_frame_find_attribute(const nnd_frame *frame, const char *array,
                                              const char *key) {
    return find_attribute(frame, array, key);
}

size_t nnd_frame_array_count(const nnd_frame *frame) {
    return frame->arrays;
}

const nnd_array *nnd_frame_array(const nnd_frame *frame, size_t i) {
    return frame->array[i];
}

size_t nnd_frame_dim_count(const nnd_frame *frame) {
    return frame->dims;
}

const nnd_dim *nnd_frame_dim(const nnd_frame *frame, size_t i) {
    return frame->dim[i];
}

size_t nnd_frame_attribute_count(const nnd_frame *frame) {
    return frame->attributes;
}

const nnd_attribute *nnd_frame_attribute(const nnd_frame *frame, size_t i) {
    return frame->attribute[i];
}

size_t nnd_array_axis(const nnd_frame *frame, const nnd_array *array, const char *name) {
    size_t axis = 0;
    while (axis < array->ndims && strcmp(frame->dim[array->dim[axis]]->name, name) != 0)
        axis++;
    return axis;
}

void nnd_array_dims(const nnd_frame *frame, const nnd_array *array, size_t size, char *text) {
    nnd_text list = nnd_text_in(size, text);
    for (size_t i = 0; i < array->ndims; i++)
        nnd_text_item(&list, ",", "%s", frame->dim[array->dim[i]]->name);
}

bool nnd_coord_equal(const nnd_dim *a, size_t i, const nnd_dim *b, size_t j) {
    bool text = a->kind == NND_COORD_TEXT;
    if (text != (b->kind == NND_COORD_TEXT))
        return false;
    if (text)
        return strcmp(a->text[i], b->text[j]) == 0;
    double x = a->value[i], y = b->value[j];
    if (a->kind == NND_COORD_INTEGER && b->kind == NND_COORD_INTEGER)
        return x == y;
    double larger = fmax(fabs(x), fabs(y));
    return x == y || (isfinite(larger) && fabs(x - y) <= 1e-12 * larger);
}

size_t nnd_coord_find(const nnd_dim *in, const nnd_dim *of, size_t i) {
    /* Most dimensions are identical, so the same position is the first guess. */
    if (i < in->length && nnd_coord_equal(in, i, of, i))
        return i;
    size_t j = 0;
    while (j < in->length && !nnd_coord_equal(in, j, of, i))
        j++;
    return j;
}

void nnd_coord_text(const nnd_dim *dim, size_t i, size_t size, char *text) {
    if (dim->kind == NND_COORD_TEXT)
        snprintf(text, size, "%s", dim->text[i]);
    else if (dim->kind == NND_COORD_INTEGER && fabs(dim->value[i]) <= NND_LARGEST_INTEGER)
        nnd_format(text, size, "%.0f", dim->value[i]);
    else
        nnd_number_text(dim->value[i], size, text);
}
