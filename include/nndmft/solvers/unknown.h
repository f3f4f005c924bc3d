/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What is unknown of a matrix on one of its sides, S = N^T N (conditioned.h), in functions
 * (a + b S)^-1 = (1 - sum_i w_i n_i n_i^T)/a, w_i = b/(a + b |n_i|^2), with n_i the rows of N made
 * orthogonal. As long as all that was asked was revealed or dropped S is a projector, all |n_i|
 * = 1.
 */
#ifndef NNDMFT_SOLVERS_UNKNOWN_H
#define NNDMFT_SOLVERS_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

/** Orthogonal rows and their squared lengths. */
typedef struct {
    size_t n, rows;
    bool projector;
    double *row, *length2;
    double *s; /**< lower triangle of S */
} nnd_unknown_side;

/** From `rows` rows of N over n coordinates, `stride` apart. Free with nnd_unknown_side_clear in
 * any case. */
NND_MUST_USE nnd_status nnd_unknown_side_make(nnd_context *ctx, size_t n, size_t rows,
                                              const double *row, size_t stride,
                                              nnd_unknown_side *side);
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
    double *xsx, *xs; /* of a projector: X S X^T, X S */
    bool halved;      /* X S is known */
    double *scratch;  /* as large as X N^T */
} nnd_unknown_sandwich;

/** X by rows, or by columns if `transposed`, `stride` apart. Free with nnd_unknown_sandwich_clear
 * in any case. */
NND_MUST_USE nnd_status nnd_unknown_sandwich_make(nnd_context *ctx, const nnd_unknown_side *side,
                                                  size_t m, const double *x, size_t stride,
                                                  bool transposed, nnd_unknown_sandwich *s);
void nnd_unknown_sandwich_clear(nnd_unknown_sandwich *s);
/** Lower triangle of f (m x m) += scale X (a + b S)^-1 X^T. Not for several threads at once. */
void nnd_unknown_sandwich_add(const nnd_unknown_sandwich *s, double scale, double a, double b,
                              double *f);
/** f (m x n) += scale X (a + b S)^-1. */
void nnd_unknown_sandwich_half(nnd_unknown_sandwich *s, double scale, double a, double b,
                               double *f);

NND_API_END

#endif
