/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the matrix Dyson equation share; dyson.h says what it is.
 *
 * dyson.c: description. dyson_map.c: Sigma[g], F and its derivative. dyson_state.c: solution at one
 * x. dyson_fold.c: real solutions outside the support, up to its ends. dyson_spectrum.c: transform,
 * density. dyson_support.c: gaps, masses. dyson_outliers.c: spikes. */
#ifndef NNDMFT_SOLVERS_DYSON_IMPL_H
#define NNDMFT_SOLVERS_DYSON_IMPL_H

#include <lapacke.h>

#include "solvers/cmplx.h"

#include "nndmft/solvers/dyson.h"
#include "solvers/gmres.h"

/* ---- dyson.c ---- */

typedef struct {
    double n;      /* dimension over N */
    size_t blocks; /* so far */
} dyson_space;

typedef struct {
    size_t space, index; /* index: among the blocks of its space */
    double l;
    size_t row; /* of a vector of a program: the block in whose row its terms stand */
} dyson_block;

typedef struct {
    size_t i, j; /* blocks, of the rows and of the columns */
    double alpha;
} dyson_entry;

typedef struct {
    size_t rows, cols; /* spaces */
    bool fixed;
    double v;
    size_t entries;
    dyson_entry *entry;
} dyson_matrix;

typedef struct {
    size_t i, j;
    double kappa;
} dyson_coupling;

/* No block. */
#define NO_BLOCK ((size_t)-1)

struct nnd_dyson {
    size_t spaces, blocks, matrices, couplings;
    dyson_space *space;
    dyson_block *block;
    dyson_matrix *matrix;
    dyson_coupling *coupling;
    size_t u, v;
    size_t atoms; /* of the fixed matrix */
    double *s, *weight;
    bool no_memory;
    char wrong[160]; /* the first mistake of the description; "": none */
};

/* ---- dyson_map.c ---- */

/* A term of Sigma: sigma[to] += weight g[from]. */
typedef struct {
    size_t to, from;
    double weight;
} dyson_link;

/* One side of the fixed matrix: a space, and which of its blocks the matrix touches. */
typedef struct {
    size_t space, count;
    size_t *index; /* count */
} dyson_side;

/* A pencil in arrays over the elements of all g_s, one space after the other. */
typedef struct {
    size_t spaces, size, largest; /* largest: blocks in a space */
    size_t *side, *offset;        /* of each space: blocks, first element */
    double *n;
    double *spectral, *constant; /* L and K, `size` elements */
    size_t links;
    dyson_link *link;
    bool fixed;
    dyson_side of[2];      /* rows and columns of the fixed matrix */
    double *alpha;         /* its coefficients, of[0].count x of[1].count */
    size_t touched, atoms; /* touched: blocks of both sides */
    const double *s, *weight;
    size_t u, v; /* elements g_uu, g_vv */
} dyson_map;

/* F and what its derivative needs, at one Sigma. */
typedef struct {
    double complex *bare;    /* (x L - K - Sigma)^-1 */
    double complex *f;       /* the same, averaged over singular values of the fixed matrix */
    double complex *atom;    /* T(s) of each atom, touched x touched */
    double complex *mean;    /* sum_s weight T(s) */
    double complex *room[3]; /* size */
    lapack_int *pivot;
} dyson_resolvent;

NND_MUST_USE nnd_status nnd_dyson_map_make(nnd_context *ctx, const nnd_dyson *pencil,
                                           dyson_map *map);
void nnd_dyson_map_clear(dyson_map *map);
NND_MUST_USE nnd_status nnd_dyson_resolvent_make(nnd_context *ctx, const dyson_map *map,
                                                 dyson_resolvent *r);
void nnd_dyson_resolvent_clear(dyson_resolvent *r);

/* The element of g_s between two blocks of one space. */
size_t nnd_dyson_element_of(const nnd_dyson *pencil, const dyson_map *map, size_t i, size_t j);
/* sigma = Sigma[g]. */
void nnd_dyson_self_energy(const dyson_map *map, const double complex *g, double complex *sigma);
/* F at x and Sigma into r->f; false if x L - K - Sigma is singular. */
bool nnd_dyson_invert(const dyson_map *map, double complex x, const double complex *sigma,
                      dyson_resolvent *r);
/* The derivative of F where x L - K - Sigma changes by -change. */
void nnd_dyson_change(const dyson_map *map, dyson_resolvent *r, const double complex *change,
                      double complex *df);

/* ---- dyson_state.c ---- */

struct nnd_dyson_state {
    const nnd_dyson *pencil;
    dyson_map map;
    dyson_resolvent r;
    nnd_krylov krylov;
    double complex x, *g;
    double scale;          /* of |x|: beyond it x g_vv and x g_uu are close to 1 */
    double complex *start; /* g at i scale */
    nnd_dyson_report report;
    double complex *before;            /* size: g to go back to */
    double complex *along;             /* size + 1: a tangent */
    double complex *sigma, *rest, *by; /* size, size + 1, size + 1: room of Newton's method */
};

/* F and its derivative at g and x; false if that fails. */
bool nnd_dyson_evaluate(nnd_dyson_state *state);
/* Newton's method for g and x where g_vv = p; true if it settles within a few steps. */
bool nnd_dyson_newton_bordered(nnd_dyson_state *state, double complex p);
/* Into state->by: g'(p), and x'(p) behind it; false if that fails. */
bool nnd_dyson_tangent(nnd_dyson_state *state);
/* Back to where the continuation began. */
void nnd_dyson_return(nnd_dyson_state *state);
/* Outside the support, on the real axis: g is real. */
bool nnd_dyson_is_outside(const nnd_dyson_state *state);

/* ---- dyson_fold.c ---- */

/* Real solutions along p = g_vv: what is called at each place of the way, with x'(p) < 0. */
typedef nnd_status (*dyson_visit)(nnd_context *ctx, nnd_dyson_state *state, double p, void *data);

/* To real x far above the support. */
NND_MUST_USE nnd_status nnd_dyson_go_far(nnd_context *ctx, nnd_dyson_state *state);
/* Which way, what is called at each place of it (NULL: nothing), and where to give up. */
typedef struct {
    double direction; /* of p: 1 down the x axis, -1 up */
    double floor;     /* x below which there is no end, or none that is looked for */
    dyson_visit visit;
    void *data;
} dyson_way;
/* From a state outside the support to its end, where the state is left (nnd_dyson_return leads away
 * from there, where g is singular); edge->z = 0 at the floor.
 */
NND_MUST_USE nnd_status nnd_dyson_fold(nnd_context *ctx, nnd_dyson_state *state,
                                       const dyson_way *way, nnd_dyson_edge *edge);
/* The real solution with g_vv = p near the one at hand; NND_E_UNSOLVED. */
NND_MUST_USE nnd_status nnd_dyson_at_p(nnd_context *ctx, nnd_dyson_state *state, double p);

#endif
