/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The bulk of the singular values of a matrix: the fit by the median, and distances from the law
 *  (spectrum.md#s3). Matrices have `tall` rows and `count` <= tall columns. */
#ifndef NNDMFT_SOLVERS_SPECTRUM_BULK_H
#define NNDMFT_SOLVERS_SPECTRUM_BULK_H

#include <stddef.h>

#include "nndmft/solvers/spectrum.h"

/** With fewer singular values there is no bulk. */
enum { NND_BULK_LEAST = 8 };

/** What a matrix of independent entries of variance 1 has. */
typedef struct {
    size_t tall, count;
    double median; /**< median of its singular values, to order 1/count^2 (spectrum.md#eq6) */
    double error;  /**< standard deviation of it, relative (spectrum.md#eq7) */
    double pull;   /**< its covariance with the edge, over this standard deviation, is pull times
                        the root of the edge's scale over sqrt(tall count) (spectrum.md#s4) */
} nnd_bulk_median;

nnd_bulk_median nnd_bulk_median_of(size_t tall, size_t count);
/** Share of its squared singular values up to z, at infinite size. */
double nnd_bulk_share(size_t tall, size_t count, double z);

/** Mean of the middle one or two of count descending numbers. */
double nnd_middle(size_t count, const double *descending);

/** The largest distance between the distribution function of count descending singular values and
 *  the law with entries of standard deviation sd. */
double nnd_bulk_distance(size_t tall, size_t count, const double *descending, double sd);

/** Distances in numbers of singular values are taken at these many quantiles. */
enum { NND_BULK_LEVELS = 255 };
/** The quantiles of the law, entries of variance 1, as singular values, ascending. */
void nnd_bulk_levels(size_t tall, size_t count, double *level);
/** The largest difference between numbers of singular values below each level, `below`, and what
 *  the law has there. */
double nnd_bulk_excess(size_t count, const size_t *below);

#endif
