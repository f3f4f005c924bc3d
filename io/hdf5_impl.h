/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5 files and frames in their groups, shared by result files and shards. None of these functions
 * touches HDF5's error stack: callers put H5E_BEGIN_TRY ... H5E_END_TRY around their work. `path`
 * serves messages only.
 */
#ifndef NNDMFT_HDF5_IMPL_H
#define NNDMFT_HDF5_IMPL_H

#define H5_USE_110_API
#include <hdf5.h>
#include <stdint.h>

#include "nndmft/frame.h"

/* A finished file in memory, see nnd_hdf5_create. */
typedef struct {
    unsigned char *bytes;
    size_t size;
} nnd_hdf5_image;

/*
 * Begins a file in memory: HDF5 1.10 crashes, at once or at exit, when writing to a full disk
 * fails, so it never sees a disk. `*image` must stay where it is until nnd_hdf5_finish.
 */
NND_MUST_USE nnd_status nnd_hdf5_create(nnd_context *ctx, nnd_hdf5_image *image, hid_t *file);
/*
 * Closes the file, also when something failed before; the image is then complete. It ends with a
 * seal: a checksum in 64 bytes behind the end that HDF5 knows, which HDF5 and netCDF
 * ignore (and drop when they change the file).
 */
NND_MUST_USE nnd_status nnd_hdf5_finish(nnd_context *ctx, const char *path, nnd_hdf5_image *image,
                                        hid_t file);
/* Writes the image to a file that exists; `path` is the name in messages. */
NND_MUST_USE nnd_status nnd_hdf5_save(nnd_context *ctx, const char *path, const char *temporary,
                                      const nnd_hdf5_image *image);
void nnd_hdf5_image_clear(nnd_hdf5_image *image);

/*
 * What can be said of a file before HDF5 sees it: that it is a regular one, and whole if it has a
 * seal. HDF5's own checksums cover neither small arrays nor texts of variable length. Files without
 * a seal, as of users, are damaged only if `sealed` demands it.
 */
NND_MUST_USE nnd_status nnd_hdf5_check(nnd_context *ctx, const char *path, bool sealed);
/* Opens a file for reading; one that leads to other files by its links is refused. */
NND_MUST_USE nnd_status nnd_hdf5_open(nnd_context *ctx, const char *path, hid_t *file);

/* Refuses a dataset whose numbers are in other files. */
NND_MUST_USE nnd_status nnd_hdf5_check_inside(nnd_context *ctx, const char *path, const char *name,
                                              hid_t dataset);

/* Reads a file and forgets what it read. */
typedef nnd_status (*nnd_hdf5_reader)(nnd_context *ctx, const void *user);
/* Lets a child process read the file and fails as that did; NND_E_FORMAT if it does not survive. */
NND_MUST_USE nnd_status nnd_hdf5_rehearse(nnd_context *ctx, const char *path,
                                          nnd_hdf5_reader reader, const void *user);

/* A new group that tracks creation order; negative on failure. */
hid_t nnd_hdf5_new_group(hid_t parent, const char *name);
/* Sets an attribute (fixed-length UTF-8 text; scalar number). */
bool nnd_hdf5_set_text(hid_t object, const char *key, const char *text);
bool nnd_hdf5_set_number(hid_t object, const char *key, double number);
bool nnd_hdf5_set_integer(hid_t object, const char *key, int64_t number);

/* What an attribute holds that a frame can hold. */
typedef enum { NND_HDF5_OTHER, NND_HDF5_TEXT, NND_HDF5_NUMBER } nnd_hdf5_kind;
/* Reads an open attribute: a text (owned by the caller) or one number. An integer that is too large
 * for a double is a text. */
nnd_hdf5_kind nnd_hdf5_read_attribute(hid_t attribute, char **text, double *number);
/* Reads a text attribute; NULL if there is none. Owned by the caller. */
char *nnd_hdf5_get_text(hid_t object, const char *key);
/* Reads a number attribute; `fallback` if there is none. */
double nnd_hdf5_get_number(hid_t object, const char *key, double fallback);

/*
 * Turns the `count` numbers that a dataset stores into those that are meant (scale_factor,
 * add_offset), NaN where they are missing or not valid; see hdf5_packing.c. Attributes that make no
 * sense are refused. `*packed`: the numbers were scaled or shifted.
 */
NND_MUST_USE nnd_status nnd_hdf5_unpack(nnd_context *ctx, const char *path, const char *name,
                                        hid_t dataset, size_t count, double *x, bool *packed);
/* True of the attributes that it looks at. */
bool nnd_hdf5_is_packing(const char *key);

/* Writes a frame into a group that is empty but for other groups. */
NND_MUST_USE nnd_status nnd_hdf5_write_frame(nnd_context *ctx, const char *path, hid_t group,
                                             const nnd_frame *frame);
/* Reads the datasets of a group as a new frame, owned by the caller. */
NND_MUST_USE nnd_status nnd_hdf5_read_frame(nnd_context *ctx, const char *path, hid_t group,
                                            nnd_frame **frame);

/* Attribute with the name of an array that is stored under another one. */
#define NND_HDF5_ARRAY_NAME "nndmft_name"

#endif
