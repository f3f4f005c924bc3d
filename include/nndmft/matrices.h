/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The matrices in a file that another program wrote: HDF5 (any, also of Keras), NumPy's .npy and
 * .npz, .safetensors, tables as CSV, and the weights of a result of nndmft. What is in a file is
 * listed first, then matrices are read one at a time.
 *
 * Arrays of two dimensions are matrices as they are. Those of four are kernels of convolutions and
 * unfolded: (out, in, height, width) to out x (in height width); those of Keras and Flax, which
 * are named `kernel`, `kernel:0` or `vars/N`, (height, width, in, out) to out x (height width in).
 */
#ifndef NNDMFT_MATRICES_H
#define NNDMFT_MATRICES_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** What a file tells of an array. */
typedef struct {
    char *name;        /**< within the file; "data" where it has none */
    double step;       /**< of training, in a file that has several; else NaN */
    char *shape;       /**< as stored, such as "64 x 3 x 3 x 3" */
    size_t rows, cols; /**< of the matrix; 0 if it is left out */
    size_t count;   /**< numbers in it, also of a vector, which is left out; 0: it cannot be read */
    bool unfolded;  /**< a convolution */
    char *left_out; /**< why it cannot be read as a matrix; NULL: it can */
} nnd_matrix_info;

typedef struct nnd_matrices nnd_matrices;

/**
 * Opens a file and lists its arrays; the ending of `path` tells its kind, anything but npy, npz,
 * safetensors and csv is HDF5. NND_E_INPUT, NND_E_FORMAT or NND_E_IO if it is damaged, truncated,
 * no regular file, or holds no array. Owned by the caller.
 */
NND_MUST_USE nnd_status nnd_matrices_open(nnd_context *ctx, const char *path, nnd_matrices **file);
/** Closes it; NULL is allowed. */
void nnd_matrices_close(nnd_matrices *file);

/** Number of arrays in it, and what it tells of the i-th, in the order of the file. */
size_t nnd_matrices_count(const nnd_matrices *file);
const nnd_matrix_info *nnd_matrices_info(const nnd_matrices *file, size_t i);
/** Bytes that reading the i-th takes for a while, the matrix included. */
double nnd_matrices_bytes(const nnd_matrices *file, size_t i);

/**
 * Reads the i-th array, which must not be left out (a vector may be), as a matrix of rows x cols
 * numbers, row-major; `value` has room for them. NND_E_INPUT if one of them is not finite, or does
 * not exist; NND_E_LIMIT beyond the memory limit. One thread at a time may read from a file.
 */
NND_MUST_USE nnd_status nnd_matrices_read(nnd_context *ctx, const nnd_matrices *file, size_t i,
                                          double *value);

NND_API_END

#endif
