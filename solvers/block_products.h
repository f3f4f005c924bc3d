/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Products of few long vectors with many: what dgemm does, for blocks so thin that dgemm spends its
 * time copying the many vectors into its own order. Each is read from memory once.
 */
#ifndef NNDMFT_SOLVERS_BLOCK_PRODUCTS_H
#define NNDMFT_SOLVERS_BLOCK_PRODUCTS_H

#include <stddef.h>

/** out (n x m, leading dimension ld) = weight a b^T; a (n x sites) and b (m x sites) row-major. If
 * they are the same, for half the price. */
void nnd_block_inner(size_t n, const double *a, size_t m, const double *b, size_t sites,
                     double weight, double *out, size_t ld);
/** out += the same. */
void nnd_block_add_inner(size_t n, const double *a, size_t m, const double *b, size_t sites,
                         double weight, double *out, size_t ld);
/** out (n x sites) += factor coef b; coef (n x m, leading dimension ld), b (m x sites). */
void nnd_block_combine(size_t n, const double *coef, size_t ld, size_t m, const double *b,
                       size_t sites, double factor, double *out);

/**
 * v (n x sites) -= coef b, then left (n x m) = weight v b^T of what remains, in one pass over b;
 * coef is n x m.
 */
void nnd_block_project(size_t n, const double *coef, size_t m, const double *b, size_t sites,
                       double weight, double *v, double *left);

#endif
