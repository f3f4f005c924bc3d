/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of numbers as CSV: names of the columns in the first line, then a row in each. */
#ifndef NNDMFT_IO_CSV_TABLE_H
#define NNDMFT_IO_CSV_TABLE_H

#include "nndmft/context.h"

typedef struct {
    size_t columns, rows;
    char **name;   /* what stands in the first line */
    double *value; /* rows x columns; NaN where a cell is empty */
    bool named;    /* the first line is no row */
    bool linked;   /* the file is a link, and may be anyone's: messages do not quote it */
} nnd_csv_table;

/*
 * Reads a regular file. With `optional` a first line that holds numbers is the first row, not
 * names. Free with nnd_csv_table_clear.
 */
NND_MUST_USE nnd_status nnd_csv_table_read(nnd_context *ctx, const char *path, bool optional,
                                           nnd_csv_table *table);
/* Frees what it holds and zeroes it. */
void nnd_csv_table_clear(nnd_csv_table *table);
/* True if a path is that of a link. */
bool nnd_csv_is_link(const char *path);

#endif
