/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A growing orthonormal set of vectors over sites, for the inner product <a b> = weight sum_i a_i
 * b_i: projections of blocks of vectors by BLAS-3, Gram-Schmidt done twice.
 */
#ifndef NNDMFT_SOLVERS_BASIS_H
#define NNDMFT_SOLVERS_BASIS_H

#include "nndmft/context.h"

/** Rows of numbers that grow in number, not in length; zero-initialise. */
typedef struct {
    size_t count, capacity, length;
    double *row;
} nnd_rows;

/** Makes room for `more` further rows of `length` numbers (the same at every call); `count` rows
 * are kept. The first one begins where a line of the cache does. */
NND_MUST_USE nnd_status nnd_rows_reserve(nnd_context *ctx, nnd_rows *rows, size_t length,
                                         size_t more);
void nnd_rows_clear(nnd_rows *rows);

/** The set; zero-initialise, then set `sites` and `weight`. */
typedef struct {
    size_t sites;
    double weight;
    nnd_rows vector;  /**< the orthonormal vectors */
    nnd_rows residue; /**< scratch: the block without its projection */
    nnd_rows second;  /**< scratch: coefficients of the second pass */
    double multiply_adds;
} nnd_basis;

void nnd_basis_clear(nnd_basis *basis);

/** out (n x m) = <a_i b_j> of n and m vectors over the basis's sites; out has leading dimension ld.
 */
void nnd_basis_inner(const nnd_basis *basis, size_t n, const double *a, size_t m, const double *b,
                     double *out, size_t ld);

/** What a vector was when the basis was extended by it. */
typedef struct {
    double length;  /**< |v| */
    double dropped; /**< of its residue, if that was dropped; else 0 */
    size_t rank;    /**< vectors of the basis that its coefficients know */
} nnd_split;

/**
 * Coefficients of n vectors v in the basis into `coef` (n rows, leading dimension ld >= count + n),
 * after the basis has been extended by what is new in them: a residue longer than tol times the
 * vector, or times its number in `least` (n of them, or NULL) if that is longer, taken one after
 * the other. A shorter one is dropped. `vector.count` tells how many were added, `split` (n of
 * them, or NULL) what became of each.
 */
NND_MUST_USE nnd_status nnd_basis_extend(nnd_context *ctx, nnd_basis *basis, size_t n,
                                         const double *v, double tol, const double *least,
                                         double *coef, size_t ld, nnd_split *split);
#endif
