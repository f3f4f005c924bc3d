/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The singular values of one matrix, and what they say: the bulk that a matrix of independent
 * entries would have, what stands out of it, how the spectrum decays, and how both have moved since
 * an earlier matrix (spectrum.md).
 *
 * Lengths are singular values of the matrix as it is: entries of variance v make a bulk with ends
 * sqrt(v) |sqrt(rows) -+ sqrt(cols)|. NaN: does not apply, or cannot be had; the text of each field
 * says when.
 */
#ifndef NNDMFT_SOLVERS_SPECTRUM_H
#define NNDMFT_SOLVERS_SPECTRUM_H

#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** How singular values are found. */
typedef enum {
    NND_SPECTRUM_EXACT, /**< all of them, by LAPACK */
    NND_SPECTRUM_KPM,   /**< their density by the kernel polynomial method (kpm.h), outliers by
                             Lanczos */
    NND_SPECTRUM_SLQ /**< their law by stochastic Lanczos quadrature (slq.h), outliers by Lanczos */
} nnd_spectrum_method;

/** How far Gaussian matrices of one shape are from the law of Marchenko and Pastur
 *  (spectrum.md#s3): the p-values of distances rest on it. Matrices of one shape can share it,
 * which saves each the sampling. Free with nnd_spectrum_null_clear. */
typedef struct {
    size_t tall, count; /**< longer and shorter side */
    size_t draws;
    double *fitted; /**< draws: distances where the median says what the variance is, in numbers of
                         singular values */
    double *known;  /**< draws: and where it is known */
} nnd_spectrum_null;

/** Samples `draws` (0: none, and no p-value) matrices of this shape, both sides at least 1. */
NND_MUST_USE nnd_status nnd_spectrum_null_make(nnd_context *ctx, size_t rows, size_t cols,
                                               size_t draws, uint64_t seed,
                                               nnd_spectrum_null *null);
/** Frees what it owns and zeroes it. */
void nnd_spectrum_null_clear(nnd_spectrum_null *null);

/** What is asked of a matrix. nnd_spectrum_defaults fills it; then set what differs. */
typedef struct {
    nnd_spectrum_method method;
    size_t moments; /**< of KPM, and twice the steps of SLQ; at least 4 */
    size_t probes;  /**< random vectors of KPM and SLQ; at least 2, for an error */
    double level;   /**< a singular value is an outlier if its p-value is at most this; in (0, 1) */
    size_t vectors; /**< at most so many outliers get singular vectors, and KPM and SLQ
                         find no more */
    size_t draws;   /**< of the null laws of the two Kolmogorov-Smirnov distances; 0: no p-value */
    uint64_t seed;  /**< of the random numbers behind draws and probes */
    const nnd_spectrum_null *null; /**< of this shape, shared; NULL: sampled with draws and seed */
    double init_sd; /**< standard deviation of the entries at initialisation, > 0; NaN: unknown */
    const double *left;  /**< rows numbers, a direction to compare left vectors with; NULL: none */
    const double *right; /**< cols numbers; likewise */
} nnd_spectrum_options;

/** EXACT, 400 moments, 16 probes, level 0.005, 8 vectors, 99 draws, seed 1, the rest unknown. */
nnd_spectrum_options nnd_spectrum_defaults(void);

/** An estimate and its standard error. */
typedef struct {
    double value, se;
} nnd_spectrum_estimate;

/**
 * The bulk: the law of Marchenko and Pastur with the median of the singular values that are no
 * outliers, of a matrix that has lost one row and one column to each outlier (spectrum.md#s3).
 */
typedef struct {
    nnd_spectrum_estimate entry_sd; /**< fitted standard deviation of the entries */
    double lower, upper;            /**< ends of the bulk at infinite size */
    double lower_mean, lower_sd;    /**< what Tracy and Widom say of the smallest singular value;
                                         NaN if square */
    double upper_mean, upper_sd;    /**< and of the largest */
    double edge;                    /**< the largest singular value that is no outlier */
    double ks;   /**< largest distance of the distribution functions, 0 to 1, over the bulk */
    double ks_p; /**< share of Gaussian matrices of this shape, treated alike, that are no closer to
                      the law; NaN without draws, and for KPM and SLQ */
} nnd_spectrum_bulk;

/** A power law p(x) = x^-exponent of the squared singular values above `from` (spectrum.md#s5). */
typedef struct {
    nnd_spectrum_estimate exponent; /**< by maximum likelihood; NaN with fewer than 20 values */
    double from;                    /**< singular value from which on it holds best */
    size_t count;                   /**< singular values from there on */
    double ks;                      /**< distance of the distribution functions there */
    double p;                       /**< goodness of fit: share of samples of the fitted law that
                                         are no closer to theirs; small: it is no power law */
} nnd_spectrum_tail;

/** All that is said of one matrix. Free with nnd_spectrum_clear. */
typedef struct {
    size_t rows, cols, count; /**< count = min(rows, cols) */
    nnd_spectrum_method method;
    double mean, entry_sd; /**< of the entries, as they are */
    double frobenius;      /**< root of the sum of their squares */
    size_t known;          /**< singular values in `singular`: all (EXACT), or the largest */
    double *singular;      /**< known, descending */
    size_t law_count;      /**< KPM and SLQ: points of the estimated law; else 0 */
    double *law_at;        /**< law_count, ascending singular values */
    double *law_share;     /**< and the share of them up to there */
    double *law_share_se;  /**< with its standard error over probes */
    nnd_spectrum_bulk bulk;
    size_t outliers;      /**< the first so many of `singular` */
    size_t tested;        /**< outliers + 1, at most count: how many have a p-value */
    double *p_value;      /**< tested: of being the largest of the bulk, once those before are taken
                               off */
    size_t vectors;       /**< leading outliers whose singular vectors are known */
    double *left_vector;  /**< vectors x rows, of norm 1; the sign means nothing */
    double *right_vector; /**< vectors x cols */
    double *left_overlap; /**< vectors: squared cosine with the direction asked for; NULL: none */
    double *right_overlap;
    double stable_rank; /**< (frobenius/largest)^2 */
    double soft_rank;   /**< (bulk.upper/largest)^2; 1 or more: nothing stands out */
    nnd_spectrum_tail tail;
    double init_ks; /**< distance to the law of Marchenko and Pastur with entries as at
                         initialisation, over all singular values; NaN without init_sd */
    double init_ks_p;
} nnd_spectrum;

/**
 * Analyses a matrix (row-major, rows x cols, finite, the largest modulus between 1e-120 and 1e120;
 * both at least 1). It stays as it is. NND_E_INPUT with a message for what is none of these, and
 * for options out of their ranges; NND_E_LIMIT if it needs more memory than allowed. The result
 * does not depend on the number of threads. On failure `out` is cleared.
 */
NND_MUST_USE nnd_status nnd_spectrum_analyse(nnd_context *ctx, size_t rows, size_t cols,
                                             const double *matrix,
                                             const nnd_spectrum_options *options,
                                             nnd_spectrum *out);
/** Bytes that this takes besides the matrix. */
double nnd_spectrum_bytes(size_t rows, size_t cols, const nnd_spectrum_options *options);
/** Frees what it owns and zeroes it. */
void nnd_spectrum_clear(nnd_spectrum *spectrum);

/** The histogram that belongs to it: as many boxes as `boxes`, from `from` to `to` (singular
 *  values, 0 <= from < to); density[boxes] integrates to 1 over all singular values. */
void nnd_spectrum_histogram(const nnd_spectrum *spectrum, size_t boxes, double from, double to,
                            double *density);
/** Density of the fitted bulk at a singular value, its weight being the share of the bulk. */
double nnd_spectrum_bulk_density(const nnd_spectrum *spectrum, double singular);

/** What has moved between two matrices of one shape. Free with nnd_spectrum_change_clear. */
typedef struct {
    nnd_spectrum_estimate edge_shift; /**< of bulk.edge; error: the width of Tracy and Widom */
    nnd_spectrum_estimate bulk_shift; /**< of bulk.entry_sd */
    size_t before, after;             /**< outliers with vectors of either */
    double *left_overlap;             /**< after x before: squared cosines of left vectors */
    double *right_overlap;            /**< and of right vectors */
} nnd_spectrum_change;

/** Compares two analyses; NND_E_INPUT if their shapes differ. */
NND_MUST_USE nnd_status nnd_spectrum_compare(nnd_context *ctx, const nnd_spectrum *before,
                                             const nnd_spectrum *after,
                                             nnd_spectrum_change *change);
/** Frees what it owns and zeroes it. */
void nnd_spectrum_change_clear(nnd_spectrum_change *change);

NND_API_END

#endif
