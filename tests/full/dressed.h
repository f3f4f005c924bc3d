/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Dressed Gram matrices K = T^-1 G T^-T of the vectors that a random matrix, or a pencil of
 * several, has been queried with (deep-linear.md#s3-2, deep-linear.md#s4-2). They are the
 * limit of V^T (z - A)^-1 V and hold all that the outliers of A need to know of the past.
 *
 * Unknowns are F fields of n rows (queries). T = 1 - sum_c t_c R_c and G = sum_c g_c Gamma_c with
 * fixed n x n blocks R_c (responses) and Gamma_c (Gram matrices) and scalars t_c, g_c that depend
 * on the spectral parameter. In the causal order (query by query, fields in their order) T is unit
 * lower triangular, so it is never formed or inverted. A set of K vectors is an array of F*n rows
 * and K columns, row-major, field after field.
 */
#ifndef NNDMFT_SOLVERS_DRESSED_H
#define NNDMFT_SOLVERS_DRESSED_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/context.h"

typedef struct nnd_dressed nnd_dressed;

/** A system of `fields` fields of `rows` rows without blocks. Owned by the caller. */
NND_MUST_USE nnd_status nnd_dressed_new(nnd_context *ctx, size_t fields, size_t rows,
                                        nnd_dressed **dressed);
/** Frees a system; NULL is allowed. The blocks stay with their owner. */
void nnd_dressed_free(nnd_dressed *d);
/**
 * Response of field `of` to field `to`: R[p*lda + p'] couples row p of `of` to row p' <= p of `to`
 * (p' < p unless `to` comes before `of`; what else stands there is not read).
 */
NND_MUST_USE nnd_status nnd_dressed_add_response(nnd_dressed *d, size_t of, size_t to,
                                                 const double *r, size_t lda);
/**
 * A space of one or two fields (b = a: one), with coordinates of their vectors, n x rank,
 * row-major. It takes one scalar g_aa, or three: g_aa, g_ab, g_bb.
 */
NND_MUST_USE nnd_status nnd_dressed_add_space(nnd_dressed *d, size_t a, const double *coords_a,
                                              size_t b, const double *coords_b, size_t rank);
/** Ends the set-up: room for sets of at most `columns` vectors. */
NND_MUST_USE nnd_status nnd_dressed_ready(nnd_dressed *d, size_t columns);
/** Rows of a set of vectors, fields * rows. */
size_t nnd_dressed_size(const nnd_dressed *d);

/** Solves T^T s = b in place, t_c in the order of creation. */
void nnd_dressed_solve_transposed(const nnd_dressed *d, const double *t, size_t columns, double *s);
/** Solves T s = b in place. */
void nnd_dressed_solve(const nnd_dressed *d, const double *t, size_t columns, double *s);
/** y = G s, g in the order of creation. */
void nnd_dressed_gram_times(nnd_dressed *d, const double *g, size_t columns, const double *s,
                            double *y);
/** k = s^T G s, columns x columns. */
void nnd_dressed_compress(nnd_dressed *d, const double *g, size_t columns, const double *s,
                          double *k);
/** x^T (sum_c t_c R_c) y of two single vectors. */
double nnd_dressed_response_form(const nnd_dressed *d, const double *t, const double *x,
                                 const double *y);

#endif
