/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Functions of many small independent random numbers xi_d, expanded to second order: the value at
 * xi = 0, the sum over d of second derivatives, and the first derivative along every d. What is
 * asked of such functions are sums over d, of products of first derivatives (covariances) and of
 * second derivatives (twice the bias), and second derivatives propagate linearly: of them the sum
 * alone is carried.
 *
 * A jet of an array of n numbers has 2 + directions parts of n numbers each: value, sum of second
 * derivatives, derivatives along direction 0, 1, ... Parts of all arrays lie `stride` numbers
 * apart.
 */
#ifndef NNDMFT_SOLVERS_JETS_H
#define NNDMFT_SOLVERS_JETS_H

#include <stdbool.h>
#include <stddef.h>

/** Which parts are carried: the value always. */
typedef struct {
    size_t directions;
    bool second; /**< else the second part of all arrays stays as it is */
} nnd_jets;

enum { NND_JET_VALUE = 0, NND_JET_SECOND = 1, NND_JET_FIRST = 2 };

/** An array in a jet: its value, and how far apart its parts lie. */
typedef struct {
    double *x;
    size_t stride;
} nnd_jet;

/** A part of an array. */
static inline double *nnd_jet_part(nnd_jet a, size_t part) {
    return a.x + part * a.stride;
}
/** How many parts there are. */
static inline size_t nnd_jets_parts(const nnd_jets *j) {
    return NND_JET_FIRST + j->directions;
}
/** Whether a part is carried. */
static inline bool nnd_jets_carries(const nnd_jets *j, size_t part) {
    return part != NND_JET_SECOND || j->second;
}

/** A product of matrices, row-major without gaps. */
typedef struct {
    size_t rows, inner, cols;
    bool right_transposed; /**< right is cols x inner */
    double factor;
} nnd_jet_product;

/** All parts of n numbers become 0. */
void nnd_jets_clear(const nnd_jets *j, size_t n, nnd_jet out);
/** out += factor x. */
void nnd_jets_add(const nnd_jets *j, size_t n, double factor, nnd_jet x, nnd_jet out);
/** out += factor left right. None may be the same array as `out`. */
void nnd_jets_multiply(const nnd_jets *j, nnd_jet_product p, nnd_jet left, nnd_jet right,
                       nnd_jet out);
/** One number x becomes 1/sqrt(x). */
void nnd_jets_inverse_root(const nnd_jets *j, nnd_jet x);

#endif
