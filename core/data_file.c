/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrices of a data set that stand in a file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static nnd_status missing(const source *s, const char *name) {
    char list[TEXT_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < nnd_frame_array_count(s->arrays) && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ",
                                 nnd_frame_array(s->arrays, i)->name);
    return nnd_fail(s->ctx, NND_E_INPUT, "%s: has no array \"%s\"; it has: %s", s->path, name,
                    list);
}

/* The columns NAME0, NAME1, ... of a table side by side. */
static nnd_status read_columns(const source *s, nnd_dense *dense) {
    char name[TEXT_SIZE];
    const nnd_array *column = NULL;
    size_t cols = 0;
    for (;; cols++) {
        snprintf(name, sizeof name, "%.200s%zu", dense->name, cols);
        const nnd_array *next = nnd_frame_find(s->arrays, name);
        if (next == NULL || next->ndims != 1 || (column != NULL && next->count != column->count))
            break;
        column = next;
    }
    if (cols == 0)
        return missing(s, dense->name);
    nnd_status status = allocate(s, column->count, cols, dense);
    for (size_t j = 0; status == NND_OK && j < cols; j++) {
        snprintf(name, sizeof name, "%.200s%zu", dense->name, j);
        column = nnd_frame_find(s->arrays, name);
        for (size_t i = 0; i < dense->rows; i++)
            dense->value[i * cols + j] = column->data[i];
    }
    return status;
}

static nnd_status read_array(const source *s, nnd_dense *dense) {
    if (dense->name == NULL)
        return NND_OK;
    const nnd_array *array = nnd_frame_find(s->arrays, dense->name);
    if (array == NULL)
        return read_columns(s, dense);
    if (array->ndims < 1 || array->ndims > 2)
        return nnd_fail(s->ctx, NND_E_INPUT, "%s: %s has %zu dimensions; allowed: 1 or 2", s->path,
                        dense->name, array->ndims);
    nnd_status status =
        allocate(s, array->shape[0], array->ndims == 2 ? array->shape[1] : 1, dense);
    if (status == NND_OK)
        memcpy(dense->value, array->data, array->count * sizeof(double));
    return status;
}

/* Rows `list` of an array of the file into another, which goes by the same name if it has none. */
static nnd_status take_rows(const source *s, const char *key, const nnd_dense *from,
                            const nnd_integers *list, nnd_dense *to) {
    if (from->name == NULL)
        return nnd_fail(s->ctx, NND_E_INPUT, "%s: rows are taken of its arrays, but `%s` %s",
                        s->path, key, from->rows > 0 ? "stands in the case" : "is missing");
    nnd_dense taken = {.name = to->name != NULL ? to->name : strdup(from->name)};
    if (taken.name == NULL)
        return nnd_fail_memory(s->ctx, s->path);
    to->name = taken.name;
    nnd_status status = allocate(s, list->count, from->cols, &taken);
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
    *to = taken;
    return NND_OK;
}

/* Test samples are rows of the test arrays if there are any, else of the training arrays. */
static nnd_status choose_rows(const source *s, nnd_data *d) {
    nnd_status status = NND_OK;
    if (d->test_rows.count > 0) {
        bool own = d->test_inputs.rows > 0;
        status = own ? take_rows(s, "test_inputs", &d->test_inputs, &d->test_rows, &d->test_inputs)
                     : take_rows(s, "inputs", &d->inputs, &d->test_rows, &d->test_inputs);
        if (status == NND_OK && !own)
            status = take_rows(s, "targets", &d->targets, &d->test_rows, &d->test_targets);
        else if (status == NND_OK && d->test_targets.rows > 0)
            status =
                take_rows(s, "test_targets", &d->test_targets, &d->test_rows, &d->test_targets);
    }
    if (status == NND_OK && d->rows.count > 0)
        status = take_rows(s, "inputs", &d->inputs, &d->rows, &d->inputs);
    if (status == NND_OK && d->rows.count > 0)
        status = take_rows(s, "targets", &d->targets, &d->rows, &d->targets);
    return status;
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
        double factor = variance > 0.0 ? 1.0 / sqrt(variance) : 0.0;
        for (size_t i = 0; i < p; i++)
            d->inputs.value[i * cols + j] = factor * (d->inputs.value[i * cols + j] - mean);
        for (size_t i = 0; d->test_inputs.cols == cols && i < d->test_inputs.rows; i++)
            d->test_inputs.value[i * cols + j] =
                factor * (d->test_inputs.value[i * cols + j] - mean);
    }
}

/* 64-bit FNV-1a over the bytes of the numbers. */
static uint64_t add_to_hash(uint64_t hash, const nnd_dense *d) {
    const unsigned char *bytes = (const unsigned char *)d->value;
    for (size_t i = 0; i < d->rows * d->cols * sizeof(double); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static nnd_status check_sum(const source *s, nnd_data *d) {
    const nnd_dense *all[] = {&d->gram,       &d->targets,      &d->test_gram, &d->test_self,
                              &d->test_block, &d->test_targets, &d->inputs,    &d->test_inputs,
                              &d->covariance, &d->minimizer};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char text[17];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        hash = add_to_hash(hash, all[i]);
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    if (d->checksum != NULL && strcmp(d->checksum, text) != 0)
        return nnd_fail(s->ctx, NND_E_INPUT,
                        "%s: the case was made with data of checksum %s, the file has %s", s->path,
                        d->checksum, text);
    if (d->checksum == NULL)
        d->checksum = strdup(text);
    return d->checksum != NULL ? NND_OK : nnd_fail_memory(s->ctx, "a checksum");
}

nnd_status nnd_data_load(nnd_context *ctx, nnd_data *d, const char *path, const nnd_frame *arrays) {
    source s = {ctx, path, arrays};
    nnd_dense *all[] = {&d->gram,       &d->targets,      &d->test_gram, &d->test_self,
                        &d->test_block, &d->test_targets, &d->inputs,    &d->test_inputs,
                        &d->covariance, &d->minimizer};
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof all / sizeof *all; i++)
        status = read_array(&s, all[i]);
    if (status == NND_OK)
        status = choose_rows(&s, d);
    if (status == NND_OK && d->standardize)
        standardize(d);
    return status == NND_OK ? check_sum(&s, d) : status;
}
