/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_impl.h"

/* A dimension of the frame and the scale it was read from; HADDR_UNDEF for an invented one. */
typedef struct {
    haddr_t address;
    size_t dim;
} known_dim;

typedef struct {
    nnd_context *ctx;
    const char *path;
    hid_t group;
    nnd_frame *frame;
    size_t count, invented;
    known_dim *known;
} reader;

static nnd_status damaged(const reader *r, const char *what) {
    return nnd_fail(r->ctx, NND_E_FORMAT, "%s: %s cannot be read: damaged or of an unknown kind",
                    r->path, what);
}

/* Refuses what a damaged header claims before anything is allocated. */
static nnd_status check_size(const reader *r, const char *name, double elements, size_t bytes) {
    char what[512];
    snprintf(what, sizeof what, "%s: %s", r->path, name);
    return nnd_check_memory(r->ctx, elements * (double)bytes, what);
}

/* ---- dimensions ---- */

static nnd_status remember(reader *r, haddr_t address) {
    known_dim *grown = realloc(r->known, (r->count + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(r->ctx, r->path);
    r->known = grown;
    grown[r->count++] = (known_dim){address, nnd_frame_dim_count(r->frame) - 1};
    return NND_OK;
}

/* A dimension dim_0, dim_1, ... of this length that the array (its axes so far) does not use. */
static nnd_status invent_dim(reader *r, size_t length, size_t axes, const size_t *axis,
                             size_t *dim) {
    for (size_t i = 0; i < r->count; i++) {
        *dim = r->known[i].dim;
        bool used = nnd_frame_dim(r->frame, *dim)->length != length;
        for (size_t k = 0; k < axes; k++)
            used = used || axis[k] == *dim;
        if (!used && r->known[i].address == HADDR_UNDEF)
            return NND_OK;
    }
    char name[32];
    do
        snprintf(name, sizeof name, "dim_%zu", r->invented++);
    while (nnd_frame_find_dim(r->frame, name) != NULL);
    nnd_status status = check_size(r, name, (double)length, sizeof(double));
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, name, length, 0.0);
    if (status == NND_OK)
        status = remember(r, HADDR_UNDEF);
    *dim = nnd_frame_dim_count(r->frame) - 1;
    return status;
}

static nnd_status add_numbers(reader *r, const char *name, hid_t dataset, nnd_coord_kind kind,
                              size_t length) {
    double *value = calloc(length + 1, sizeof *value);
    if (value == NULL)
        return nnd_fail_memory(r->ctx, name);
    bool packed = false;
    nnd_status status =
        H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0
            ? damaged(r, name)
            : nnd_hdf5_unpack(r->ctx, r->path, name, dataset, length, value, &packed);
    if (status == NND_OK)
        status = nnd_frame_add_dim(r->frame, name, packed ? NND_COORD_REAL : kind, length, value);
    free(value);
    return status;
}

static nnd_status add_variable_texts(reader *r, const char *name, hid_t dataset, hid_t type,
                                     hid_t space, size_t length) {
    char **text = calloc(length + 1, sizeof *text);
    const char **view = calloc(length + 1, sizeof *view);
    nnd_status status = NND_OK;
    if (text == NULL || view == NULL)
        status = nnd_fail_memory(r->ctx, name);
    else if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        status = damaged(r, name);
    for (size_t i = 0; status == NND_OK && i < length; i++)
        view[i] = text[i] != NULL ? text[i] : "";
    if (status == NND_OK)
        status = nnd_frame_add_text_dim(r->frame, name, length, view);
    if (text != NULL)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, text);
    free(view);
    free(text);
    return status;
}

static nnd_status add_fixed_texts(reader *r, const char *name, hid_t dataset, hid_t type,
                                  size_t length) {
    size_t size = H5Tget_size(type);
    nnd_status status = check_size(r, name, (double)length * 2.0, size + 1);
    if (status != NND_OK)
        return status;
    char *raw = calloc(length + 1, size), *copy = calloc(length + 1, size + 1);
    const char **view = calloc(length + 1, sizeof *view);
    if (raw == NULL || copy == NULL || view == NULL)
        status = nnd_fail_memory(r->ctx, name);
    else if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0)
        status = damaged(r, name);
    bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    for (size_t i = 0; status == NND_OK && i < length; i++) {
        char *text = copy + i * (size + 1);
        memcpy(text, raw + i * size, size);
        for (size_t n = strlen(text); spaces && n > 0 && text[n - 1] == ' '; n--)
            text[n - 1] = '\0';
        view[i] = text;
    }
    if (status == NND_OK)
        status = nnd_frame_add_text_dim(r->frame, name, length, view);
    free(view);
    free(copy);
    free(raw);
    return status;
}

/* True for a netCDF dimension that has a length but no coordinates. */
static bool lacks_coordinates(hid_t dataset) {
    static const char mark[] = "This is a netCDF dimension but not a netCDF variable";
    char *name = nnd_hdf5_get_text(dataset, "NAME");
    bool lacks = name != NULL && strncmp(name, mark, strlen(mark)) == 0;
    free(name);
    return lacks;
}

/* Adds the dimension of a scale of rank 1 or, without coordinates, of a higher one. */
static nnd_status add_coordinates(reader *r, const char *name, hid_t dataset, hid_t space) {
    hsize_t shape[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, shape, NULL);
    if (rank < 0 || H5Sget_simple_extent_type(space) != H5S_SIMPLE)
        return damaged(r, name);
    size_t length = (size_t)shape[0];
    nnd_status status = check_size(r, name, (double)length, 8 * sizeof(double));
    if (status != NND_OK)
        return status;
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = rank > 1 || lacks_coordinates(dataset) ? H5T_NO_CLASS : H5Tget_class(type);
    if (class == H5T_INTEGER)
        status = add_numbers(r, name, dataset, NND_COORD_INTEGER, length);
    else if (class == H5T_FLOAT)
        status = add_numbers(r, name, dataset, NND_COORD_REAL, length);
    else if (class == H5T_STRING && H5Tis_variable_str(type) > 0)
        status = add_variable_texts(r, name, dataset, type, space, length);
    else if (class == H5T_STRING)
        status = add_fixed_texts(r, name, dataset, type, length);
    else
        status = nnd_frame_add_range(r->frame, name, length, 0.0);
    H5Tclose(type);
    return status;
}

static nnd_status add_scale(reader *r, const char *link, hid_t dataset) {
    H5O_info_t info;
    char *name = strdup(link);
    if (name == NULL)
        return nnd_fail_memory(r->ctx, link);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == ',' ? '_' : *c; /* commas separate the dimensions of an array */
    nnd_status status = nnd_hdf5_check_inside(r->ctx, r->path, name, dataset);
    hid_t space = status == NND_OK ? H5Dget_space(dataset) : H5I_INVALID_HID;
    if (status == NND_OK)
        status = H5Oget_info(dataset, &info) < 0 || space < 0
                     ? damaged(r, name)
                     : add_coordinates(r, name, dataset, space);
    if (status == NND_OK)
        status = remember(r, info.addr);
    H5Sclose(space);
    free(name);
    return status;
}

/* The frame's dimension of an attached scale, which may live in another group. */
static nnd_status dim_of_scale(reader *r, hid_t scale, size_t *dim) {
    H5O_info_t info;
    if (H5Iget_type(scale) != H5I_DATASET || H5Oget_info(scale, &info) < 0)
        return damaged(r, "a dimension scale");
    for (size_t i = 0; i < r->count; i++) {
        *dim = r->known[i].dim;
        if (r->known[i].address == info.addr)
            return NND_OK;
    }
    char name[256];
    if (H5Iget_name(scale, name, sizeof name) <= 0)
        return damaged(r, "the name of a dimension scale");
    const char *slash = strrchr(name, '/');
    nnd_status status = add_scale(r, slash != NULL ? slash + 1 : name, scale);
    *dim = nnd_frame_dim_count(r->frame) - 1;
    return status;
}

/* ---- attributes ---- */

/* Attributes that serve HDF5, netCDF or this file rather than people. */
static bool is_internal(const char *key) {
    static const char *const internal[] = {
        "CLASS",
        "NAME",
        "DIMENSION_LIST",
        "REFERENCE_LIST",
        "_Netcdf4Dimid",
        "_Netcdf4Coordinates",
        "_NCProperties",
        "_nc3_strict",
        NND_HDF5_ARRAY_NAME,
        "DIMENSION_LABELS",
    };
    for (size_t i = 0; i < sizeof internal / sizeof *internal; i++)
        if (strcmp(key, internal[i]) == 0)
            return true;
    return nnd_hdf5_is_packing(key);
}

/* Copies the attributes of an object with creation list `create`, in order of creation if known. */
static nnd_status read_attributes(reader *r, hid_t object, hid_t create, const char *array) {
    H5O_info_t info;
    unsigned order = 0;
    H5Pget_attr_creation_order(create, &order);
    H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    if (H5Oget_info(object, &info) < 0)
        return damaged(r, array != NULL ? array : "a group");
    nnd_status status = NND_OK;
    for (hsize_t i = 0; status == NND_OK && i < info.num_attrs; i++) {
        char key[256], *text = NULL;
        double number;
        hid_t attribute =
            H5Aopen_by_idx(object, ".", index, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
        if (H5Aget_name(attribute, sizeof key, key) < 0) {
            status = damaged(r, "an attribute");
        } else if (!is_internal(key)) {
            nnd_hdf5_kind kind = nnd_hdf5_read_attribute(attribute, &text, &number);
            if (kind == NND_HDF5_TEXT)
                status = nnd_frame_set_text(r->frame, array, key, text);
            else if (kind == NND_HDF5_NUMBER)
                status = nnd_frame_set_number(r->frame, array, key, number);
        }
        free(text);
        H5Aclose(attribute);
    }
    return status;
}

/* ---- arrays ---- */

/*
 * Opens the first scale attached to each axis (H5I_INVALID_HID where there is none). Read by hand:
 * HDF5's own function trusts the attribute to have as many elements as the array has dimensions.
 */
static nnd_status open_scales(const reader *r, const char *name, hid_t dataset, size_t ndims,
                              hid_t *scale) {
    static const char key[] = "DIMENSION_LIST";
    hvl_t list[NND_MAX_DIMS] = {{0, NULL}};
    for (size_t i = 0; i < ndims; i++)
        scale[i] = H5I_INVALID_HID;
    if (ndims == 0 || H5Aexists(dataset, key) <= 0)
        return NND_OK;
    hid_t attribute = H5Aopen(dataset, key, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
    hid_t wanted = H5Tvlen_create(H5T_STD_REF_OBJ);
    bool good = H5Tequal(type, wanted) > 0 &&
                H5Sget_simple_extent_npoints(space) == (hssize_t)ndims &&
                H5Aread(attribute, wanted, list) >= 0;
    for (size_t i = 0; good && i < ndims; i++)
        if (list[i].len > 0) {
            scale[i] = H5Rdereference2(dataset, H5P_DEFAULT, H5R_OBJECT, list[i].p);
            good = scale[i] >= 0;
        }
    if (good)
        H5Dvlen_reclaim(wanted, space, H5P_DEFAULT, list);
    H5Tclose(wanted);
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
    return good ? NND_OK : damaged(r, name);
}

/* Finds or makes the dimension of every axis. */
static nnd_status resolve_axes(reader *r, const char *name, hid_t dataset, size_t ndims,
                               const hsize_t *shape, size_t *axis) {
    hid_t scale[NND_MAX_DIMS];
    nnd_status status = open_scales(r, name, dataset, ndims, scale);
    for (size_t i = 0; status == NND_OK && i < ndims; i++) {
        bool found = false;
        if (scale[i] >= 0) {
            status = dim_of_scale(r, scale[i], &axis[i]);
            /* An unlimited netCDF dimension may have outgrown the array. */
            found = status == NND_OK && nnd_frame_dim(r->frame, axis[i])->length == shape[i];
        }
        if (status == NND_OK && !found)
            status = invent_dim(r, (size_t)shape[i], i, axis, &axis[i]);
    }
    for (size_t i = 0; i < ndims; i++)
        if (scale[i] >= 0)
            H5Oclose(scale[i]);
    return status;
}

/* The names of the axes, separated by commas; NULL when out of memory. */
static char *axis_names(const reader *r, size_t ndims, const size_t *axis) {
    char *names = strdup("");
    for (size_t i = 0; names != NULL && i < ndims; i++) {
        char *longer;
        if (asprintf(&longer, "%s%s%s", names, i > 0 ? "," : "",
                     nnd_frame_dim(r->frame, axis[i])->name) < 0)
            longer = NULL;
        free(names);
        names = longer;
    }
    return names;
}

static nnd_status read_values(reader *r, const char *name, const char *dims, size_t count,
                              hid_t dataset) {
    double *data;
    nnd_status status = nnd_frame_add(r->frame, name, dims, &data);
    if (status != NND_OK)
        return status;
    if (H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return damaged(r, name);
    bool packed;
    return nnd_hdf5_unpack(r->ctx, r->path, name, dataset, count, data, &packed);
}

/* Shape of a dataset that fits in a frame; false if it has none or a length is 0. */
static bool get_shape(hid_t dataset, size_t *ndims, hsize_t *shape, double *count) {
    hsize_t lengths[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_dims(space, lengths, NULL);
    bool fits = rank >= 0 && rank <= NND_MAX_DIMS && H5Sget_simple_extent_type(space) != H5S_NULL;
    H5Sclose(space);
    *ndims = fits ? (size_t)rank : 0;
    *count = 1.0;
    for (size_t i = 0; i < *ndims; i++) {
        shape[i] = lengths[i];
        *count *= (double)shape[i];
    }
    return fits && *count > 0.0;
}

static nnd_status add_array(reader *r, const char *link, hid_t dataset) {
    hsize_t shape[NND_MAX_DIMS];
    size_t ndims, axis[NND_MAX_DIMS];
    double count;
    nnd_status status = nnd_hdf5_check_inside(r->ctx, r->path, link, dataset);
    if (status != NND_OK)
        return status;
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = H5Tget_class(type);
    H5Tclose(type);
    if ((class != H5T_INTEGER && class != H5T_FLOAT) ||
        !get_shape(dataset, &ndims, shape, &count)) {
        nnd_log(r->ctx, NND_LOG_DETAIL, "%s: %s is not an array of numbers, skipped", r->path,
                link);
        return NND_OK;
    }
    char *own = nnd_hdf5_get_text(dataset, NND_HDF5_ARRAY_NAME), *dims = NULL;
    const char *name = own != NULL ? own : link;
    status = check_size(r, link, count, sizeof(double));
    if (status == NND_OK)
        status = resolve_axes(r, link, dataset, ndims, shape, axis);
    if (status == NND_OK) {
        dims = axis_names(r, ndims, axis);
        status = dims == NULL ? nnd_fail_memory(r->ctx, name)
                              : read_values(r, name, dims, (size_t)count, dataset);
    }
    if (status == NND_OK) {
        hid_t create = H5Dget_create_plist(dataset);
        status = read_attributes(r, dataset, create, name);
        H5Pclose(create);
    }
    free(dims);
    free(own);
    return status;
}

/* ---- groups ---- */

/* Which datasets of a group are looked at: its scales come first, then the arrays. */
typedef enum { SCALES, ARRAYS } pass;

static nnd_status read_link(reader *r, const char *name, pass which) {
    H5L_info_t link;
    H5O_info_t object;
    if (H5Lget_info(r->group, name, &link, H5P_DEFAULT) < 0)
        return damaged(r, name);
    if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT)
        return NND_OK;
    if (H5Oget_info_by_name(r->group, name, &object, H5P_DEFAULT) < 0)
        return link.type == H5L_TYPE_SOFT ? NND_OK : damaged(r, name);
    if (object.type != H5O_TYPE_DATASET)
        return NND_OK;
    hid_t dataset = H5Dopen2(r->group, name, H5P_DEFAULT);
    if (dataset < 0)
        return damaged(r, name);
    char *class = nnd_hdf5_get_text(dataset, "CLASS");
    bool scale = class != NULL && strcmp(class, "DIMENSION_SCALE") == 0;
    nnd_status status = NND_OK;
    if (scale && which == SCALES)
        status = add_scale(r, name, dataset);
    else if (!scale && which == ARRAYS)
        status = add_array(r, name, dataset);
    free(class);
    H5Dclose(dataset);
    return status;
}

static nnd_status read_links(reader *r, hid_t create, pass which) {
    H5G_info_t info;
    unsigned order = 0;
    H5Pget_link_creation_order(create, &order);
    H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    if (H5Gget_info(r->group, &info) < 0)
        return damaged(r, "a group");
    nnd_status status = NND_OK;
    for (hsize_t i = 0; status == NND_OK && i < info.nlinks; i++) {
        char name[256];
        if (H5Lget_name_by_idx(r->group, ".", index, H5_ITER_INC, i, name, sizeof name,
                               H5P_DEFAULT) < 0)
            return damaged(r, "a group");
        status = read_link(r, name, which);
    }
    return status;
}

nnd_status nnd_hdf5_read_frame(nnd_context *ctx, const char *path, hid_t group, nnd_frame **frame) {
    reader r = {.ctx = ctx, .path = path, .group = group};
    nnd_status status = nnd_frame_new(ctx, &r.frame);
    if (status != NND_OK)
        return status;
    hid_t create = H5Gget_create_plist(group);
    status = create < 0 ? damaged(&r, "a group") : read_links(&r, create, SCALES);
    if (status == NND_OK)
        status = read_links(&r, create, ARRAYS);
    if (status == NND_OK)
        status = read_attributes(&r, group, create, NULL);
    if (status != NND_OK) {
        nnd_frame_free(r.frame);
        r.frame = NULL;
    }
    *frame = r.frame;
    H5Pclose(create);
    free(r.known);
    return status;
}
