/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrices of a data set that stand in a file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/suggest.h"
#include "core/text.h"
#include "nndmft/dataset.h"

enum { TEXT_SIZE = 256 };

typedef struct {
    nnd_context *ctx;
    const char *path;
    const nnd_frame *arrays;
} source;

static nnd_status allocate(const source *s, size_t rows, size_t cols, nnd_dense *dense) {
    dense->value = calloc(rows * cols, sizeof(double));
    if (dense->value == NULL)
        return nnd_fail_memory(s->ctx, s->path);
    dense->rows = rows;
    dense->cols = cols;
    return NND_OK;
}

/* The arrays of the file that may be told of, by name; those that begin with `prefix` and end in a
 * number, or all (NULL). */
static bool is_candidate(const nnd_array *array, const char *prefix) {
    if (prefix == NULL)
        return true;
    size_t length = strlen(prefix);
    const char *number = array->name + length;
    return strncmp(array->name, prefix, length) == 0 && *number != '\0' &&
           number[strspn(number, "0123456789")] == '\0';
}

/* How many there are; their names into `list`. */
static size_t list_candidates(const source *s, const char *prefix, size_t size, char *list) {
    nnd_text text = nnd_text_in(size, list);
    for (size_t i = 0; i < nnd_frame_array_count(s->arrays); i++) {
        const nnd_array *array = nnd_frame_array(s->arrays, i);
        if (is_candidate(array, prefix))
            nnd_text_item(&text, ", ", "%s", array->name);
    }
    return text.items;
}

static nnd_status missing(const source *s, const char *name) {
    char list[TEXT_SIZE];
    list_candidates(s, NULL, sizeof list, list);
    if (nnd_frame_find_attribute(s->arrays, NULL, NND_DATA_LINKED) != NULL)
        return nnd_fail(s->ctx, NND_E_INPUT, "%s: has no array \"%s\"", s->path, name);
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < nnd_frame_array_count(s->arrays); i++)
        nnd_suggest(&near, "", nnd_frame_array(s->arrays, i)->name);
    return nnd_fail(s->ctx, NND_E_INPUT, "%s: has no array \"%s\"; %sit has: %s", s->path, name,
                    near.text, list);
}

/* Arrays of one or two dimensions side by side. */
static nnd_status join(const source *s, size_t count, const nnd_array *const *part,
                       nnd_dense *dense) {
    size_t cols = 0, first = 0;
    for (size_t k = 0; k < count; k++) {
        if (part[k]->ndims < 1 || part[k]->ndims > 2)
            return nnd_fail(s->ctx, NND_E_INPUT, "%s: %s has %zu dimensions; allowed: 1 or 2",
                            s->path, dense->name, part[k]->ndims);
        if (part[k]->shape[0] != part[0]->shape[0])
            return nnd_fail(s->ctx, NND_E_INPUT, "%s: %s: not all of them have the same rows",
                            s->path, dense->name);
        cols += part[k]->ndims == 2 ? part[k]->shape[1] : 1;
    }
    nnd_status status = allocate(s, part[0]->shape[0], cols, dense);
    for (size_t k = 0; status == NND_OK && k < count; k++) {
        size_t own = part[k]->ndims == 2 ? part[k]->shape[1] : 1;
        for (size_t i = 0; i < dense->rows; i++)
            memcpy(dense->value + i * cols + first, part[k]->data + i * own, own * sizeof(double));
        first += own;
    }
    return status;
}

/* The columns NAME0, NAME1, ... of a table. If there are others of the kind beside them, what is
 * meant is not clear. */
static nnd_status read_numbered(const source *s, nnd_dense *dense) {
    char name[TEXT_SIZE], list[TEXT_SIZE];
    size_t candidates = list_candidates(s, dense->name, sizeof list, list), cols = 0;
    const nnd_array **part = calloc(candidates + 1, sizeof(nnd_array *));
    if (part == NULL)
        return nnd_fail_memory(s->ctx, s->path);
    for (; cols < candidates; cols++) {
        snprintf(name, sizeof name, "%.200s%zu", dense->name, cols);
        part[cols] = nnd_frame_find(s->arrays, name);
        if (part[cols] == NULL)
            break;
    }
    bool linked = nnd_frame_find_attribute(s->arrays, NULL, NND_DATA_LINKED) != NULL;
    nnd_status status;
    if (candidates == 0)
        status = missing(s, dense->name);
    else if (cols < candidates)
        status =
            nnd_fail(s->ctx, NND_E_INPUT,
                     "%s: \"%s\" may be several columns%s%s, but they are not numbered from 0 "
                     "without gaps; list those that are meant: [%s0, ...]",
                     s->path, dense->name, linked ? "" : ": ", linked ? "" : list, dense->name);
    else
        status = join(s, cols, part, dense);
    free(part);
    return status;
}

static nnd_status read_array(const source *s, nnd_dense *dense) {
    if (dense->name == NULL)
        return NND_OK;
    const nnd_array *array = nnd_frame_find(s->arrays, dense->name);
    if (dense->columns == 0)
        return array != NULL ? join(s, 1, &array, dense) : read_numbered(s, dense);
    const nnd_array **part = calloc(dense->columns, sizeof(nnd_array *));
    nnd_status status = part != NULL ? NND_OK : nnd_fail_memory(s->ctx, s->path);
    for (size_t k = 0; status == NND_OK && k < dense->columns; k++) {
        part[k] = nnd_frame_find(s->arrays, dense->column[k]);
        if (part[k] == NULL)
            status = missing(s, dense->column[k]);
    }
    if (status == NND_OK)
        status = join(s, dense->columns, part, dense);
    free(part);
    return status;
}

static nnd_status copy_names(const source *s, const nnd_dense *from, nnd_dense *to) {
    if (from->columns > 0)
        return nnd_dense_set_columns(s->ctx, to, from->columns, (const char *const *)from->column);
    to->name = strdup(from->name);
    return to->name != NULL ? NND_OK : nnd_fail_memory(s->ctx, s->path);
}

/* Rows `list` of an array of the file into another, which goes by the same name if it has none. */
static nnd_status take_rows(const source *s, const char *key, const nnd_dense *from,
                            const nnd_integers *list, nnd_dense *to) {
    if (from->name == NULL)
        return nnd_fail(s->ctx, NND_E_INPUT, "%s: rows are taken of its arrays, but `%s` %s",
                        s->path, key, from->rows > 0 ? "stands in the case" : "is missing");
    nnd_dense taken = {0};
    nnd_status status = to->name == NULL ? copy_names(s, from, to) : NND_OK;
    if (status == NND_OK)
        status = allocate(s, list->count, from->cols, &taken);
    for (size_t i = 0; status == NND_OK && i < list->count; i++) {
        size_t row = (size_t)list->value[i];
        if (row >= from->rows)
            status = nnd_fail(s->ctx, NND_E_INPUT, "%s: row %zu is beyond the %zu rows of \"%s\"",
                              s->path, row, from->rows, from->name);
        else
            memcpy(taken.value + i * taken.cols, from->value + row * from->cols,
                   taken.cols * sizeof(double));
    }
    if (status != NND_OK) {
        free(taken.value);
        return status;
    }
    free(to->value);
    to->value = taken.value;
    to->rows = taken.rows;
    to->cols = taken.cols;
    return NND_OK;
}

/* Test samples are rows of the test arrays if there are any, else of the training arrays. */
static nnd_status choose_rows(const source *s, nnd_data *d) {
    bool labelled = d->labels.rows > 0;
    nnd_status status = NND_OK;
    if (d->test_rows.count > 0) {
        bool own = d->test_inputs.rows > 0;
        status = own ? take_rows(s, "test_inputs", &d->test_inputs, &d->test_rows, &d->test_inputs)
                     : take_rows(s, "inputs", &d->inputs, &d->test_rows, &d->test_inputs);
        if (status == NND_OK && !own)
            status = labelled
                         ? take_rows(s, "labels", &d->labels, &d->test_rows, &d->test_labels)
                         : take_rows(s, "targets", &d->targets, &d->test_rows, &d->test_targets);
        if (status == NND_OK && own && d->test_targets.rows > 0)
            status =
                take_rows(s, "test_targets", &d->test_targets, &d->test_rows, &d->test_targets);
        if (status == NND_OK && own && d->test_labels.rows > 0)
            status = take_rows(s, "test_labels", &d->test_labels, &d->test_rows, &d->test_labels);
    }
    if (status == NND_OK && d->rows.count > 0)
        status = take_rows(s, "inputs", &d->inputs, &d->rows, &d->inputs);
    if (status == NND_OK && d->rows.count > 0)
        status = labelled ? take_rows(s, "labels", &d->labels, &d->rows, &d->labels)
                          : take_rows(s, "targets", &d->targets, &d->rows, &d->targets);
    return status;
}

/* Labels become the two classes of whether they are in a list; what is no label stays. */
static void group_labels(const nnd_integers *positive, nnd_dense *labels) {
    for (size_t i = 0; i < labels->rows * labels->cols; i++) {
        double label = labels->value[i], class = 0.0;
        for (size_t k = 0; k < positive->count; k++)
            class = label == (double)positive->value[k] ? 1.0 : class;
        if (label >= 0.0 && label == floor(label))
            labels->value[i] = class;
    }
}

/* Rounding gives the mean of equal numbers a distance from them. */
static bool is_constant(const nnd_dense *inputs, size_t j) {
    for (size_t i = 1; i < inputs->rows; i++)
        if (inputs->value[i * inputs->cols + j] != inputs->value[j])
            return false;
    return true;
}

/* A constant input becomes 0. */
static void standardize(nnd_data *d) {
    size_t p = d->inputs.rows, cols = d->inputs.cols;
    for (size_t j = 0; j < cols; j++) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < p; i++)
            mean += d->inputs.value[i * cols + j] / (double)p;
        for (size_t i = 0; i < p; i++)
            variance += pow(d->inputs.value[i * cols + j] - mean, 2.0) / (double)p;
        double factor = variance > 0.0 && !is_constant(&d->inputs, j) ? 1.0 / sqrt(variance) : 0.0;
        for (size_t i = 0; i < p; i++)
            d->inputs.value[i * cols + j] = factor * (d->inputs.value[i * cols + j] - mean);
        for (size_t i = 0; d->test_inputs.cols == cols && i < d->test_inputs.rows; i++)
            d->test_inputs.value[i * cols + j] =
                factor * (d->test_inputs.value[i * cols + j] - mean);
    }
}

/* The matrix that row i of the table stands for; NULL: another kind of parameter. */
static nnd_dense *matrix_at(nnd_data *d, size_t i) {
    const nnd_param *row = &nnd_data_table.param[i];
    return row->type == NND_DENSE ? (nnd_dense *)((char *)d + row->offset) : NULL;
}

typedef uint64_t (*hash_fn)(uint64_t hash, const void *bytes, size_t size);

/* Over the numbers of all matrices in the order of the table, which therefore never changes.
 * Classes count where there are some: checksums of before there were any stay right. */
static void sum_up(nnd_data *d, hash_fn add, uint64_t hash, char text[17]) {
    for (size_t i = 0; i < nnd_data_table.count; i++) {
        const nnd_dense *m = matrix_at(d, i);
        bool classes = m == &d->labels || m == &d->test_labels;
        if (m != NULL && (!classes || m->rows > 0))
            hash = add(hash, m->value, m->rows * m->cols * sizeof(double));
    }
    snprintf(text, 17, "%016" PRIx64, hash);
}

static nnd_status check_sum(const source *s, nnd_data *d) {
    char text[17], old[17];
    sum_up(d, nnd_hash, 0, text);
    if (d->checksum == NULL) {
        d->checksum = strdup(text);
        return d->checksum != NULL ? NND_OK : nnd_fail_memory(s->ctx, "a checksum");
    }
    if (strcmp(d->checksum, text) == 0)
        return NND_OK;
    sum_up(d, nnd_hash_fnv, NND_FNV_START, old);
    return strcmp(d->checksum, old) == 0
               ? NND_OK
               : nnd_fail(s->ctx, NND_E_INPUT,
                          "%s: the case was made with data of checksum %s, the file has %s",
                          s->path, d->checksum, text);
}

nnd_status nnd_data_load(nnd_context *ctx, nnd_data *d, const char *path, const nnd_frame *arrays) {
    source s = {ctx, path, arrays};
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < nnd_data_table.count; i++)
        if (matrix_at(d, i) != NULL)
            status = read_array(&s, matrix_at(d, i));
    if (status == NND_OK)
        status = choose_rows(&s, d);
    if (status == NND_OK && d->positive.count > 0) {
        group_labels(&d->positive, &d->labels);
        group_labels(&d->positive, &d->test_labels);
    }
    if (status == NND_OK && d->standardize)
        standardize(d);
    return status == NND_OK ? check_sum(&s, d) : status;
}
