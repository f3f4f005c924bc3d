/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data files that a case names: all arrays of an HDF5 file, all columns of a CSV table. */
#include <string.h>

#include "core/hand_over.h"
#include "io/csv_table.h"
#include "nndmft/io.h"

static nnd_status columns_to_frame(nnd_context *ctx, const char *path, const nnd_csv_table *t,
                                   nnd_frame **out) {
    nnd_frame *frame = NULL;
    nnd_status status = nnd_frame_new(ctx, &frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "row", t->rows, 0.0);
    for (size_t j = 0; status == NND_OK && j < t->columns; j++) {
        double *x = NULL;
        if (nnd_context_interrupted(ctx))
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "%s: interrupted", path);
        else
            status = nnd_frame_add(frame, t->name[j], "row", &x);
        if (status == NND_E_INPUT)
            status = nnd_fail(ctx, NND_E_INPUT, "%s: column %zu is named like one before it%s%s",
                              path, j + 1, t->linked ? "" : ": ", t->linked ? "" : t->name[j]);
        for (size_t i = 0; status == NND_OK && i < t->rows; i++)
            x[i] = t->value[i * t->columns + j];
    }
    nnd_hand_over(status == NND_OK, frame, out);
    return status;
}

static nnd_status read_csv(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    nnd_csv_table table;
    nnd_status status = nnd_csv_table_read(ctx, path, false, &table);
    if (status == NND_OK)
        status = columns_to_frame(ctx, path, &table, arrays);
    nnd_csv_table_clear(&table);
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
    if (status != NND_OK || !nnd_csv_is_link(path))
        return status;
    status = nnd_frame_set_text(*arrays, NULL, NND_DATA_LINKED, "true");
    if (status != NND_OK) {
        nnd_frame_free(*arrays);
        *arrays = NULL;
    }
    return status;
}
