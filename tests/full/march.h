/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Causal march of first-order iterations with Gaussian random matrices (deep-linear.md#s2).
 * It computes, in the limit of large matrices, all inner products of the vectors that
 * an iteration visits; it knows nothing of what the iteration is for.
 *
 * A matrix A (n_out x n_in, iid Gaussian entries of variance sigma2/n_in, aspect = n_out/n_in) is
 * queried once per query q by a field phi of its input space and by a field psi of its output
 * space: A phi_q   = x_q + sum_p B(q,p) psi_p,     A^T psi_q = w_q + sum_p D(q,p) phi_p, with new
 * Gaussian primitives x and w of Gram sigma2*aspect*phi.phi and sigma2*psi.psi and the responses B
 * = sigma2 dphi/dw, D = sigma2*aspect dpsi/dx. Fields are rows of coefficients over the primitives
 * of their space. Order of use within a query: whatever is causal; a field may use every row that
 * is finished.
 *
 * Set-up: spaces, then fields, primitives and matrices; nnd_march_ready; then for q = 0, 1, ...
 * build each field once (begin, add, finish) and call nnd_march_advance.
 */
#ifndef NNDMFT_SOLVERS_MARCH_H
#define NNDMFT_SOLVERS_MARCH_H

#include <stddef.h>

#include "nndmft/context.h"
#include "nndmft/solvers/direction.h"

typedef struct nnd_march nnd_march;

/** Identifiers, given in order of creation from 0. */
typedef size_t nnd_space, nnd_field, nnd_primitive, nnd_matrix;

/** A march of at most `queries` queries. Owned by the caller. */
NND_MUST_USE nnd_status nnd_march_new(nnd_context *ctx, size_t queries, nnd_march **march);
/** Frees a march; NULL is allowed. */
void nnd_march_free(nnd_march *m);

/** A new vector space. */
NND_MUST_USE nnd_status nnd_march_add_space(nnd_march *m, nnd_space *space);
/** A new field in a space. */
NND_MUST_USE nnd_status nnd_march_add_field(nnd_march *m, nnd_space space, nnd_field *field);
/** A fixed Gaussian vector of squared length norm2, independent of all else. */
NND_MUST_USE nnd_status nnd_march_add_vector(nnd_march *m, nnd_space space, double norm2,
                                             nnd_primitive *primitive);
/** A new Gaussian vector at every query, independent of all else; see nnd_march_add_noise_part. */
NND_MUST_USE nnd_status nnd_march_add_noise(nnd_march *m, nnd_space space,
                                            nnd_primitive *primitive);
/** A random matrix from the space of `phi` to the space of `psi`. */
NND_MUST_USE nnd_status nnd_march_add_matrix(nnd_march *m, double sigma2, double aspect,
                                             nnd_field phi, nnd_field psi, nnd_matrix *matrix);
/** Ends the set-up and allocates; NND_E_LIMIT if the memory limit is in the way. */
NND_MUST_USE nnd_status nnd_march_ready(nnd_march *m);
/** Bytes that nnd_march_ready allocates, and multiply-adds of a whole march. */
void nnd_march_cost(const nnd_march *m, double *bytes, double *multiply_adds);

/** The query under construction. */
size_t nnd_march_query(const nnd_march *m);
/** Begins row q of a field: zero. */
void nnd_march_begin(nnd_march *m, nnd_field field);
/** Adds coef times a fixed vector. */
void nnd_march_add_vector_part(nnd_march *m, nnd_field field, nnd_primitive vector, double coef);
/** Draws this query's vector of a noise, of squared length norm2, and adds it. */
void nnd_march_add_noise_part(nnd_march *m, nnd_field field, nnd_primitive noise, double norm2);
/** Adds coef times the Gaussian part (x or w) of the image of a matrix at an earlier or this query.
 */
void nnd_march_add_image(nnd_march *m, nnd_field field, nnd_matrix matrix, nnd_direction direction,
                         size_t query, double coef);
/** Adds sum_p weight[p] source_p over the finished rows p < rows of a field of the same space. */
void nnd_march_add_rows(nnd_march *m, nnd_field field, nnd_field source, size_t rows,
                        const double *weight);
/** Adds coef times one finished row of a field of the same space. */
void nnd_march_add_row(nnd_march *m, nnd_field field, nnd_field source, size_t row, double coef);
/** Ends row q of a field: its inner products with its rows 0..q become known. */
void nnd_march_finish(nnd_march *m, nnd_field field);
/** Ends query q. */
void nnd_march_advance(nnd_march *m);

/**
 * Row q of the response: B(q,p) (forward) or D(q,p) (backward) for p < the finished rows of psi
 * (forward) or phi (backward), into `row`. Returns that number.
 */
size_t nnd_march_response(const nnd_march *m, nnd_matrix matrix, nnd_direction direction, size_t q,
                          double *row);
/** Inner products of a field's row q with its rows 0..q (a view of q + 1 numbers). */
const double *nnd_march_gram(const nnd_march *m, nnd_field field, size_t q);
/** Inner product of rows q and p of a field, in any order. */
double nnd_march_overlap(const nnd_march *m, nnd_field field, size_t q, size_t p);
/** Inner product of row q of `a` with row p of `b`, two fields of one space; costs O(q^2). */
double nnd_march_cross(const nnd_march *m, nnd_field a, size_t q, nnd_field b, size_t p);
/** Inner product of row q of a field with a fixed vector of its space. */
double nnd_march_dot_vector(const nnd_march *m, nnd_field field, size_t q, nnd_primitive vector);
/** Inner product of row q of a field with the Gaussian part of the image of a matrix at `query`. */
double nnd_march_dot_image(const nnd_march *m, nnd_field field, size_t q, nnd_matrix matrix,
                           nnd_direction direction, size_t query);
/** Rows of Gram and coefficient matrices lie this many numbers apart. */
size_t nnd_march_stride(const nnd_march *m);
/** Coefficients of a field on the images of a matrix: row q, column p, lower triangular; a view. */
const double *nnd_march_image_coefficients(const nnd_march *m, nnd_field field, nnd_matrix matrix,
                                           nnd_direction direction);
/**
 * Inner products of rows 0..rows-1 of `a` with those of `b`, two fields of one space, into `out`
 * (rows x rows, row-major). Costs 2 rows^3 multiply-adds per family of primitives.
 */
NND_MUST_USE nnd_status nnd_march_cross_gram(const nnd_march *m, nnd_field a, nnd_field b,
                                             size_t rows, double *out);
/** Multiply-adds done so far, and bytes read from coefficient and Gram matrices. */
void nnd_march_work(const nnd_march *m, double *multiply_adds, double *bytes);

#endif
