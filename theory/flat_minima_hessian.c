/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/flat_minima_hessian.h"

#include <math.h>
#include <stdlib.h>

#include "core/rng.h"

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- making ---- */

static nnd_status make_chain(nnd_context *ctx, const nnd_quadratic *loss, size_t depth,
                             nnd_chain *chain) {
    size_t *width = calloc(depth + 1, sizeof *width);
    if (width == NULL)
        return nnd_fail_memory(ctx, "a chain of matrices");
    width[0] = loss->dim;
    for (size_t k = 1; k <= depth; k++)
        width[k] = 1;
    nnd_status status = nnd_chain_make(ctx, loss, depth, width, NULL, chain);
    free(width);
    return status;
}

/* Room for all candidates: of the chain, of both signs of each layer, and zeros. */
static nnd_status make_arrays(nnd_context *ctx, nnd_flat_hessian *h) {
    size_t n = h->chain.count, most = h->searched + 1 + h->count;
    for (size_t k = 1; k < h->chain.depth; k++)
        most += 2 * least_of(h->repeats[k], h->count);
    h->start = calloc(h->searched * n, sizeof(double));
    h->vector = calloc((h->searched + 1) * n, sizeof(double));
    h->value = calloc(most, sizeof(double));
    h->leading = h->value;
    if (h->start == NULL || h->vector == NULL || h->value == NULL)
        return nnd_fail_memory(ctx, "the eigenvalues of a Hessian");
    nnd_rng_normals((nnd_rng_key){0}, 0, 0, h->searched * n, h->start);
    return NND_OK;
}

nnd_status nnd_flat_hessian_make(nnd_context *ctx, const nnd_flat_minima *p,
                                 const nnd_quadratic *loss, nnd_flat_hessian *h) {
    enum { LANCZOS_STEPS = 300 };
    size_t depth = (size_t)p->depth;
    *h = (nnd_flat_hessian){.count = p->eigenvalues > 0 ? (size_t)p->eigenvalues : 1,
                            .repeats = calloc(depth, sizeof(size_t))};
    if (h->repeats == NULL)
        return nnd_fail_memory(ctx, "the eigenvalues of a Hessian");
    nnd_status status = make_chain(ctx, loss, depth, &h->chain);
    if (status != NND_OK)
        return status;
    h->searched = least_of(h->count, h->chain.count);
    h->zeros = nnd_flat_minima_weights(p) - h->chain.count;
    for (size_t k = 1; k < depth; k++) {
        h->repeats[k] = nnd_flat_minima_width(p, k) - 1;
        h->zeros -= 2 * h->repeats[k];
    }
    status = nnd_lanczos_new(ctx, h->chain.count, LANCZOS_STEPS, &h->lanczos);
    return status == NND_OK ? make_arrays(ctx, h) : status;
}

void nnd_flat_hessian_clear(nnd_flat_hessian *h) {
    nnd_chain_clear(&h->chain);
    nnd_lanczos_free(h->lanczos);
    free(h->repeats);
    free(h->start);
    free(h->vector);
    free(h->value);
    *h = (nnd_flat_hessian){0};
}

/* ---- eigenvalues ---- */

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static size_t add(nnd_flat_hessian *h, size_t have, size_t times, double x) {
    for (size_t i = 0; i < least_of(times, h->count); i++)
        h->value[have++] = x;
    if (times > 0)
        h->least = fmin(h->least, x);
    return have;
}

/* (9): a unit beyond the first of a hidden layer meets the rest in its own weight below along b and
 * above along alpha alone, where they make a pair of eigenvalues +- |alpha_{k+1}| |b_k|. */
static size_t add_pairs(nnd_flat_hessian *h, size_t have) {
    for (size_t k = 1; k < h->chain.depth; k++) {
        double image2 = 0.0;
        for (size_t i = 0; i < h->chain.width[k - 1]; i++)
            image2 += h->chain.image[k - 1][i] * h->chain.image[k - 1][i];
        double pair = fabs(h->chain.alpha[k + 1][0]) * sqrt(image2);
        have = add(h, have, h->repeats[k], pair);
        have = add(h, have, h->repeats[k], -pair);
    }
    return have;
}

nnd_status nnd_flat_hessian_find(nnd_flat_hessian *h, const double *b, double s) {
    nnd_chain_set_aligned(&h->chain, b, s);
    nnd_chain_evaluate(&h->chain);
    nnd_status status = nnd_lanczos_leading(h->lanczos, nnd_chain_hessian, &h->chain, h->searched,
                                            h->start, 1e-8, h->value, h->vector, &h->error);
    if (status < NND_OK)
        return status;
    h->least = h->value[h->searched];
    size_t have = add(h, h->searched, h->zeros, 0.0);
    have = add_pairs(h, have);
    qsort(h->value, have, sizeof *h->value, descending);
    return status;
}
