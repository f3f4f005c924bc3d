/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Spectra of polynomials and inverses of large random matrices, by the matrix Dyson equation of a
 * linear pencil (many-outputs.md#s4-1).
 *
 * A pencil x L - K - H consists of blocks. Blocks of one space have one size n N, N to infinity. L
 * is diagonal, K couples blocks of one space by multiples of the identity, H holds random matrices
 * of independent entries, and at most one deterministic matrix. Its inverse is, for large N, a
 * matrix g_s between the blocks of each space s, times the identity, and zero between spaces:
 *
 *     g_s = (x L_s - K_s - Sigma[g]_s)^-1                             (many-outputs.md#eq8)
 *
 * With L = 1 at two blocks u and v alone, and 0 elsewhere, whose resolvent is that of [[0, W],
 * [W^T, 0]], m(z) = (1/D) tr (W^T W - z)^-1 = -g_vv(x)/x at z = x^2. A pencil is described here by
 * its blocks, or in dyson_program.h by the computation y = W v.
 */
#ifndef NNDMFT_SOLVERS_DYSON_H
#define NNDMFT_SOLVERS_DYSON_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/* ---- description ---- */

/**
 * A pencil. What goes wrong while it is described (an index that does not exist, a value out of
 * range, memory) is kept, and every computation with it then fails with that message.
 */
typedef struct nnd_dyson nnd_dyson;

/** An empty pencil, owned by the caller; NULL when out of memory. */
nnd_dyson *nnd_dyson_new(void);
/** Frees a pencil; NULL is allowed. */
void nnd_dyson_free(nnd_dyson *pencil);

/** A space of dimension n N, n > 0 finite; returns its index. */
size_t nnd_dyson_space(nnd_dyson *pencil, double n);
/** A block of a space, with its element of L, 0 or 1; returns its index. */
size_t nnd_dyson_block(nnd_dyson *pencil, size_t space, double l);
/** A random matrix between two spaces, of independent entries of variance v/N, v >= 0; returns its
 *  index. */
size_t nnd_dyson_random(nnd_dyson *pencil, size_t rows, size_t cols, double v);
/**
 * The deterministic matrix, between two different spaces: N weight[i] of its singular values are
 * s[i] >= 0, the others are 0; the weights are at least 0 and sum to at most the n of either space.
 * count = 0: zero, to which spikes are added (nnd_dyson_outliers). The random matrices at its sides
 * make its singular vectors immaterial. The arrays are copied.
 */
size_t nnd_dyson_fixed(nnd_dyson *pencil, size_t rows, size_t cols, size_t count, const double *s,
                       const double *weight);
/** Adds alpha times a matrix to H at (i, j), i a block of the space of its rows, j of its columns,
 *  and the transpose at (j, i). */
void nnd_dyson_enter(nnd_dyson *pencil, size_t matrix, size_t i, size_t j, double alpha);
/** Adds kappa times the identity to K at (i, j) and (j, i), blocks of one space; once if i = j. */
void nnd_dyson_couple(nnd_dyson *pencil, size_t i, size_t j, double kappa);
/** Says which blocks are u (outputs of W) and v (inputs), which must have l = 1. */
void nnd_dyson_hermitised(nnd_dyson *pencil, size_t u, size_t v);

/** Blocks, and unknowns of the equation (the sum of their squares over spaces). */
void nnd_dyson_size(const nnd_dyson *pencil, size_t *blocks, size_t *unknowns);
/** NND_OK, or what went wrong in the description of a pencil. */
NND_MUST_USE nnd_status nnd_dyson_check(nnd_context *ctx, const nnd_dyson *pencil);

/* ---- the solution at one x ---- */

/** g at one x, from where it is continued to others. */
typedef struct nnd_dyson_state nnd_dyson_state;

/** How well the equation is solved. */
typedef struct {
    double residual;   /**< largest element of g - F(g), over the largest of g */
    double change;     /**< likewise of the last correction by Newton's method: the error of g */
    double least;      /**< least eigenvalue of -Im g, over the largest element of g: >= 0 but for
                            rounding on the physical branch */
    double asymptotic; /**< |x g_uu - 1| or |x g_vv - 1| where the continuation began */
    size_t solved;     /**< Newton iterations, all in all */
} nnd_dyson_report;

/**
 * Solves the equation far up the imaginary axis, by the averaged fixed point
 * (many-outputs.md#s4-4), where x g_uu and x g_vv are close to 1. The pencil is borrowed.
 * NND_E_UNSOLVED if there is no such place.
 */
NND_MUST_USE nnd_status nnd_dyson_start(nnd_context *ctx, const nnd_dyson *pencil,
                                        nnd_dyson_state **state);
/**
 * Continues to x, Im x >= 0, x not 0, by Newton's method in steps; real x > 0 is approached from
 * above. NND_E_UNSOLVED with a message, and the state where it got to, if that fails.
 */
NND_MUST_USE nnd_status nnd_dyson_move(nnd_context *ctx, nnd_dyson_state *state, nnd_complex x);
/** Where a state is. */
nnd_complex nnd_dyson_place(const nnd_dyson_state *state);
/** The element of g between two blocks of the pencil; 0 between spaces. */
nnd_complex nnd_dyson_element(const nnd_dyson_state *state, size_t i, size_t j);
/** How well the equation is solved there. */
nnd_dyson_report nnd_dyson_report_of(const nnd_dyson_state *state);
/** Frees a state; NULL is allowed. */
void nnd_dyson_state_free(nnd_dyson_state *state);

/* ---- the spectrum of W^T W ---- */

/**
 * m(z) at `count` z, and its error (NULL: not wanted). z may lie below the real axis, on it at
 * negative numbers, and at positive ones, which are approached from above; not at 0.
 */
NND_MUST_USE nnd_status nnd_dyson_stieltjes(nnd_context *ctx, const nnd_dyson *pencil, size_t count,
                                            const nnd_complex *z, nnd_complex *m, double *error);
/** Density of eigenvalues at `count` z > 0, per dimension of v, 0 outside the support; its error
 *  (NULL: not wanted). Neighbours are best given in order. */
NND_MUST_USE nnd_status nnd_dyson_density(nnd_context *ctx, const nnd_dyson *pencil, size_t count,
                                          const double *z, double *density, double *error);

/** An end of the support, z > 0, where the density begins as (kappa/pi) sqrt |z - edge|. */
typedef struct {
    double z, error; /**< error: of Newton's method there */
    double kappa, kappa_error;
} nnd_dyson_edge;

/** A piece of the support, from `low` to `high`. low.z = 0: it begins at 0 with a hard edge, or
 *  closer to 0 than 1e-6 of the highest singular value. */
typedef struct {
    nnd_dyson_edge low, high;
    double mass, mass_error; /**< of eigenvalues, per dimension of v */
    double series_error;     /**< of what the density integrates to */
    size_t cosines;
    double *cosine; /**< the density of singular values as a series, for nnd_dyson_cdf; owned */
} nnd_dyson_interval;

/** The support of the law but for 0, in ascending order, and the mass of eigenvalues 0. */
typedef struct {
    size_t count;
    nnd_dyson_interval *interval;
    double atom, atom_error;
} nnd_dyson_support;

/**
 * The support: its upper end is the first fold of x(g_vv) that is met from infinity; then gaps are
 * looked for at `points` places in each interval, and between them where the density is least. An
 * end is a fold, solved for by a bordered Newton method (many-outputs.md#eq10). NND_E_UNSOLVED if
 * some end is no fold. Masses are integrals around gaps; NND_E_UNSOLVED too if the density between
 * two ends has another, as where a piece was missed.
 */
NND_MUST_USE nnd_status nnd_dyson_support_find(nnd_context *ctx, const nnd_dyson *pencil,
                                               size_t points, nnd_dyson_support *support);
/** Frees what a support owns and zeroes it. */
void nnd_dyson_support_clear(nnd_dyson_support *support);
/** Fraction of eigenvalues up to z, those at 0 among them, and the largest error that has. */
double nnd_dyson_cdf(const nnd_dyson_support *support, double z);
double nnd_dyson_cdf_error(const nnd_dyson_support *support);
/** The upper end of the support alone. */
NND_MUST_USE nnd_status nnd_dyson_upper_edge(nnd_context *ctx, const nnd_dyson *pencil,
                                             nnd_dyson_edge *edge);
/** (1/D) tr (W^T W)^power, power >= 1, by an integral around the support, and its error. */
NND_MUST_USE nnd_status nnd_dyson_moment(nnd_context *ctx, const nnd_dyson *pencil, int power,
                                         double *moment, double *error);

/** An eigenvalue above the support. */
typedef struct {
    double z;
    double overlap; /**< |<v, v_out>|^2, of its vector with the right vector of the spike; NaN if
                         that is not of the space of v */
    double z_error, overlap_error;
} nnd_dyson_outlier;

/**
 * Eigenvalues above the support when the deterministic matrix has one further singular value s > 0
 * (many-outputs.md#eq11), descending: `*count` of them, of which the first `room` are stored.
 * NND_E_INPUT without a deterministic matrix.
 */
NND_MUST_USE nnd_status nnd_dyson_outliers(nnd_context *ctx, const nnd_dyson *pencil, double s,
                                           size_t room, nnd_dyson_outlier *outlier, size_t *count);

NND_API_END

#endif
