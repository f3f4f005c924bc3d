/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Contours for inverse Laplace and z transforms of functions that are singular on the negative real
 * axis alone, where nothing decays slower than any exponential (scaling-laws.md#s6).
 *
 * A contour is a set of nodes x with weights of (1/2 pi i) dx such that
 *     f(t) = (1/2 pi i) int exp(t x) F(x) dx = 2 Re sum_j weight_j exp(t x_j) F(x_j):
 * nodes of the upper half plane stand for their mirror images too. In discrete time x = log z.
 */
#ifndef NNDMFT_SOLVERS_CONTOUR_H
#define NNDMFT_SOLVERS_CONTOUR_H

#include <stddef.h>

#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** A hyperbola serves times from t0 to this much later. */
#define NND_WINDOW 8.0

/**
 * `count` nodes of the hyperbola of Weideman and Trefethen for times in [from, NND_WINDOW from],
 * from the real axis outwards. The error falls like exp(-1.09 count) until it is rounding, at about
 * 28 nodes.
 */
void nnd_hyperbola(size_t count, double from, nnd_complex *x, nnd_complex *weight);

/** |Im x| at the last of its nodes, times `from`: in discrete time it has to be below pi. */
double nnd_hyperbola_height(size_t count);
/** -Re x there, times `from`. */
double nnd_hyperbola_depth(size_t count);

/**
 * The upper half of `count` (even) nodes on the circle |z| = r, r^-count = `alias`, in discrete
 * time: what comes `count` steps later adds to f(t) with that factor, and r^t digits are lost to
 * rounding. Writes count/2 nodes.
 */
void nnd_circle(size_t count, double alias, nnd_complex *x, nnd_complex *weight);

NND_API_END

#endif
