/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data files that a case names: all arrays of an HDF5 file or one of NumPy, all columns of a CSV,
 * an IDX file with those beside it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hand_over.h"
#include "io/csv_table.h"
#include "io/idx.h"
#include "io/matrices_impl.h"
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

/* Adds an array of one or two dimensions. */
static nnd_status add_numbers(nnd_context *ctx, const nnd_matrices *file, size_t i,
                              nnd_frame *frame) {
    const nnd_matrix_entry *entry = &file->entry[i];
    const size_t length[2] = {entry->rows, entry->cols};
    char dims[64] = "";
    nnd_status status = NND_OK;
    for (size_t d = 0; status == NND_OK && d < entry->axes; d++) {
        char name[32];
        snprintf(name, sizeof name, "dim_%zu_%zu", nnd_frame_array_count(frame), d);
        strcat(strcat(dims, d > 0 ? "," : ""), name);
        status = nnd_frame_add_range(frame, name, length[d], 0.0);
    }
    double *x = NULL;
    if (status == NND_OK)
        status = nnd_frame_add(frame, entry->info.name, dims, &x);
    return status == NND_OK ? nnd_matrices_read(ctx, file, i, x) : status;
}

/* Adds all arrays of a file that have one or two dimensions and are not there yet. */
static nnd_status add_arrays(nnd_context *ctx, const char *path, nnd_frame *frame) {
    nnd_matrices *file = NULL;
    nnd_status status = nnd_matrices_open(ctx, path, &file);
    for (size_t i = 0; status == NND_OK && i < nnd_matrices_count(file); i++) {
        size_t axes = file->entry[i].axes;
        if ((axes == 1 || axes == 2) && nnd_frame_find(frame, file->entry[i].info.name) == NULL)
            status = add_numbers(ctx, file, i, frame);
    }
    nnd_matrices_close(file);
    return status;
}

/* NumPy's files and .safetensors. */
static nnd_status read_arrays(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    nnd_frame *frame = NULL;
    nnd_status status = nnd_frame_new(ctx, &frame);
    if (status == NND_OK)
        status = add_arrays(ctx, path, frame);
    if (status == NND_OK && nnd_frame_array_count(frame) == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: has no arrays of numbers", path);
    nnd_hand_over(status == NND_OK, frame, arrays);
    return status;
}

/* ---- IDX ---- */

static int is_idx(const struct dirent *entry) {
    return nnd_idx_is_named(entry->d_name);
}

/* Adds the other IDX files of the folder, by name. */
static nnd_status add_neighbours(nnd_context *ctx, const char *path, nnd_frame *frame) {
    const char *slash = strrchr(path, '/');
    char *folder = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
    struct dirent **entry = NULL;
    int count = folder != NULL ? scandir(folder, &entry, is_idx, alphasort) : 0;
    nnd_status status =
        folder == NULL ? nnd_fail_memory(ctx, path)
        : count < 0    ? nnd_fail(ctx, NND_E_IO, "%s: cannot be read: %s", folder, strerror(errno))
                       : NND_OK;
    for (int i = 0; i < count; i++) {
        char name[256], *neighbour = NULL;
        nnd_idx_array_name(entry[i]->d_name, sizeof name, name);
        if (status == NND_OK && nnd_frame_find(frame, name) == NULL) {
            status = asprintf(&neighbour, "%s%s", folder, entry[i]->d_name) < 0
                         ? nnd_fail_memory(ctx, path)
                         : add_arrays(ctx, neighbour, frame);
            free(neighbour);
        }
        free(entry[i]);
    }
    free(entry);
    free(folder);
    return status;
}

static nnd_status read_idx(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    nnd_frame *frame = NULL;
    nnd_status status = read_arrays(ctx, path, &frame);
    if (status == NND_OK)
        status = add_neighbours(ctx, path, frame);
    nnd_hand_over(status == NND_OK, frame, arrays);
    return status;
}

/* ---- all ---- */

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
    static const struct {
        const char *ending;
        nnd_data_reader read;
    } kinds[] = {
        {".csv", read_csv},
        {".npy", read_arrays},
        {".npz", read_arrays},
        {".safetensors", read_arrays},
    };
    const char *dot = strrchr(path, '.');
    nnd_data_reader read = nnd_idx_is_named(path) ? read_idx : read_hdf5;
    for (size_t i = 0; dot != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(dot, kinds[i].ending) == 0)
            read = kinds[i].read;
    nnd_status status = read(ctx, path, arrays);
    if (status != NND_OK || !nnd_csv_is_link(path))
        return status;
    status = nnd_frame_set_text(*arrays, NULL, NND_DATA_LINKED, "true");
    if (status != NND_OK) {
        nnd_frame_free(*arrays);
        *arrays = NULL;
    }
    return status;
}
