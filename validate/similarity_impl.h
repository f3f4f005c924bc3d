/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the families of measures share: the two representations, and the points to look at. */
#ifndef NNDMFT_VALIDATE_SIMILARITY_IMPL_H
#define NNDMFT_VALIDATE_SIMILARITY_IMPL_H

#include <stdint.h>

#include "nndmft/similarity.h"

/** Some of the points, in some order: row[0][i] of A stands beside row[1][i] of B. */
typedef struct {
    size_t n;
    const size_t *row[2];
    bool whole; /**< all points: at most their order differs */
} nnd_point_set;

/** What a set of points says; `debiased` stays NaN where it comes from resampling. */
typedef struct {
    double value[NND_SIMILARITIES], debiased[NND_SIMILARITIES];
} nnd_similarity_values;

/** An orthonormal basis of the columns of a representation, by descending variance. */
typedef struct {
    size_t stride;     /**< numbers in a row */
    size_t rank, kept; /**< columns that count; of them, those with the share of the variance */
    double *u;         /**< n x stride */
} nnd_column_basis;

/** The representations, and what is found once for all sets of points. */
typedef struct {
    const nnd_representations *given;
    const nnd_similarity_options *options;
    double scale[2];           /**< powers of 2 that make the largest entries 1 or so: products of
                                    eight entries are to be numbers */
    size_t width[2];           /**< at most n */
    double *column[2];         /**< n x width, scaled, rotated so that there are no more columns */
    nnd_column_basis basis[2]; /**< of all points */
    double *distance[2];       /**< n x n, of scaled rows */
    uint32_t *rank[2];         /**< n x n, of distances; from 0, equal ones share theirs */
    size_t ranks[2];           /**< different distances */
} nnd_similarity_work;

/** Measures that are taken together. Half-made work is cleared by whoever owns it. */
typedef struct {
    /** What is found once; NULL: nothing. */
    nnd_status (*make)(nnd_context *ctx, nnd_similarity_work *work);
    nnd_status (*compare)(nnd_context *ctx, const nnd_similarity_work *work,
                          const nnd_point_set *points, nnd_similarity_values *values);
    double (*bytes)(const nnd_similarity_work *work); /**< while a set is compared */
} nnd_similarity_family;

extern const nnd_similarity_family nnd_similarity_cosine;     /**< cosine */
extern const nnd_similarity_family nnd_similarity_linear;     /**< CKA, Procrustes */
extern const nnd_similarity_family nnd_similarity_canonical;  /**< CCA, SVCCA */
extern const nnd_similarity_family nnd_similarity_rsa;        /**< RSA */
extern const nnd_similarity_family nnd_similarity_neighbours; /**< overlap, imbalance */

/** work->column: what linear and canonical measures begin with; nothing if it is there. */
NND_MUST_USE nnd_status nnd_similarity_columns(nnd_context *ctx, nnd_similarity_work *work);
/** Rows of one side, side by side, less their mean unless it is to stay: out has room for one row
 * more. */
void nnd_similarity_gather(const nnd_similarity_work *work, const nnd_point_set *points, int side,
                           double *out);

#endif
