/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What is unknown of a matrix on one of its sides, S = N^T N (conditioned.h), in functions
 * (a + b S)^-1 = (1 - b/(a + b) S)/a: the rows of N are orthonormal, S is a projector, as long as
 * all that was asked was revealed or dropped (and nothing replaced by nnd_conditioned_project).
 */
#ifndef NNDMFT_SOLVERS_UNKNOWN_H
#define NNDMFT_SOLVERS_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** `rows` orthonormal rows over n coordinates, `stride` apart: a view. */
typedef struct {
    size_t n, rows, stride;
    const double *row;
    double *s; /**< lower triangle of S once it is squared, else NULL */
} nnd_unknown_side;

/** Makes S itself, which nnd_unknown_add and nnd_unknown_inverse_add need. Free with
 * nnd_unknown_side_clear in any case. */
NND_MUST_USE nnd_status nnd_unknown_side_square(nnd_context *ctx, nnd_unknown_side *side);
void nnd_unknown_side_clear(nnd_unknown_side *side);
/** out = (a + b S)^-1 x. */
void nnd_unknown_solve(const nnd_unknown_side *side, double a, double b, const double *x,
                       double *out);
/** x^T S x. */
double nnd_unknown_form(const nnd_unknown_side *side, const double *x);
/** Lower triangle of f += scale S, f n x n. */
void nnd_unknown_add(const nnd_unknown_side *side, double scale, double *f);

/** Lower triangle of f += scale (a + b S)^-1. */
void nnd_unknown_inverse_add(const nnd_unknown_side *side, double scale, double a, double b,
                             double *f);

/** A matrix X (m x n) beside such a function: X (a + b S)^-1 X^T and X (a + b S)^-1 for many a, b.
 */
typedef struct {
    const nnd_unknown_side *side;
    size_t m;
    double *x, *xx;   /* X, X X^T */
    double *xn;       /* X N^T */
    double *xsx, *xs; /* X S X^T, X S */
    bool halved;      /* X S is known */
} nnd_unknown_sandwich;

/** X by rows, or by columns if `transposed`, `stride` apart. Free with nnd_unknown_sandwich_clear
 * in any case. */
NND_MUST_USE nnd_status nnd_unknown_sandwich_make(nnd_context *ctx, const nnd_unknown_side *side,
                                                  size_t m, const double *x, size_t stride,
                                                  bool transposed, nnd_unknown_sandwich *s);
void nnd_unknown_sandwich_clear(nnd_unknown_sandwich *s);
/** Lower triangle of f (m x m) += scale X (a + b S)^-1 X^T. */
void nnd_unknown_sandwich_add(const nnd_unknown_sandwich *s, double scale, double a, double b,
                              double *f);
/** f (m x n) += scale X (a + b S)^-1. */
void nnd_unknown_sandwich_half(nnd_unknown_sandwich *s, double scale, double a, double b,
                               double *f);

NND_API_END

#endif
