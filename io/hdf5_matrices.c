/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The matrices of an HDF5 file: of a result of nndmft those in /mc/weights, of any other file all
 * datasets in all groups.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_impl.h"
#include "io/matrices_impl.h"
#include "io/weights_frame.h"

/* ---- files of others ---- */

typedef struct {
    nnd_context *ctx;
    nnd_matrices *file;
    hid_t root;
    nnd_status status;
} visit;

static bool is_complex(hid_t type) {
    return H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) == 2 &&
           H5Tget_member_index(type, "r") >= 0 && H5Tget_member_index(type, "i") >= 0;
}

/* What kind of numbers, or why they are none. */
static void find_type(hid_t dataset, nnd_matrix_found *found) {
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = H5Tget_class(type);
    found->element.kind = NND_ELEMENT_F64;
    if (is_complex(type))
        found->reason = "is complex";
    else if (class != H5T_INTEGER && class != H5T_FLOAT)
        found->reason = "is not of numbers";
    H5Tclose(type);
}

static nnd_status add_dataset(visit *v, const char *name, hid_t dataset) {
    hsize_t length[H5S_MAX_RANK];
    uint64_t shape[H5S_MAX_RANK];
    nnd_matrix_found found = {.name = name, .step = NAN, .shape = shape};
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_dims(space, length, NULL);
    bool none = H5Sget_simple_extent_type(space) == H5S_NULL;
    H5Sclose(space);
    if (rank < 0)
        return nnd_fail(v->ctx, NND_E_FORMAT, "%s: %s is damaged", v->file->path, name);
    found.ndims = (size_t)rank;
    for (size_t i = 0; i < found.ndims; i++)
        shape[i] = length[i];
    find_type(dataset, &found);
    if (none)
        found.reason = "is empty";
    nnd_status status = nnd_hdf5_check_inside(v->ctx, v->file->path, name, dataset);
    return status == NND_OK ? nnd_matrices_add(v->ctx, v->file, &found) : status;
}

/* Coordinates are not weights. */
static bool is_scale(hid_t dataset) {
    char *class = nnd_hdf5_get_text(dataset, "CLASS");
    bool scale = class != NULL && strcmp(class, "DIMENSION_SCALE") == 0;
    free(class);
    return scale;
}

static herr_t visit_object(hid_t root, const char *name, const H5O_info_t *info, void *user) {
    visit *v = user;
    (void)root;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(v->root, name, H5P_DEFAULT);
    if (dataset < 0)
        v->status = nnd_fail(v->ctx, NND_E_FORMAT, "%s: %s is damaged", v->file->path, name);
    else if (!is_scale(dataset))
        v->status = add_dataset(v, name, dataset);
    H5Dclose(dataset);
    return v->status == NND_OK ? 0 : 1;
}

static nnd_status read_numbers(nnd_context *ctx, const nnd_matrices *file,
                               const nnd_matrix_entry *entry, double *stored) {
    const hid_t *opened = file->source;
    const char *name = entry->info.name;
    bool packed;
    hid_t dataset = H5Dopen2(*opened, name, H5P_DEFAULT);
    bool read = dataset >= 0 &&
                H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, stored) >= 0;
    nnd_status status =
        read ? nnd_hdf5_unpack(ctx, file->path, name, dataset, entry->count, stored, &packed)
             : nnd_fail(ctx, NND_E_FORMAT, "%s: %s cannot be read: damaged", file->path, name);
    H5Dclose(dataset);
    return status;
}

static nnd_status read_dataset(nnd_context *ctx, const nnd_matrices *file,
                               const nnd_matrix_entry *entry, double *stored) {
    nnd_status status;
    H5E_BEGIN_TRY {
        status = read_numbers(ctx, file, entry, stored);
    }
    H5E_END_TRY;
    return status;
}

static void close_file(void *source) {
    H5Fclose(*(hid_t *)source);
    free(source);
}

static nnd_status list_datasets(nnd_context *ctx, nnd_matrices *file, hid_t opened) {
    visit v = {ctx, file, opened, NND_OK};
    hid_t *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        H5Fclose(opened);
        return nnd_fail_memory(ctx, file->path);
    }
    *kept = opened;
    file->source = kept;
    file->read = read_dataset;
    file->close = close_file;
    herr_t end = H5Ovisit(opened, H5_INDEX_NAME, H5_ITER_INC, visit_object, &v);
    return end < 0 && v.status == NND_OK ? nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged", file->path)
                                         : v.status;
}

/* ---- results ---- */

static nnd_status read_weights(nnd_context *ctx, const char *path, hid_t opened,
                               nnd_frame **frame) {
    static const char advice[] =
        "is a result without weights; simulate.storage: weights keeps them";
    bool there = H5Lexists(opened, "mc", H5P_DEFAULT) > 0 &&
                 H5Lexists(opened, "mc/weights", H5P_DEFAULT) > 0;
    hid_t group = there ? H5Gopen2(opened, "mc/weights", H5P_DEFAULT) : H5I_INVALID_HID;
    nnd_status status = group < 0 ? nnd_fail(ctx, NND_E_INPUT, "%s: %s", path, advice)
                                  : nnd_hdf5_read_frame(ctx, path, group, frame);
    H5Gclose(group);
    return status;
}

static nnd_status list_opened(nnd_context *ctx, nnd_matrices *file, hid_t opened) {
    if (H5Aexists(opened, "nndmft_version") <= 0)
        return list_datasets(ctx, file, opened);
    nnd_frame *frame = NULL;
    nnd_status status = read_weights(ctx, file->path, opened, &frame);
    H5Fclose(opened);
    return status == NND_OK ? nnd_weights_list(ctx, file, frame) : status;
}

static nnd_status list_quietly(nnd_context *ctx, nnd_matrices *file) {
    nnd_status status;
    hid_t opened;
    H5E_BEGIN_TRY {
        status = nnd_hdf5_open(ctx, file->path, &opened);
        if (status == NND_OK)
            status = list_opened(ctx, file, opened);
    }
    H5E_END_TRY;
    return status;
}

/* Lists and reads all that could be read later: what is larger than memory will be refused. */
static nnd_status read_and_forget(nnd_context *ctx, const void *path) {
    nnd_matrices *file = calloc(1, sizeof *file);
    if (file == NULL)
        return nnd_fail_memory(ctx, path);
    file->bytes.fd = -1;
    file->path = strdup(path);
    nnd_status status = file->path != NULL ? list_quietly(ctx, file) : nnd_fail_memory(ctx, path);
    for (size_t i = 0; status == NND_OK && i < file->count; i++) {
        if (file->entry[i].count == 0 ||
            nnd_matrices_bytes(file, i) > (double)nnd_context_memory_limit(ctx))
            continue;
        double *value = malloc(file->entry[i].count * sizeof *value);
        status = value != NULL ? file->read(ctx, file, &file->entry[i], value)
                               : nnd_fail_memory(ctx, path);
        free(value);
    }
    nnd_matrices_close(file);
    return status;
}

nnd_status nnd_hdf5_list(nnd_context *ctx, nnd_matrices *file) {
    nnd_status status = nnd_hdf5_check(ctx, file->path, false);
    if (status == NND_OK && H5Fis_hdf5(file->path) <= 0)
        status = nnd_fail(ctx, NND_E_FORMAT,
                          "%s: is not an HDF5 file; others end in .npy, .npz, .safetensors or .csv",
                          file->path);
    if (status == NND_OK)
        status = nnd_hdf5_rehearse(ctx, file->path, read_and_forget, file->path);
    return status == NND_OK ? list_quietly(ctx, file) : status;
}
