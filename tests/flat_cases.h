/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The reference cases flat-minima.md#s8. */
#ifndef NNDMFT_TESTS_FLAT_CASES_H
#define NNDMFT_TESTS_FLAT_CASES_H

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/quadratic.h"
#include "support.h"

static const double S6[] = {3, 0, 0, 0,  0, 0, 0, 1, 0, 0, 0,  0, 0, 0, .5, 0, 0, 0,
                            0, 0, 0, .3, 0, 0, 0, 0, 0, 0, .2, 0, 0, 0, 0,  0, 0, .1};
/* (1,2,3,5,6,5)/10 */
static const double W6[] = {.1, .2, .3, .5, .6, .5};
static const double S3[] = {2, .5, 0, .5, 1, .2, 0, .2, .5};
static const double W3[] = {.6, 0, .8};
static const double S2[] = {1, 0, 0, .25};
static const double W2[] = {0, 1};

/** A quadratic, or the end of the test. */
static inline nnd_quadratic flat_case(nnd_context *ctx, size_t dim, const double *covariance,
                                      const double *minimizer) {
    nnd_quadratic q;
    if (nnd_quadratic_make(ctx, dim, covariance, minimizer, &q) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return q;
}

/** A random data set: `samples` inputs of a random covariance, targets with noise. */
static inline nnd_quadratic flat_random(nnd_context *ctx, uint64_t seed, size_t samples,
                                        size_t dim) {
    double *x = calloc(samples * dim, sizeof *x), *y = calloc(samples, sizeof *y);
    double *width = calloc(dim, sizeof *width);
    nnd_quadratic q;
    nnd_rng_normals((nnd_rng_key){seed, 0, dim}, 0, 0, samples * dim, x);
    nnd_rng_normals((nnd_rng_key){seed, 0, dim}, 1, 0, samples, y);
    nnd_rng_normals((nnd_rng_key){seed, 0, dim}, 2, 0, dim, width);
    for (size_t i = 0; i < samples; i++)
        for (size_t j = 0; j < dim; j++)
            x[i * dim + j] *= 0.1 + width[j] * width[j];
    if (nnd_quadratic_fit(ctx, samples, dim, x, y, &q) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    free(x);
    free(y);
    free(width);
    return q;
}

/* The flattest minimiser, of sharpness phi(c) at c = c* (flat-minima.md#s3), along the first unit
 * vector of each layer; the readout must be that unit vector. */
static inline void set_flattest(nnd_chain *chain, double c) {
    size_t d = chain->width[0];
    double s = chain->depth > 1 ? pow(c, 0.5 / ((double)chain->depth - 1.0)) : 1.0;
    nnd_chain_set_aligned(chain, chain->loss->minimizer, s);
    if (chain->depth > 1)
        cblas_dscal((int)d, 1.0 / sqrt(c), chain->matrix[0], 1);
}

/** Gradient in all weights of an evaluated chain: alpha_{k+1} b_k' of W_{k+1}. */
static inline void chain_gradient(const nnd_chain *c, double *gradient) {
    for (size_t k = 0; k < c->depth; k++)
        for (size_t i = 0; i < c->width[k + 1]; i++)
            for (size_t j = 0; j < c->width[k]; j++)
                *gradient++ = c->alpha[k + 1][i] * c->image[k][j];
}

/** The Hessian of an evaluated chain, column by column; the caller frees it. */
static inline double *dense_hessian(nnd_chain *chain) {
    size_t n = chain->count;
    double *h = calloc(n * n, sizeof *h), *unit = calloc(n, sizeof *unit);
    for (size_t i = 0; i < n; i++) {
        unit[i] = 1.0;
        nnd_chain_hessian(chain, unit, h + i * n);
        unit[i] = 0.0;
    }
    free(unit);
    return h;
}

/** Trace of the Hessian of an evaluated chain. */
static inline double chain_trace(nnd_chain *chain) {
    double *h = dense_hessian(chain), trace = 0.0;
    for (size_t i = 0; i < chain->count; i++)
        trace += h[i * chain->count + i];
    free(h);
    return trace;
}

#endif
