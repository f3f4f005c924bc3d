/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Frames: named n-dimensional arrays of doubles over named dimensions with coordinates and
 * attributes (what xarray calls a Dataset). Theory, simulation and comparison all produce frames;
 * storing, joining, comparing, plotting and exporting know nothing else.
 *
 * Arrays are row-major in the order of their dimensions. Missing values are NaN.
 */
#ifndef NNDMFT_FRAME_H
#define NNDMFT_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/number.h"

NND_API_BEGIN

/** The most dimensions an array can have. */
enum { NND_MAX_DIMS = 16 };

typedef struct nnd_frame nnd_frame;

typedef enum { NND_COORD_INTEGER, NND_COORD_REAL, NND_COORD_TEXT } nnd_coord_kind;

/** A dimension; owned by its frame. */
typedef struct {
    char *name;
    nnd_coord_kind kind;
    size_t length;
    double *value; /**< coordinates, length `length`; NULL when kind is NND_COORD_TEXT */
    char **text;   /**< coordinates when kind is NND_COORD_TEXT, else NULL */
} nnd_dim;

/** An array; owned by its frame. */
typedef struct {
    char *name;
    size_t ndims;
    size_t dim[NND_MAX_DIMS];   /**< index of each dimension in the frame */
    size_t shape[NND_MAX_DIMS]; /**< length of each dimension */
    size_t count;               /**< product of the lengths, 1 for a scalar */
    double *data;
} nnd_array;

/** An attribute: text, or a number when `text` is NULL. Owned by its frame. */
typedef struct {
    char *array; /**< the array it belongs to; NULL: the frame itself */
    char *key;
    char *text;
    double number;
} nnd_attribute;

/** A new empty frame whose failures are reported to `ctx`. Owned by the caller. */
NND_MUST_USE nnd_status nnd_frame_new(nnd_context *ctx, nnd_frame **frame);
/** Frees a frame with all it holds; NULL is allowed. */
void nnd_frame_free(nnd_frame *frame);

/** Adds a dimension with numeric coordinates, copied. A name that exists is an error. */
NND_MUST_USE nnd_status nnd_frame_add_dim(nnd_frame *frame, const char *name, nnd_coord_kind kind,
                                          size_t length, const double *value);
/** Adds a dimension with the coordinates first, first + 1, ... */
NND_MUST_USE nnd_status nnd_frame_add_range(nnd_frame *frame, const char *name, size_t length,
                                            double first);
/** Adds a dimension with text coordinates, copied. */
NND_MUST_USE nnd_status nnd_frame_add_text_dim(nnd_frame *frame, const char *name, size_t length,
                                               const char *const *text);
/** Adds a copy of a dimension, of this or another frame. */
NND_MUST_USE nnd_status nnd_frame_copy_dim(nnd_frame *frame, const nnd_dim *dim);

/**
 * Adds an array filled with NaN over dimensions that exist already, named in `dims` and separated
 * by commas ("" for a scalar). `*data` (may be NULL) points to its values. A name that exists is an
 * error (NND_E_INPUT), an array over an empty dimension too; NND_E_LIMIT beyond what can be
 * addressed.
 */
NND_MUST_USE nnd_status nnd_frame_add(nnd_frame *frame, const char *name, const char *dims,
                                      double **data);
/** Adds a scalar. */
NND_MUST_USE nnd_status nnd_frame_add_scalar(nnd_frame *frame, const char *name, double value);

/** Sets an attribute of the array named `array`, or of the frame (NULL); replaces an older one. */
NND_MUST_USE nnd_status nnd_frame_set_text(nnd_frame *frame, const char *array, const char *key,
                                           const char *text);
/** The same for a number. */
NND_MUST_USE nnd_status nnd_frame_set_number(nnd_frame *frame, const char *array, const char *key,
                                             double number);

/** The context that the frame reports to. */
nnd_context *nnd_frame_context(const nnd_frame *frame);
/** Makes the frame (NULL is allowed) report to `ctx` from now on. */
void nnd_frame_adopt(nnd_frame *frame, nnd_context *ctx);
/** Looks an array up by name; NULL if there is none. */
const nnd_array *nnd_frame_find(const nnd_frame *frame, const char *name);
/** Looks a dimension up by name; NULL if there is none. */
const nnd_dim *nnd_frame_find_dim(const nnd_frame *frame, const char *name);
/** Looks an attribute up; NULL if there is none. */
const nnd_attribute *nnd_frame_find_attribute(const nnd_frame *frame, const char *array,
                                              const char *key);

/** Number of arrays, and the i-th one, in the order in which they were added. i is below it. */
size_t nnd_frame_array_count(const nnd_frame *frame);
const nnd_array *nnd_frame_array(const nnd_frame *frame, size_t i);
/** Number of dimensions, and the i-th one; likewise. */
size_t nnd_frame_dim_count(const nnd_frame *frame);
const nnd_dim *nnd_frame_dim(const nnd_frame *frame, size_t i);
/** Number of attributes, and the i-th one; likewise. */
size_t nnd_frame_attribute_count(const nnd_frame *frame);
const nnd_attribute *nnd_frame_attribute(const nnd_frame *frame, size_t i);

/** Position of dimension `name` among the dimensions of an array; ndims if it has none. */
size_t nnd_array_axis(const nnd_frame *frame, const nnd_array *array, const char *name);
/** Writes the dimension names of an array, separated by commas, into `text`. */
void nnd_array_dims(const nnd_frame *frame, const nnd_array *array, size_t size, char *text);
/** True if coordinate `i` of `a` is coordinate `j` of `b` (integers exactly, other numbers
 *  to 1e-12 relative). */
bool nnd_coord_equal(const nnd_dim *a, size_t i, const nnd_dim *b, size_t j);
/** Position in `in` of coordinate `i` of `of`; in->length if it is not there. */
size_t nnd_coord_find(const nnd_dim *in, const nnd_dim *of, size_t i);
/** Writes coordinate `i` as text (shortest form that reads back as the same number). */
void nnd_coord_text(const nnd_dim *dim, size_t i, size_t size, char *text);

/**
 * Stacks `count` frames along new leading dimensions. `outer` holds those dimensions (one or more,
 * copied, their lengths multiplying to `count`, the last one fastest). Inner dimensions of the
 * same name are united: sorted union of numeric coordinates, order of appearance for text. What a
 * frame lacks is NaN. `parts` may hold NULL for a frame that is missing altogether. Of attributes
 * that are numbers (errors, steps, nodes) the largest is kept, of texts that of the first frame
 * that has them. With nouter = 0 the one frame is copied.
 */
NND_MUST_USE nnd_status nnd_frame_stack(nnd_context *ctx, size_t nouter,
                                        const nnd_dim *const *outer, size_t count,
                                        const nnd_frame *const *parts, nnd_frame **stacked);

NND_API_END

#endif
