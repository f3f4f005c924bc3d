/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data files that a case names: all arrays of an HDF5 file, all columns of a CSV table. */
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hand_over.h"
#include "nndmft/io.h"

enum { CHUNK = 1 << 16, MAX_COLUMNS = 100000 };

/* A table while it is being read: names from the first line, then numbers row by row. */
typedef struct {
    nnd_context *ctx;
    const char *path;
    size_t columns, rows, field, capacity;
    char **name;
    double *value; /* rows x columns */
    bool named;    /* the first line is done */
    bool linked;   /* the file may be anyone's: messages do not quote it */
    nnd_status status;
} table;

static void fail(table *t, nnd_status status) {
    if (t->status == NND_OK)
        t->status = status;
}

static nnd_status reserve(table *t, size_t count) {
    if (count <= t->capacity)
        return NND_OK;
    size_t capacity = 2 * count + 64;
    nnd_status status = nnd_check_memory(t->ctx, (double)capacity * sizeof(double), t->path);
    double *value = status == NND_OK ? realloc(t->value, capacity * sizeof *value) : NULL;
    if (value == NULL)
        return status != NND_OK ? status : nnd_fail_memory(t->ctx, t->path);
    t->value = value;
    t->capacity = capacity;
    return NND_OK;
}

static void take_name(table *t, const char *text) {
    /* Spreadsheets put a byte order mark in front of the first name. */
    static const char mark[] = "\xEF\xBB\xBF";
    if (t->columns == 0 && strncmp(text, mark, strlen(mark)) == 0)
        text += strlen(mark);
    if (t->columns == MAX_COLUMNS) {
        fail(t,
             nnd_fail(t->ctx, NND_E_INPUT, "%s: has more than %d columns", t->path, MAX_COLUMNS));
        return;
    }
    char **name = realloc(t->name, (t->columns + 1) * sizeof *name);
    if (name == NULL) {
        fail(t, nnd_fail_memory(t->ctx, t->path));
        return;
    }
    t->name = name;
    name[t->columns] = strdup(text);
    if (name[t->columns] == NULL)
        fail(t, nnd_fail_memory(t->ctx, t->path));
    else
        t->columns++;
}

static nnd_status not_a_number(const table *t, const char *text) {
    size_t line = t->rows + 2, column = t->field + 1;
    return t->linked ? nnd_fail(t->ctx, NND_E_INPUT, "%s: line %zu, column %zu: not a number",
                                t->path, line, column)
                     : nnd_fail(t->ctx, NND_E_INPUT,
                                "%s: line %zu, column %zu: \"%.60s\" is not a number", t->path,
                                line, column, text);
}

/* An empty cell is a missing number. */
static void take_number(table *t, const char *text) {
    double x = NAN;
    if (t->field >= t->columns) {
        fail(t, nnd_fail(t->ctx, NND_E_INPUT,
                         "%s: line %zu: more columns than the %zu names in the first line", t->path,
                         t->rows + 2, t->columns));
        return;
    }
    if (text[0] != '\0' && !nnd_number_read(text, &x)) {
        fail(t, not_a_number(t, text));
        return;
    }
    fail(t, reserve(t, (t->rows + 1) * t->columns));
    if (t->status == NND_OK)
        t->value[t->rows * t->columns + t->field] = x;
}

static void on_field(void *text, size_t length, void *user) {
    table *t = user;
    if (t->status != NND_OK)
        return;
    char *copy = strndup(text != NULL ? text : "", length);
    if (copy == NULL) {
        fail(t, nnd_fail_memory(t->ctx, t->path));
        return;
    }
    if (!t->named)
        take_name(t, copy);
    else
        take_number(t, copy);
    free(copy);
    t->field++;
}

static void on_row(int end, void *user) {
    table *t = user;
    (void)end;
    if (t->status != NND_OK)
        return;
    if (t->named && t->field != t->columns)
        fail(t, nnd_fail(t->ctx, NND_E_INPUT, "%s: line %zu has %zu columns; allowed: %zu", t->path,
                         t->rows + 2, t->field, t->columns));
    t->rows += t->named;
    t->named = true;
    t->field = 0;
}

static nnd_status parse(table *t, FILE *file) {
    struct csv_parser parser;
    if (csv_init(&parser, CSV_APPEND_NULL) != 0)
        return nnd_fail_memory(t->ctx, t->path);
    char *chunk = malloc(CHUNK);
    size_t length;
    if (chunk == NULL)
        fail(t, nnd_fail_memory(t->ctx, t->path));
    while (t->status == NND_OK && (length = fread(chunk, 1, CHUNK, file)) > 0)
        if (nnd_context_interrupted(t->ctx))
            fail(t, nnd_fail(t->ctx, NND_E_INTERRUPTED, "%s: interrupted", t->path));
        else if (csv_parse(&parser, chunk, length, on_field, on_row, t) != length)
            fail(t, nnd_fail(t->ctx, NND_E_FORMAT, "%s: %s", t->path,
                             csv_strerror(csv_error(&parser))));
    if (t->status == NND_OK && csv_fini(&parser, on_field, on_row, t) != 0)
        fail(t,
             nnd_fail(t->ctx, NND_E_FORMAT, "%s: %s", t->path, csv_strerror(csv_error(&parser))));
    if (t->status == NND_OK && ferror(file))
        fail(t, nnd_fail(t->ctx, NND_E_IO, "%s: cannot be read: %s", t->path, strerror(errno)));
    free(chunk);
    csv_free(&parser);
    return t->status;
}

static nnd_status columns_to_frame(const table *t, nnd_frame **out) {
    nnd_frame *frame = NULL;
    if (t->rows == 0)
        return nnd_fail(t->ctx, NND_E_INPUT, "%s: has no rows", t->path);
    nnd_status status = nnd_frame_new(t->ctx, &frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "row", t->rows, 0.0);
    for (size_t j = 0; status == NND_OK && j < t->columns; j++) {
        double *x = NULL;
        if (nnd_context_interrupted(t->ctx))
            status = nnd_fail(t->ctx, NND_E_INTERRUPTED, "%s: interrupted", t->path);
        else
            status = nnd_frame_add(frame, t->name[j], "row", &x);
        if (status == NND_E_INPUT)
            status = nnd_fail(t->ctx, NND_E_INPUT, "%s: column %zu is named like one before it%s%s",
                              t->path, j + 1, t->linked ? "" : ": ", t->linked ? "" : t->name[j]);
        for (size_t i = 0; status == NND_OK && i < t->rows; i++)
            x[i] = t->value[i * t->columns + j];
    }
    nnd_hand_over(status == NND_OK, frame, out);
    return status;
}

static bool is_link(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Pipes and devices are refused, and not waited for. */
static nnd_status open_table(nnd_context *ctx, const char *path, FILE **file) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *file = regular ? fdopen(fd, "r") : NULL;
    if (*file != NULL)
        return NND_OK;
    nnd_status status =
        fd >= 0 && !regular
            ? nnd_fail(ctx, NND_E_INPUT, "%s: is not a regular file", path)
            : nnd_fail(ctx, NND_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

static nnd_status read_csv(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    table t = {.ctx = ctx, .path = path, .linked = is_link(path)};
    FILE *file;
    nnd_status opened = open_table(ctx, path, &file);
    if (opened != NND_OK)
        return opened;
    nnd_status status = parse(&t, file);
    fclose(file);
    if (status == NND_OK)
        status = columns_to_frame(&t, arrays);
    for (size_t j = 0; j < t.columns; j++)
        free(t.name[j]);
    free(t.name);
    free(t.value);
    return status;
}

static bool ends_in_csv(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot, ".csv") == 0;
}

static nnd_status read_hdf5(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    nnd_result result;
    nnd_status status = nnd_result_read(ctx, path, &result);
    if (status == NND_OK && (result.model != NULL || result.mc == NULL))
        status = nnd_fail(ctx, NND_E_INPUT, "%s: %s", path,
                          result.model != NULL ? "is a result of nndmft, not a data file"
                                               : "has no arrays of numbers");
    if (status == NND_OK) {
        *arrays = result.mc;
        result.mc = NULL;
    }
    nnd_result_clear(&result);
    return status;
}

nnd_status nnd_data_file_read(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    nnd_status status =
        ends_in_csv(path) ? read_csv(ctx, path, arrays) : read_hdf5(ctx, path, arrays);
    if (status != NND_OK || !is_link(path))
        return status;
    status = nnd_frame_set_text(*arrays, NULL, NND_DATA_LINKED, "true");
    if (status != NND_OK) {
        nnd_frame_free(*arrays);
        *arrays = NULL;
    }
    return status;
}
