/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/csv_table.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nndmft/number.h"

enum { CHUNK = 1 << 16, MAX_COLUMNS = 100000 };

/* A table while it is being read: the first line, then numbers row by row. */
typedef struct {
    nnd_context *ctx;
    const char *path;
    size_t columns, rows, field, capacity;
    char **name;
    double *value; /* rows x columns */
    bool optional; /* there may be no names */
    bool named;    /* the first line is done */
    size_t lines;  /* up to the first row of numbers, from 1 */
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
    size_t line = t->rows + t->lines, column = t->field + 1;
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
                         t->rows + t->lines, t->columns));
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

/* Names or a row: where names are optional, a first line with numbers is the first row. An empty
 * first cell names a column that counts the rows, beside others that may be named by numbers. */
static bool has_names(const table *t) {
    double x;
    bool names = !t->optional || t->name[0][0] == '\0';
    size_t numbers = 0;
    for (size_t j = 0; j < t->columns; j++)
        numbers += nnd_number_read(t->name[j], &x);
    return names || numbers == 0;
}

static void end_first_line(table *t) {
    t->named = true;
    if (has_names(t))
        return;
    t->lines = 1;
    for (t->field = 0; t->status == NND_OK && t->field < t->columns; t->field++)
        take_number(t, t->name[t->field]);
    t->rows = 1;
    t->field = 0;
}

static void on_row(int end, void *user) {
    table *t = user;
    (void)end;
    if (t->status != NND_OK)
        return;
    if (t->named && t->field != t->columns)
        fail(t, nnd_fail(t->ctx, NND_E_INPUT, "%s: line %zu has %zu columns; allowed: %zu", t->path,
                         t->rows + t->lines, t->field, t->columns));
    t->rows += t->named;
    t->field = 0;
    if (!t->named)
        end_first_line(t);
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

bool nnd_csv_is_link(const char *path) {
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

void nnd_csv_table_clear(nnd_csv_table *t) {
    for (size_t j = 0; t->name != NULL && j < t->columns; j++)
        free(t->name[j]);
    free(t->name);
    free(t->value);
    *t = (nnd_csv_table){0};
}

nnd_status nnd_csv_table_read(nnd_context *ctx, const char *path, bool optional,
                              nnd_csv_table *out) {
    table t = {.ctx = ctx,
               .path = path,
               .lines = 2,
               .optional = optional,
               .linked = nnd_csv_is_link(path)};
    FILE *file;
    *out = (nnd_csv_table){0};
    nnd_status status = open_table(ctx, path, &file);
    if (status != NND_OK)
        return status;
    status = parse(&t, file);
    fclose(file);
    if (status == NND_OK && t.rows == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: has no rows", path);
    *out = (nnd_csv_table){t.columns, t.rows, t.name, t.value, t.lines == 2, t.linked};
    if (status != NND_OK)
        nnd_csv_table_clear(out);
    return status;
}
