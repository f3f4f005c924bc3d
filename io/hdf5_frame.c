/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5_hl.h>

#include "core/companion.h"
#include "io/hdf5_impl.h"

/*
 * Deflating writes 60 to 150 MB/s and takes a quarter off kernels, two thirds off what is half
 * zeros; a checksum alone writes 1200 MB/s. So an array whose compression would take more than
 * about a tenth of a second goes without.
 */
enum {
    CHUNKED_FROM = 4096,      /* elements from which on an array is chunked and compressed */
    COMPRESSED_TO = 1 << 20,  /* elements up to which it is compressed: 8 MiB */
    CHUNK_ELEMENTS = 1 << 17, /* most elements of a chunk: 1 MiB, HDF5's default chunk cache */
    DEFLATE_LEVEL = 4,
};

static nnd_status cannot_store(nnd_context *ctx, const char *path, const char *what) {
    return nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store %s", path, what);
}

/* Chunks keep the last dimensions whole and split the first ones, evenly. */
static bool set_chunks(hid_t plist, size_t ndims, const hsize_t *shape) {
    hsize_t chunk[NND_MAX_DIMS];
    hsize_t count = 1;
    for (size_t i = ndims; i-- > 0;) {
        hsize_t room = CHUNK_ELEMENTS / count, pieces = (shape[i] + room - 1) / room;
        chunk[i] = (shape[i] + pieces - 1) / pieces;
        count *= chunk[i];
    }
    return H5Pset_chunk(plist, (int)ndims, chunk) >= 0;
}

/* What is done to a chunk of an array of so many elements. */
static bool set_filters(hid_t plist, size_t count) {
    bool compressed = count <= COMPRESSED_TO;
    return (!compressed ||
            (H5Pset_shuffle(plist) >= 0 && H5Pset_deflate(plist, DEFLATE_LEVEL) >= 0)) &&
           H5Pset_fletcher32(plist) >= 0;
}

/* A new dataset; rank 0 is a scalar. Negative on failure. */
static hid_t new_dataset(hid_t group, const char *name, hid_t type, size_t ndims,
                         const hsize_t *shape) {
    hid_t dataset = H5I_INVALID_HID;
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = ndims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple((int)ndims, shape, NULL);
    size_t count = 1;
    for (size_t i = 0; i < ndims; i++)
        count *= (size_t)shape[i];
    bool plain = count <= CHUNKED_FROM || H5Tget_class(type) == H5T_STRING;
    if (H5Pset_obj_track_times(plist, false) >= 0 &&
        H5Pset_attr_creation_order(plist, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
        (plain || (set_chunks(plist, ndims, shape) && set_filters(plist, count))))
        dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(plist);
    return dataset;
}

/* Writes the coordinates of a dimension as a dimension scale; negative on failure. */
static hid_t write_dim(hid_t group, const nnd_dim *dim) {
    hsize_t length = dim->length;
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    hid_t type = dim->kind == NND_COORD_TEXT      ? text
                 : dim->kind == NND_COORD_INTEGER ? H5T_STD_I64LE
                                                  : H5T_IEEE_F64LE;
    hid_t scale = new_dataset(group, dim->name, type, 1, &length);
    const void *values = dim->kind == NND_COORD_TEXT ? (const void *)dim->text : dim->value;
    hid_t memory = dim->kind == NND_COORD_TEXT ? text : H5T_NATIVE_DOUBLE;
    if (scale >= 0 &&
        ((length > 0 && H5Dwrite(scale, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) ||
         H5DSset_scale(scale, dim->name) < 0)) {
        H5Dclose(scale);
        scale = H5I_INVALID_HID;
    }
    H5Tclose(text);
    return scale;
}

static nnd_status write_attributes(nnd_context *ctx, const char *path, hid_t object,
                                   const nnd_frame *frame, const char *array) {
    for (size_t i = 0; i < nnd_frame_attribute_count(frame); i++) {
        const nnd_attribute *a = nnd_frame_attribute(frame, i);
        if (array == NULL ? a->array != NULL : a->array == NULL || strcmp(a->array, array) != 0)
            continue;
        bool done = a->text != NULL ? nnd_hdf5_set_text(object, a->key, a->text)
                                    : nnd_hdf5_set_number(object, a->key, a->number);
        if (!done)
            return cannot_store(ctx, path, a->key);
    }
    return NND_OK;
}

/* Names the array that holds the standard error, unless the frame does so itself. */
static bool point_to_error(hid_t dataset, const nnd_frame *frame, const char *array) {
    static const char key[] = "standard_error";
    const nnd_array *se = nnd_companion(frame, array, NND_SE);
    return se == NULL || nnd_frame_find_attribute(frame, array, key) != NULL ||
           nnd_hdf5_set_text(dataset, key, se->name);
}

/*
 * Coordinates must be named like their dimension, so an array of the same name steps aside. NULL
 * when out of memory; owned by the caller.
 */
static char *stored_name(const nnd_frame *frame, const char *array) {
    char *name = strdup(array);
    bool taken = nnd_frame_find_dim(frame, array) != NULL;
    while (taken && name != NULL) {
        char *longer;
        if (asprintf(&longer, "%s_array", name) < 0)
            longer = NULL;
        free(name);
        name = longer;
        taken = name != NULL &&
                (nnd_frame_find_dim(frame, name) != NULL || nnd_frame_find(frame, name) != NULL);
    }
    return name;
}

static nnd_status write_array(nnd_context *ctx, const char *path, hid_t group,
                              const nnd_frame *frame, const nnd_array *array, const hid_t *scale) {
    hsize_t shape[NND_MAX_DIMS];
    for (size_t i = 0; i < array->ndims; i++)
        shape[i] = array->shape[i];
    char *name = stored_name(frame, array->name);
    if (name == NULL)
        return nnd_fail_memory(ctx, array->name);
    hid_t dataset = new_dataset(group, name, H5T_IEEE_F64LE, array->ndims, shape);
    bool done = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                         array->data) >= 0;
    for (size_t i = 0; done && i < array->ndims; i++)
        done = H5DSattach_scale(dataset, scale[array->dim[i]], (unsigned)i) >= 0;
    done = done && point_to_error(dataset, frame, array->name) &&
           (strcmp(name, array->name) == 0 ||
            nnd_hdf5_set_text(dataset, NND_HDF5_ARRAY_NAME, array->name));
    nnd_status status = done ? write_attributes(ctx, path, dataset, frame, array->name)
                             : cannot_store(ctx, path, array->name);
    H5Dclose(dataset);
    free(name);
    return status;
}

nnd_status nnd_hdf5_write_frame(nnd_context *ctx, const char *path, hid_t group,
                                const nnd_frame *frame) {
    nnd_status status = NND_OK;
    size_t dims = nnd_frame_dim_count(frame), opened = 0;
    hid_t *scale = calloc(dims + 1, sizeof *scale);
    if (scale == NULL)
        return nnd_fail_memory(ctx, path);
    for (; status == NND_OK && opened < dims; opened++) {
        const nnd_dim *dim = nnd_frame_dim(frame, opened);
        scale[opened] = write_dim(group, dim);
        if (scale[opened] < 0)
            status = cannot_store(ctx, path, dim->name);
    }
    for (size_t i = 0; status == NND_OK && i < nnd_frame_array_count(frame); i++)
        status = write_array(ctx, path, group, frame, nnd_frame_array(frame, i), scale);
    if (status == NND_OK)
        status = write_attributes(ctx, path, group, frame, NULL);
    for (size_t i = 0; i < opened; i++)
        H5Dclose(scale[i]);
    free(scale);
    return status;
}
