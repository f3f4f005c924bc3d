/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Brent's searches for a root and for a minimum of a function of one number, within a bracket. */
#ifndef NNDMFT_SOLVERS_BRENT_H
#define NNDMFT_SOLVERS_BRENT_H

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** A function of one number. */
typedef double (*nnd_function)(double x, void *data);

/** An interval and a number in it. */
typedef struct {
    double low, high;
    double x;
} nnd_bracket;

/**
 * The root of f between low and high (finite, low < high), where f has different signs or is 0: x,
 * and the bracket shrunk around it to absolute + relative times the lesser modulus of its ends. f
 * is evaluated once at either end. NND_E_UNSOLVED if the signs are the same or f is not finite
 * somewhere; NND_NOT_CONVERGED, with the bracket as far as it has shrunk, after 200 steps.
 */
NND_MUST_USE nnd_status nnd_brent_root(nnd_context *ctx, nnd_function f, void *data,
                                       double absolute, double relative, nnd_bracket *bracket);
/**
 * A minimum of f between low and high, given x between them where f is less than at both: `value`
 * holds f at low, x and high, all finite. Precision and statuses as above; it does not come closer
 * than 3e-8 of the way from the first x.
 */
NND_MUST_USE nnd_status nnd_brent_minimum(nnd_context *ctx, nnd_function f, void *data,
                                          double absolute, double relative, const double value[3],
                                          nnd_bracket *bracket);

NND_API_END

#endif
