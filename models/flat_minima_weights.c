/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrices of a user's own as the weights of a flat-minima network. */
#include "models/flat_minima_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/dataset.h"

const char *nnd_flat_minima_file(const void *params) {
    const nnd_flat_minima *p = params;
    bool named = p->weights.name != NULL && p->weights.columns == 0 && p->weights.rows == 0;
    return named ? p->weights.name : NULL;
}

/* W2 before W10. */
static int by_name(const void *a, const void *b) {
    const nnd_array *const *x = a, *const *y = b;
    return strverscmp((*x)->name, (*y)->name);
}

/* Numbers of W_k from an array, which is a matrix of its shape, or a vector if it has one row. */
static nnd_status take_matrix(nnd_context *ctx, const nnd_flat_minima *p, size_t k,
                              const char *path, const nnd_array *array, const char *name,
                              double *to) {
    size_t rows = nnd_flat_minima_width(p, k), cols = nnd_flat_minima_width(p, k - 1);
    bool vector = array->ndims == 1 && rows == 1 && array->shape[0] == cols;
    bool matrix = array->ndims == 2 && array->shape[0] == rows && array->shape[1] == cols;
    if (!vector && !matrix)
        return nnd_fail(ctx, NND_E_INPUT,
                        "%s: array %zu%s has not the %zu x %zu numbers of W_%zu; width and data "
                        "say which",
                        path, k, name, rows, cols, k);
    for (size_t i = 0; i < rows * cols; i++)
        if (!isfinite(array->data[i]))
            return nnd_fail(ctx, NND_E_INPUT,
                            "%s: array %zu%s: row %zu, column %zu is %g; allowed: finite numbers",
                            path, k, name, i / cols, i % cols, array->data[i]);
    memcpy(to, array->data, rows * cols * sizeof *to);
    return NND_OK;
}

static nnd_status take_all(nnd_context *ctx, nnd_flat_minima *p, const char *path, bool linked,
                           const nnd_array *const *list) {
    nnd_status status = NND_OK;
    double *to = p->weights.value;
    for (size_t k = 1; status == NND_OK && k <= (size_t)p->depth; k++) {
        char name[64] = "";
        if (!linked)
            snprintf(name, sizeof name, " (%.40s)", list[k - 1]->name);
        status = take_matrix(ctx, p, k, path, list[k - 1], name, to);
        to += nnd_flat_minima_width(p, k) * nnd_flat_minima_width(p, k - 1);
    }
    return status;
}

nnd_status nnd_flat_minima_load(nnd_context *ctx, void *params, const char *path,
                                const nnd_frame *arrays) {
    nnd_flat_minima *p = params;
    size_t count = nnd_frame_array_count(arrays);
    if (count != (size_t)p->depth)
        return nnd_fail(ctx, NND_E_INPUT, "%s: %zu arrays; allowed: %lld, one for each matrix",
                        path, count, (long long)p->depth);
    const nnd_array **list = calloc(count, sizeof(nnd_array *));
    p->weights.value = calloc(nnd_flat_minima_weights(p) + 1, sizeof(double));
    if (list == NULL || p->weights.value == NULL) {
        free(list);
        return nnd_fail_memory(ctx, path);
    }
    for (size_t k = 0; k < count; k++)
        list[k] = nnd_frame_array(arrays, k);
    qsort(list, count, sizeof *list, by_name);
    p->weights.rows = nnd_flat_minima_weights(p);
    p->weights.cols = 1;
    bool linked = nnd_frame_find_attribute(arrays, NULL, NND_DATA_LINKED) != NULL;
    nnd_status status = take_all(ctx, p, path, linked, list);
    free(list);
    return status;
}
