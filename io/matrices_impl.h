/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the readers of matrices share: each kind of file lists its arrays as entries, and reads the
 * numbers of one of them in the order in which they are stored.
 */
#ifndef NNDMFT_IO_MATRICES_IMPL_H
#define NNDMFT_IO_MATRICES_IMPL_H

#include "io/stream.h"
#include "nndmft/matrices.h"

/* A dimension of an array: its length, and how far apart its neighbours are in the matrix. */
typedef struct {
    size_t length, stride;
} nnd_axis;

enum { NND_MATRIX_AXES = 4 };

typedef struct {
    nnd_matrix_info info;
    size_t rows, cols, count; /* numbers: of the matrix, or of a vector; 0: it cannot be read */
    size_t axes;
    nnd_axis axis[NND_MATRIX_AXES]; /* in the order of storage, the last one fastest */
    nnd_element element;            /* of files whose bytes are read here */
    uint64_t at;                    /* where in the file: for the reader that made the entry */
} nnd_matrix_entry;

/* Reads the numbers of an entry as they are stored; `stored` has room for all of them. */
typedef nnd_status (*nnd_matrix_reader)(nnd_context *ctx, const nnd_matrices *file,
                                        const nnd_matrix_entry *entry, double *stored);

struct nnd_matrices {
    char *path;
    size_t count;
    nnd_matrix_entry *entry;
    nnd_matrix_reader read;
    nnd_bytes bytes; /* the file, where its reader has opened it so */
    void (*close)(void *source);
    void *source; /* of the reader, which closes it; NULL: nothing */
};

/* What is known of an array when it is listed. */
typedef struct {
    const char *name;
    double step; /* NaN: none */
    size_t ndims;
    const uint64_t *shape;
    bool fortran;        /* the first dimension is fastest in the file */
    nnd_element element; /* NND_ELEMENT_NONE with `reason`: not numbers */
    const char *reason;  /* why it cannot be read; NULL: nothing known against it */
    uint64_t at;
} nnd_matrix_found;

/* Adds an entry. */
NND_MUST_USE nnd_status nnd_matrices_add(nnd_context *ctx, nnd_matrices *file,
                                         const nnd_matrix_found *found);
/* Product of `ndims` lengths and of `size`; false if it is no size_t. */
bool nnd_matrices_bytes_of(size_t ndims, const uint64_t *shape, size_t size, uint64_t *bytes);

/* A reader of numbers that stand at `entry->at` of `file->bytes`. */
NND_MUST_USE nnd_status nnd_matrices_read_bytes(nnd_context *ctx, const nnd_matrices *file,
                                                const nnd_matrix_entry *entry, double *stored);

/* The kinds of files; each lists the entries of `file`, whose path is set, and sets its reader. */
NND_MUST_USE nnd_status nnd_npy_list(nnd_context *ctx, nnd_matrices *file);
NND_MUST_USE nnd_status nnd_npz_list(nnd_context *ctx, nnd_matrices *file);
NND_MUST_USE nnd_status nnd_safetensors_list(nnd_context *ctx, nnd_matrices *file);
NND_MUST_USE nnd_status nnd_idx_list(nnd_context *ctx, nnd_matrices *file);
NND_MUST_USE nnd_status nnd_csv_list(nnd_context *ctx, nnd_matrices *file);
NND_MUST_USE nnd_status nnd_hdf5_list(nnd_context *ctx, nnd_matrices *file);

/*
 * Reads the header of an .npy from a stream that stands at `at`, and adds the array behind it as an
 * entry: `name`, which messages call `what`.
 */
NND_MUST_USE nnd_status nnd_npy_add(nnd_context *ctx, nnd_matrices *file, const char *name,
                                    const char *what, nnd_stream *stream, uint64_t at);

#endif
