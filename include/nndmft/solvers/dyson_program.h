/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Pencils (dyson.h) from a computation: a straight-line program for y = W v, whose vectors are sums
 * of matrices applied to vectors before them (many-outputs.md#s4-3).
 *
 *     size_t v = nnd_dyson_input(p, inputs);                           v
 *     size_t h = nnd_dyson_vector(p, hidden);                          h = B v
 *     nnd_dyson_add(p, h, 1.0, B, v);
 *     size_t u = nnd_dyson_output(p, hidden);                          y = h + 0.5 B B^T h
 *     ...
 */
#ifndef NNDMFT_SOLVERS_DYSON_PROGRAM_H
#define NNDMFT_SOLVERS_DYSON_PROGRAM_H

#include "nndmft/solvers/dyson.h"

NND_API_BEGIN

/** Stands for the identity where a matrix is asked for. */
#define NND_DYSON_IDENTITY ((size_t)-1)

/** The input v of W; returns the vector. */
size_t nnd_dyson_input(nnd_dyson *pencil, size_t space);
/** A vector, 0 until terms are added; returns it. */
size_t nnd_dyson_vector(nnd_dyson *pencil, size_t space);
/**
 * A vector p that is not computed but solved for: it makes the sum of the terms that are added to
 * it, p itself among them, vanish.
 */
size_t nnd_dyson_unknown(nnd_dyson *pencil, size_t space);
/** The output y = W v of the program, 0 until terms are added; returns its block u. After the
 *  input, once. */
size_t nnd_dyson_output(nnd_dyson *pencil, size_t space);

/** Adds factor times matrix (or NND_DYSON_IDENTITY) times the vector `source`. */
void nnd_dyson_add(nnd_dyson *pencil, size_t vector, double factor, size_t matrix, size_t source);
/** Adds factor times the transpose of a matrix times the vector `source`. */
void nnd_dyson_add_transposed(nnd_dyson *pencil, size_t vector, double factor, size_t matrix,
                              size_t source);

NND_API_END

#endif
