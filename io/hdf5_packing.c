/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers that a dataset stores otherwise than they are meant, by the conventions of netCDF and CF:
 *
 *     meant = stored * scale_factor + add_offset,
 *
 * missing where stored is _FillValue or one of missing_value, or lies outside valid_min, valid_max
 * or valid_range. These bounds are of the stored numbers, but of the meant ones where integers are
 * scaled and the bounds are not integers. `_Unsigned` reads signed integers as unsigned ones.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_impl.h"
#include "nndmft/number.h"

enum { MAX_VALUES = 64 };

static const char *const KEYS[] = {"_FillValue", "missing_value", "scale_factor", "add_offset",
                                   "valid_min",  "valid_max",     "valid_range",  "_Unsigned"};

/* The numbers of an attribute. */
typedef struct {
    size_t count;
    double value[MAX_VALUES];
    bool integer;
} numbers;

typedef struct {
    nnd_context *ctx;
    const char *path, *name;
    hid_t dataset;
    bool integer, is_signed; /* what is stored */
    size_t size;             /* its bytes */
} source;

bool nnd_hdf5_is_packing(const char *key) {
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(key, KEYS[i]) == 0)
            return true;
    return false;
}

static nnd_status refuse(const source *s, const char *key, const char *wrong) {
    return nnd_fail(s->ctx, NND_E_INPUT, "%s: %s: attribute %s %s", s->path, s->name, key, wrong);
}

/* Reads from `least` to `most` numbers, or none where there is no such attribute. */
static nnd_status read_numbers(const source *s, const char *key, size_t least, size_t most,
                               numbers *out) {
    out->count = 0;
    if (H5Aexists(s->dataset, key) <= 0)
        return NND_OK;
    hid_t attribute = H5Aopen(s->dataset, key, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    out->integer = class == H5T_INTEGER;
    bool good = (class == H5T_INTEGER || class == H5T_FLOAT) && count >= (hssize_t)least &&
                count <= (hssize_t)most && H5Aread(attribute, H5T_NATIVE_DOUBLE, out->value) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    if (!good)
        return refuse(s, key, most == 1 ? "is not a number" : "is not a list of numbers");
    out->count = (size_t)count;
    return NND_OK;
}

/* One finite number, `fallback` where there is none. */
static nnd_status read_one(const source *s, const char *key, double fallback, double *x) {
    numbers n;
    nnd_status status = read_numbers(s, key, 1, 1, &n);
    if (status != NND_OK)
        return status;
    *x = n.count == 1 ? n.value[0] : fallback;
    return n.count == 0 || isfinite(*x) ? NND_OK : refuse(s, key, "is not finite");
}

/* A number as the dataset would store it: attributes are often of a wider type. */
static double as_stored(const source *s, double x) {
    return !s->integer && s->size == sizeof(float) ? (double)(float)x : x;
}

/* 2^bits for signed integers that are meant as unsigned ones, else 0. */
static nnd_status read_wrap(const source *s, double *wrap) {
    char *text = nnd_hdf5_get_text(s->dataset, "_Unsigned");
    bool meant = text != NULL && strcasecmp(text, "true") == 0;
    bool denied = text != NULL && strcasecmp(text, "false") == 0;
    bool given = H5Aexists(s->dataset, "_Unsigned") > 0;
    free(text);
    *wrap = meant && s->is_signed ? ldexp(1.0, (int)(8 * s->size)) : 0.0;
    bool fits = (meant && s->integer) || (denied && (s->is_signed || !s->integer));
    return !given || fits ? NND_OK : refuse(s, "_Unsigned", "does not fit what is stored");
}

static void unwrap(size_t count, double *x, double wrap) {
    for (size_t i = 0; wrap > 0.0 && i < count; i++)
        if (x[i] < 0.0)
            x[i] += wrap;
}

static nnd_status mask_values(const source *s, const char *key, double wrap, size_t count,
                              double *x) {
    numbers n;
    nnd_status status = read_numbers(s, key, 1, MAX_VALUES, &n);
    if (status != NND_OK)
        return status;
    unwrap(n.count, n.value, wrap);
    for (size_t k = 0; k < n.count; k++) {
        double marker = as_stored(s, n.value[k]);
        for (size_t i = 0; i < count; i++)
            if (x[i] == marker)
                x[i] = NAN;
    }
    return NND_OK;
}

/* What counts as valid, and of which numbers that is said. */
typedef struct {
    double min, max;
    bool of_meant;
} bounds;

static nnd_status read_bounds(const source *s, bool packed, double wrap, bounds *b) {
    numbers min = {0}, max = {0}, range = {0};
    *b = (bounds){-INFINITY, INFINITY, false};
    nnd_status status = read_numbers(s, "valid_min", 1, 1, &min);
    if (status == NND_OK)
        status = read_numbers(s, "valid_max", 1, 1, &max);
    if (status == NND_OK)
        status = read_numbers(s, "valid_range", 2, 2, &range);
    if (status != NND_OK || min.count + max.count + range.count == 0)
        return status;
    if (range.count > 0 && min.count + max.count > 0)
        return refuse(s, "valid_range", "stands beside valid_min or valid_max");
    if (range.count > 0) {
        min = (numbers){1, {range.value[0]}, range.integer};
        max = (numbers){1, {range.value[1]}, range.integer};
    }
    bool integer = (min.count == 0 || min.integer) && (max.count == 0 || max.integer);
    b->of_meant = packed && s->integer && !integer;
    if (!b->of_meant) {
        unwrap(min.count, min.value, wrap);
        unwrap(max.count, max.value, wrap);
    }
    if (min.count > 0)
        b->min = as_stored(s, min.value[0]);
    if (max.count > 0)
        b->max = as_stored(s, max.value[0]);
    return b->min <= b->max ? NND_OK : refuse(s, "valid_max", "leaves no value valid");
}

static void mask_invalid(const bounds *b, size_t count, double *x) {
    for (size_t i = 0; i < count; i++)
        if (x[i] < b->min || x[i] > b->max)
            x[i] = NAN;
}

/* Integers of 64 bits need not be doubles of their own. */
static nnd_status check_exact(const source *s, size_t count, const double *x) {
    for (size_t i = 0; s->integer && s->size >= sizeof(int64_t) && i < count; i++)
        if (fabs(x[i]) > NND_LARGEST_INTEGER)
            return nnd_fail(s->ctx, NND_E_INPUT,
                            "%s: %s holds integers beyond %" PRId64 ", the largest that is exact "
                            "in double precision",
                            s->path, s->name, (int64_t)NND_LARGEST_INTEGER);
    return NND_OK;
}

static source describe(nnd_context *ctx, const char *path, const char *name, hid_t dataset) {
    hid_t type = H5Dget_type(dataset);
    source s = {.ctx = ctx,
                .path = path,
                .name = name,
                .dataset = dataset,
                .integer = H5Tget_class(type) == H5T_INTEGER,
                .size = H5Tget_size(type)};
    s.is_signed = s.integer && H5Tget_sign(type) == H5T_SGN_2;
    H5Tclose(type);
    return s;
}

nnd_status nnd_hdf5_unpack(nnd_context *ctx, const char *path, const char *name, hid_t dataset,
                           size_t count, double *x, bool *packed) {
    source s = describe(ctx, path, name, dataset);
    double scale = 1.0, offset = 0.0, wrap = 0.0;
    bounds b = {0};
    nnd_status status = read_one(&s, "scale_factor", 1.0, &scale);
    if (status == NND_OK && scale == 0.0)
        status = refuse(&s, "scale_factor", "is 0");
    if (status == NND_OK)
        status = read_one(&s, "add_offset", 0.0, &offset);
    if (status == NND_OK)
        status = read_wrap(&s, &wrap);
    *packed = scale != 1.0 || offset != 0.0;
    if (status == NND_OK)
        status = read_bounds(&s, *packed, wrap, &b);
    if (status != NND_OK)
        return status;
    unwrap(count, x, wrap);
    status = mask_values(&s, "_FillValue", wrap, count, x);
    if (status == NND_OK)
        status = mask_values(&s, "missing_value", wrap, count, x);
    if (status == NND_OK && !b.of_meant)
        mask_invalid(&b, count, x);
    if (status == NND_OK)
        status = check_exact(&s, count, x);
    for (size_t i = 0; status == NND_OK && *packed && i < count; i++)
        x[i] = x[i] * scale + offset;
    if (status == NND_OK && b.of_meant)
        mask_invalid(&b, count, x);
    return status;
}
