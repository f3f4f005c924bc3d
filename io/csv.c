/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A frame as CSV: one row per point of the arrays that share their dimensions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "io/export_impl.h"

enum { TEXT_SIZE = 900 };

/* The columns after the coordinates. */
typedef struct {
    size_t count;
    const nnd_array **array;
} columns;

static bool has_column(const columns *c, const nnd_array *array) {
    for (size_t i = 0; i < c->count; i++)
        if (c->array[i] == array)
            return true;
    return false;
}

static void add_column(columns *c, const nnd_array *array) {
    if (array != NULL && !has_column(c, array))
        c->array[c->count++] = array;
}

static nnd_status add_named(nnd_context *ctx, const nnd_frame *frame, const char *name,
                            columns *c) {
    const nnd_array *array[NND_EXPORT_PARTS];
    size_t count;
    nnd_status status = nnd_export_find_all(ctx, frame, name, &count, array);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        add_column(c, array[i]);
        add_column(c, nnd_export_error_of(frame, array[i]));
    }
    return status;
}

static nnd_status choose_columns(nnd_context *ctx, const nnd_frame *frame,
                                 const nnd_selection *vars, columns *c) {
    bool all = vars == NULL || vars->count == 0;
    nnd_status status = NND_OK;
    for (size_t i = 0; all && i < nnd_frame_array_count(frame); i++) {
        const nnd_array *array = nnd_frame_array(frame, i);
        if (nnd_export_is_error(frame, array))
            continue;
        add_column(c, array);
        add_column(c, nnd_export_error_of(frame, array));
    }
    for (size_t i = 0; !all && status == NND_OK && i < vars->count; i++)
        status = add_named(ctx, frame, vars->value[i], c);
    if (status == NND_OK && c->count == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "there are no variables to write");
    return status;
}

/* "[t] test_risk, train_mse; [t,layer] g_norm2": the sets of dimensions among the columns. */
static void list_sets(const nnd_frame *frame, const columns *c, size_t size, char *text) {
    nnd_text list = nnd_text_in(size, text);
    for (size_t i = 0; i < c->count; i++) {
        bool listed = false;
        for (size_t j = 0; j < i; j++)
            listed = listed || nnd_export_same_dims(c->array[i], c->array[j]);
        char dims[TEXT_SIZE];
        nnd_array_dims(frame, c->array[i], sizeof dims, dims);
        if (!listed)
            nnd_text_item(&list, "; ", "[%s]", dims);
        const char *separator = " ";
        for (size_t j = i; !listed && j < c->count; j++) {
            if (!nnd_export_same_dims(c->array[i], c->array[j]) ||
                nnd_export_is_error(frame, c->array[j]))
                continue;
            nnd_text_add(&list, "%s%s", separator, c->array[j]->name);
            separator = ", ";
        }
    }
}

static nnd_status check_sets(nnd_context *ctx, const nnd_frame *frame, const columns *c) {
    for (size_t i = 1; i < c->count; i++)
        if (!nnd_export_same_dims(c->array[0], c->array[i])) {
            char sets[TEXT_SIZE];
            list_sets(frame, c, sizeof sets, sets);
            return nnd_fail(ctx, NND_E_INPUT,
                            "variables have different dimensions; choose with --var: %s", sets);
        }
    return NND_OK;
}

/* Text in quotes where RFC 4180 asks for them. */
static void write_text(FILE *out, const char *text) {
    if (text[0] != '\0' && strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void write_number(FILE *out, double x) {
    if (!isnan(x))
        nnd_print(out, "%.17g", x);
}

static void write_header(FILE *out, const nnd_frame *frame, const columns *c) {
    const nnd_array *first = c->array[0];
    for (size_t i = 0; i < first->ndims; i++) {
        write_text(out, nnd_frame_dim(frame, first->dim[i])->name);
        fputc(',', out);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0)
            fputc(',', out);
        write_text(out, c->array[i]->name);
    }
    fputc('\n', out);
}

static void write_row(FILE *out, const nnd_frame *frame, const columns *c, size_t row) {
    const nnd_array *first = c->array[0];
    /* Readers skip an empty line. */
    if (first->ndims == 0 && c->count == 1 && isnan(first->data[row]))
        fputs("\"\"", out);
    size_t block = first->count;
    for (size_t i = 0; i < first->ndims; i++) {
        const nnd_dim *dim = nnd_frame_dim(frame, first->dim[i]);
        block /= dim->length;
        size_t at = row / block % dim->length;
        if (dim->kind == NND_COORD_TEXT)
            write_text(out, dim->text[at]);
        else
            write_number(out, dim->value[at]);
        fputc(',', out);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0)
            fputc(',', out);
        write_number(out, c->array[i]->data[row]);
    }
    fputc('\n', out);
}

nnd_status nnd_csv_write(nnd_context *ctx, const nnd_frame *frame, const nnd_selection *vars,
                         FILE *out) {
    size_t room = nnd_frame_array_count(frame) + 1;
    columns c = {0, calloc(room, sizeof(nnd_array *))};
    if (c.array == NULL)
        return nnd_fail_memory(ctx, "the columns of a table");
    nnd_status status = choose_columns(ctx, frame, vars, &c);
    if (status == NND_OK)
        status = check_sets(ctx, frame, &c);
    if (status == NND_OK) {
        write_header(out, frame, &c);
        for (size_t row = 0; row < c.array[0]->count && !ferror(out); row++)
            write_row(out, frame, &c, row);
        status = nnd_export_finish(ctx, out);
    }
    free(c.array);
    return status;
}
