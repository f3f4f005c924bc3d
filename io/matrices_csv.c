/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix as CSV, with names of the columns or without. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/csv_table.h"
#include "io/matrices_impl.h"

static nnd_status read_table(nnd_context *ctx, const nnd_matrices *file,
                             const nnd_matrix_entry *entry, double *stored) {
    const nnd_csv_table *table = file->source;
    (void)ctx;
    memcpy(stored, table->value, entry->count * sizeof *stored);
    return NND_OK;
}

static void close_table(void *table) {
    nnd_csv_table_clear(table);
    free(table);
}

/* Columns that are numbered in the first line. */
static bool counts_columns(const nnd_csv_table *table) {
    for (size_t j = 0; j < table->columns; j++)
        if (table->value[j] != (double)j)
            return false;
    return !table->named && table->columns > 1;
}

/* What programs add to a matrix, and what would be taken for a part of it. */
static nnd_status check_additions(nnd_context *ctx, const char *path, const nnd_csv_table *table) {
    if (table->named && table->name[0][0] == '\0')
        return nnd_fail(ctx, NND_E_INPUT,
                        "%s: its first column has no name, as if it counted the rows; write the "
                        "matrix alone",
                        path);
    if (counts_columns(table))
        return nnd_fail(ctx, NND_E_INPUT,
                        "%s: its first line counts the columns; write the matrix alone, or give "
                        "them names",
                        path);
    return NND_OK;
}

nnd_status nnd_csv_list(nnd_context *ctx, nnd_matrices *file) {
    nnd_csv_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return nnd_fail_memory(ctx, file->path);
    file->source = table;
    file->read = read_table;
    file->close = close_table;
    nnd_status status = nnd_csv_table_read(ctx, file->path, true, table);
    if (status == NND_OK)
        status = check_additions(ctx, file->path, table);
    uint64_t shape[2] = {table->rows, table->columns};
    const nnd_matrix_found found = {.name = "data", .step = NAN, .ndims = 2, .shape = shape};
    return status == NND_OK ? nnd_matrices_add(ctx, file, &found) : status;
}
