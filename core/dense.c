/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/frame.h"

enum { NUMBER_SIZE = 40 };

static bool finite_number(const nnd_value *value, double *x) {
    return nnd_value_number(value, x) && isfinite(*x);
}

/* One row: a list of `cols` numbers, or a number (then cols is 1). */
static bool read_row(const nnd_value *row, size_t cols, double *x, const nnd_value **culprit,
                     const char **wrong) {
    *culprit = row;
    *wrong = "is not";
    if (row->kind == NND_VALUE_SCALAR)
        return cols == 1 && finite_number(row, x);
    *wrong = "is not a row as long as the first:";
    if (row->kind != NND_VALUE_LIST || row->count != cols)
        return false;
    *wrong = "is not";
    for (size_t j = 0; j < cols; j++) {
        *culprit = row->item[j];
        if (!finite_number(row->item[j], &x[j]))
            return false;
    }
    return true;
}

static nnd_status read_rows(nnd_context *ctx, const nnd_value *list, nnd_dense *dense,
                            const nnd_value **culprit, const char **wrong) {
    if (list->kind != NND_VALUE_LIST || list->count == 0)
        return NND_E_INPUT;
    size_t cols = list->item[0]->kind == NND_VALUE_LIST ? list->item[0]->count : 1;
    *culprit = list->item[0];
    if (cols == 0)
        return NND_E_INPUT;
    dense->value = calloc(list->count * cols, sizeof(double));
    if (dense->value == NULL)
        return nnd_fail_memory(ctx, "a matrix of the case");
    dense->rows = list->count;
    dense->cols = cols;
    for (size_t i = 0; i < dense->rows; i++)
        if (!read_row(list->item[i], cols, dense->value + i * cols, culprit, wrong))
            return NND_E_INPUT;
    return NND_OK;
}

static bool is_name(const nnd_value *value) {
    double x;
    return value->kind == NND_VALUE_SCALAR && value->text[0] != '\0' && !nnd_value_is_null(value) &&
           !nnd_value_number(value, &x);
}

nnd_status nnd_dense_set_columns(nnd_context *ctx, nnd_dense *dense, size_t count,
                                 const char *const *column) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        length += strlen(column[i]) + strlen(", ");
    dense->column = calloc(count, sizeof *dense->column);
    char *end = dense->name = malloc(length);
    if (dense->column == NULL || dense->name == NULL)
        return nnd_fail_memory(ctx, "names of columns");
    *end = '\0';
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(stpcpy(end, i > 0 ? ", " : ""), column[i]);
        dense->column[i] = strdup(column[i]);
        if (dense->column[i] == NULL)
            return nnd_fail_memory(ctx, "names of columns");
        dense->columns++;
    }
    return NND_OK;
}

static nnd_status read_names(nnd_context *ctx, const nnd_value *list, nnd_dense *dense,
                             const nnd_value **culprit) {
    const char **name = calloc(list->count, sizeof *name);
    if (name == NULL)
        return nnd_fail_memory(ctx, "names of columns");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < list->count; i++) {
        *culprit = list->item[i];
        name[i] = list->item[i]->text;
        status = is_name(list->item[i]) ? NND_OK : NND_E_INPUT;
    }
    if (status == NND_OK)
        status = nnd_dense_set_columns(ctx, dense, list->count, name);
    free(name);
    return status;
}

nnd_status nnd_dense_read(nnd_context *ctx, const nnd_value *value, nnd_dense *dense,
                          const nnd_value **culprit, const char **wrong) {
    double x;
    *culprit = value;
    *wrong = "is not";
    if (value->kind == NND_VALUE_LIST && value->count > 0 && is_name(value->item[0]))
        return read_names(ctx, value, dense, culprit);
    if (value->kind != NND_VALUE_SCALAR)
        return read_rows(ctx, value, dense, culprit, wrong);
    if (nnd_value_number(value, &x)) {
        if (!isfinite(x))
            return NND_E_INPUT;
        dense->value = calloc(1, sizeof(double));
        if (dense->value == NULL)
            return nnd_fail_memory(ctx, "a number of the case");
        dense->rows = dense->cols = 1;
        dense->value[0] = x;
        return NND_OK;
    }
    if (value->text[0] == '\0')
        return NND_E_INPUT;
    dense->name = strdup(value->text);
    return dense->name != NULL ? NND_OK : nnd_fail_memory(ctx, "a name");
}

static nnd_value *number_value(double x) {
    char text[NUMBER_SIZE];
    nnd_number_text(x, sizeof text, text);
    return nnd_value_scalar(text, false, "");
}

static nnd_value *row_value(const nnd_dense *dense, size_t i) {
    if (dense->cols == 1)
        return number_value(dense->value[i]);
    nnd_value *row = nnd_value_list("");
    for (size_t j = 0; row != NULL && j < dense->cols; j++)
        if (!nnd_value_append(row, number_value(dense->value[i * dense->cols + j]))) {
            nnd_value_free(row);
            return NULL;
        }
    return row;
}

static nnd_value *names_value(const nnd_dense *dense) {
    nnd_value *list = nnd_value_list("");
    for (size_t i = 0; list != NULL && i < dense->columns; i++)
        if (!nnd_value_append(list, nnd_value_scalar(dense->column[i], true, ""))) {
            nnd_value_free(list);
            return NULL;
        }
    return list;
}

nnd_value *nnd_dense_value(const nnd_dense *dense) {
    if (dense->columns > 0)
        return names_value(dense);
    if (dense->name != NULL)
        return nnd_value_scalar(dense->name, true, "");
    if (dense->rows == 0)
        return nnd_value_scalar("null", false, "");
    nnd_value *list = nnd_value_list("");
    for (size_t i = 0; list != NULL && i < dense->rows; i++)
        if (!nnd_value_append(list, row_value(dense, i))) {
            nnd_value_free(list);
            return NULL;
        }
    return list;
}

void nnd_dense_clear(nnd_dense *dense) {
    free(dense->value);
    free(dense->name);
    for (size_t i = 0; i < dense->columns; i++)
        free(dense->column[i]);
    free(dense->column);
    *dense = (nnd_dense){0};
}
