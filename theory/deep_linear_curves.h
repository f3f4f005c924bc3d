/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Curves of a run of the small network of deep linear networks, as a table: a row for each time.
 */
#ifndef NNDMFT_THEORY_DEEP_LINEAR_CURVES_H
#define NNDMFT_THEORY_DEEP_LINEAR_CURVES_H

#include "theory/deep_linear_small.h"

/** Columns: these four, then |g_l|^2 and then |h_l|^2 of l = 0..L. */
enum { NND_TEST_RISK, NND_TRAIN_MSE, NND_OVERLAP, NND_BETA_NORM2, NND_SCALAR_CURVES };

typedef struct {
    size_t depth, columns;
    size_t rows, room; /**< filled, and there is room for */
    double *x;
    double *largest; /**< of each column, over all that was noted or added */
} nnd_curves;

/** A table without rows. Free with nnd_curves_clear in any case. */
NND_MUST_USE nnd_status nnd_curves_make(nnd_context *ctx, size_t depth, size_t room,
                                        nnd_curves *curves);
void nnd_curves_clear(nnd_curves *curves);
/** Notes how large the present values of a network are. */
void nnd_curves_note(nnd_curves *curves, const nnd_small *n);
/** Notes them and appends them. */
void nnd_curves_add(nnd_curves *curves, const nnd_small *n);
/** A value; columns of layers follow each other. */
double nnd_curves_at(const nnd_curves *curves, size_t row, size_t column);
/**
 * The largest difference of a curve, relative to its largest value of `fine`, which has `every`
 * rows where `coarse` has one. INFINITY if one is no number, or `fine` has too few.
 */
double nnd_curves_difference(const nnd_curves *fine, size_t every, const nnd_curves *coarse);
/** Rows up to the first one where a curve of `b` differs from that of `a` by more than `most` of
 * the largest value of the latter, or one of them ends. */
size_t nnd_curves_agreeing(const nnd_curves *a, const nnd_curves *b, double most);

#endif
