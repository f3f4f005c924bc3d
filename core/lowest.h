/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where a curve that is known at a few places is lowest, and where it crosses a level. */
#ifndef NNDMFT_CORE_LOWEST_H
#define NNDMFT_CORE_LOWEST_H

#include <stdbool.h>
#include <stddef.h>

/** Most places that a polynomial goes through. */
enum { NND_LOWEST_PLACES = 7 };

/** The lowest point of the polynomial through y[first..first+count). */
typedef struct {
    double x;
    double error; /**< distance from the lowest point of the polynomial through two places fewer */
    double value_error; /**< of the value there: difference from the lowest value of the same */
    size_t first, count;
    double curvature;                 /**< second derivative of the curve at x */
    double weight[NND_LOWEST_PLACES]; /**< value at x of any curve: sum of weight[j] y[first + j] */
    double coarse[NND_LOWEST_PLACES]; /**< the same at the lowest point of the polynomial through
                                         two places fewer; where there is none, at place i */
    double shift[NND_LOWEST_PLACES];  /**< dx/dy[first + j] */
} nnd_lowest;

/**
 * The lowest point beside place i, which is below its two neighbours, of n places x, ascending. The
 * polynomial ends where y is not finite, or rises so steeply that it says nothing of the lowest
 * point; where it goes through the neighbours alone, `error` is half their distance, and
 * `value_error` how far its lowest point is below place i. False if there is no point: i is at an
 * end, or a neighbour is no higher, or not finite.
 */
bool nnd_lowest_near(size_t n, const double *x, const double *y, size_t i, nnd_lowest *lowest);
/** The value at the lowest point of another curve over the same places. */
double nnd_lowest_value(const nnd_lowest *lowest, const double *y);
/** The same by the polynomial through two places fewer, at its own lowest point. */
double nnd_lowest_coarse(const nnd_lowest *lowest, const double *y);
/** How far the lowest point moves, to first order, if `dy` is added to the curve. */
double nnd_lowest_shift(const nnd_lowest *lowest, const double *dy);

/**
 * The first place at which y rises through `level`, by a cubic through its neighbours; `error` is
 * the distance from where the straight line between them does. NaN if it does so nowhere.
 */
double nnd_crossing(size_t n, const double *x, const double *y, double level, double *error);

#endif
