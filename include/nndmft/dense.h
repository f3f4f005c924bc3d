/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Rows of numbers in a case: a matrix, or the name of one that stands in a data file. */
#ifndef NNDMFT_DENSE_H
#define NNDMFT_DENSE_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/value.h"

NND_API_BEGIN

/** A matrix, row-major. Absent: no rows and no name. Named and not read yet: no rows. */
typedef struct {
    size_t rows, cols;
    double *value;  /**< rows x cols, owned by the holder; free with nnd_dense_clear */
    char *name;     /**< of the array in the data file; NULL: the numbers stand in the case */
    size_t columns; /**< how many arrays the case names in a list; 0: no list */
    char **column;  /**< these names; `name` then joins them, for messages */
} nnd_dense;

/**
 * Reads a list of lists (its rows, all of one length), a list of numbers (one column), a number
 * (1 x 1), a text (a name) or a list of texts (names) into a zeroed `dense`. NND_E_INPUT without a
 * message; `culprit` and `wrong` then say which node and what is wrong with it. Numbers are finite.
 */
NND_MUST_USE nnd_status nnd_dense_read(nnd_context *ctx, const nnd_value *value, nnd_dense *dense,
                                       const nnd_value **culprit, const char **wrong);
/** Names, in order, the arrays that a zeroed matrix consists of, side by side; copied. */
NND_MUST_USE nnd_status nnd_dense_set_columns(nnd_context *ctx, nnd_dense *dense, size_t count,
                                              const char *const *column);
/** The way back: a new tree that nnd_dense_read accepts; NULL when out of memory. */
nnd_value *nnd_dense_value(const nnd_dense *dense);
/** Frees what it owns and zeroes it. */
void nnd_dense_clear(nnd_dense *dense);

NND_API_END

#endif
