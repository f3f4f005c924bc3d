/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How alike two representations of the same points are (similarity.md): measures on two matrices
 * that have a row for each point, each with its debiased value, its level for representations that
 * have nothing to do with each other, and standard errors for the points being a sample.
 */
#ifndef NNDMFT_SIMILARITY_H
#define NNDMFT_SIMILARITY_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/rng.h"

NND_API_BEGIN

/** The measures. All are 1 for equal representations but the last two, which then are 0. */
typedef enum {
    NND_SIMILARITY_CKA,          /**< linear CKA (similarity.md#eq1) */
    NND_SIMILARITY_COSINE,       /**< of the matrices, which have as many columns (eq3) */
    NND_SIMILARITY_PROCRUSTES,   /**< cosine after the best rotation (eq4) */
    NND_SIMILARITY_CCA,          /**< mean of the canonical correlations (eq5) */
    NND_SIMILARITY_SVCCA,        /**< the same of the leading principal components (eq5) */
    NND_SIMILARITY_RSA_PEARSON,  /**< correlation of pairwise distances (eq6) */
    NND_SIMILARITY_RSA_SPEARMAN, /**< and of their ranks */
    NND_SIMILARITY_KNN,          /**< overlap of the k nearest neighbours (eq7) */
    NND_SIMILARITY_IMBALANCE_AB, /**< information imbalance: how badly A says what is near in B */
    NND_SIMILARITY_IMBALANCE_BA, /**< and B what is near in A (eq8) */
    NND_SIMILARITIES
} nnd_similarity_measure;

/** Name of a measure (nnd_similarity_measure) for files, such as "rsa_pearson". */
const char *nnd_similarity_name(int measure);
/** What it is, in a few words. */
const char *nnd_similarity_title(int measure);
/** Where it is defined: a page and an anchor. */
const char *nnd_similarity_equation(int measure);

/** How the measures are taken. nnd_similarity_defaults fills it; then set what differs. */
typedef struct {
    bool wanted[NND_SIMILARITIES]; /**< default: all */
    bool uncentred;      /**< columns keep their means, in CKA, cosine, Procrustes and CCA */
    size_t neighbours;   /**< of `knn_overlap`, at least 1 (10) */
    double variance;     /**< share of the variance that SVCCA keeps, in (0, 1] (.99) */
    size_t permutations; /**< rows of B in other orders, for the null level; 0: none (100) */
    size_t resamples;    /**< sets of points behind the standard errors, 2 or more; 0: none, and of
                              measures that have it from there no debiased value (50) */
    nnd_rng_key key;     /**< of the random numbers behind both */
} nnd_similarity_options;

/** All measures, with the defaults above. */
nnd_similarity_options nnd_similarity_defaults(void);

/** What a measure says. NaN: not asked for, or cannot be had. */
typedef struct {
    double value, value_se;
    double debiased, debiased_se; /**< similarity.md#s3 */
    double null, null_sd;         /**< mean and standard deviation of `value` over permutations */
    double p_value; /**< share of permutations that are as alike, with the one at hand */
} nnd_similarity;

/** Two representations of n points: n x width numbers each, row-major. Borrowed. */
typedef struct {
    size_t n, width[2];
    const double *x[2];
    const char *name[2]; /**< for messages; NULL: A and B */
} nnd_representations;

/** Bytes that nnd_similarity_measure_all takes for a while, with `workers` threads, the
 *  representations included. */
double nnd_similarity_bytes(const nnd_representations *r, const nnd_similarity_options *options,
                            int workers);
/**
 * Takes the measures that are wanted. NND_E_INPUT if there are fewer than 4 points, or too few for
 * the neighbours; if a number is not finite or a representation is the same at all points; if the
 * cosine of matrices of unequal width is wanted. NND_E_LIMIT beyond the memory limit.
 */
NND_MUST_USE nnd_status nnd_similarity_measure_all(nnd_context *ctx, const nnd_representations *r,
                                                   const nnd_similarity_options *options,
                                                   nnd_similarity result[NND_SIMILARITIES]);

NND_API_END

#endif
