/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/flat_minima_weights.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/chain.h"
#include "theory/shortfall.h"

/* ---- the flattest minimum nearby ---- */

/*
 * The flattest minima W_1 = a u_1 v', W_k = s u_k u_{k-1}', p'W_L = s u_{L-1}' with v = w/|w|* have
 * free unit vectors u_k. Away from the weights they are |W|^2 + |flattest|^2 - 2 T,
 *     T = a u_1'W_1 v + s sum_k u_k'W_k u_{k-1} + s p'W_L u_{L-1},
 * which is linear in each u_k: its best value is the normalised sum of what lies below and above.
 */
typedef struct {
    const nnd_chain *chain;
    size_t depth, widest;
    double *scale; /* depth + 1: a, s, s, ... of layers 1..depth */
    double **unit; /* depth + 1: v, u_1, ..., u_{L-1}, p */
    double *below, *above;
} nearest;

/* y = W_k u_{k-1}, times its scale. */
static void from_below(const nearest *n, size_t k, double *y) {
    int rows = (int)n->chain->width[k], cols = (int)n->chain->width[k - 1];
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, cols, n->scale[k], n->chain->matrix[k - 1], cols,
                n->unit[k - 1], 1, 0.0, y, 1);
}

/* y = W_{k+1}' u_{k+1}, times its scale. */
static void from_above(const nearest *n, size_t k, double *y) {
    int rows = (int)n->chain->width[k + 1], cols = (int)n->chain->width[k];
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, cols, n->scale[k + 1], n->chain->matrix[k], cols,
                n->unit[k + 1], 1, 0.0, y, 1);
}

/* Sets u_k to a direction; stays where that is 0. Returns its length. */
static double turn(const nearest *n, size_t k, const double *to) {
    int width = (int)n->chain->width[k];
    double length = cblas_dnrm2(width, to, 1);
    if (length > 0.0) {
        memcpy(n->unit[k], to, n->chain->width[k] * sizeof *to);
        cblas_dscal(width, 1.0 / length, n->unit[k], 1);
    }
    return length;
}

static double overlap(const nearest *n) {
    double sum = 0.0;
    for (size_t k = 1; k <= n->depth; k++) {
        from_below(n, k, n->below);
        sum += cblas_ddot((int)n->chain->width[k], n->below, 1, n->unit[k], 1);
    }
    return sum;
}

/* T does not fall in any turn; it is bounded. */
static double climb(const nearest *n) {
    enum { ROUNDS = 10000 };
    const double still = 1e-15;
    double now = overlap(n), before = -INFINITY;
    for (int round = 0; round < ROUNDS && now - before > still * fabs(now); round++) {
        before = now;
        for (size_t k = 1; k < n->depth; k++) {
            from_below(n, k, n->below);
            from_above(n, k, n->above);
            cblas_daxpy((int)n->chain->width[k], 1.0, n->above, 1, n->below, 1);
            (void)turn(n, k, n->below);
        }
        now = overlap(n);
    }
    return now;
}

/* Starts where v arrives from below, or p from above: the larger of both ends. */
static double most_overlap(const nearest *n) {
    for (size_t k = 1; k < n->depth; k++) {
        n->unit[k][0] = 1.0;
        from_below(n, k, n->below);
        (void)turn(n, k, n->below);
    }
    double upward = climb(n);
    for (size_t k = n->depth - 1; k > 0; k--) {
        from_above(n, k, n->above);
        (void)turn(n, k, n->above);
    }
    return fmax(upward, climb(n));
}

/* |W|^2 with p'W_L in place of W_L. */
static double size2(const nearest *n) {
    const nnd_chain *c = n->chain;
    double sum = 0.0;
    for (size_t k = 1; k < n->depth; k++) {
        size_t count = c->width[k] * c->width[k - 1];
        sum += cblas_ddot((int)count, c->matrix[k - 1], 1, c->matrix[k - 1], 1);
    }
    return sum + cblas_ddot((int)c->width[n->depth - 1], c->alpha[n->depth - 1], 1,
                            c->alpha[n->depth - 1], 1);
}

/* Lengths of the layers of the flattest minimum: |w*|/sqrt(c), then c^(1/(2(L-1))). */
static void set_scales(const nnd_quadratic *q, double c, nearest *n) {
    double norm = cblas_dnrm2((int)q->dim, q->minimizer, 1), depth = (double)n->depth;
    n->scale[1] = n->depth == 1 ? norm : norm / sqrt(c);
    for (size_t k = 2; k <= n->depth; k++)
        n->scale[k] = pow(c, 0.5 / (depth - 1.0));
    memcpy(n->unit[0], q->minimizer, q->dim * sizeof(double));
    cblas_dscal((int)q->dim, 1.0 / norm, n->unit[0], 1);
    memcpy(n->unit[n->depth], n->chain->readout, n->chain->width[n->depth] * sizeof(double));
}

static bool make(const nnd_chain *chain, nearest *n) {
    *n = (nearest){.chain = chain, .depth = chain->depth};
    for (size_t k = 0; k <= chain->depth; k++)
        n->widest = chain->width[k] > n->widest ? chain->width[k] : n->widest;
    n->scale = calloc(n->depth + 1, sizeof *n->scale);
    n->unit = calloc(n->depth + 1, sizeof *n->unit);
    n->below = calloc(n->widest, sizeof *n->below);
    n->above = calloc(n->widest, sizeof *n->above);
    bool done = n->scale != NULL && n->unit != NULL && n->below != NULL && n->above != NULL;
    for (size_t k = 0; done && k <= n->depth; k++)
        done = (n->unit[k] = calloc(n->widest, sizeof(double))) != NULL;
    return done;
}

static void clear(nearest *n) {
    for (size_t k = 0; n->unit != NULL && k <= n->depth; k++)
        free(n->unit[k]);
    free(n->unit);
    free(n->scale);
    free(n->below);
    free(n->above);
}

static nnd_status flattest_distance(nnd_context *ctx, const nnd_chain *chain, double c,
                                    double *distance) {
    nearest n;
    nnd_status status = NND_OK;
    if (make(chain, &n)) {
        double squares = size2(&n);
        set_scales(chain->loss, c, &n);
        for (size_t k = 1; k <= n.depth; k++)
            squares += n.scale[k] * n.scale[k];
        *distance = sqrt(fmax(0.0, squares - 2.0 * most_overlap(&n)));
    } else {
        status = nnd_fail_memory(ctx, "the nearest flattest minimum");
    }
    clear(&n);
    return status;
}

/* ---- all together ---- */

static nnd_status make_chain(nnd_context *ctx, const nnd_flat_minima *p, const nnd_quadratic *loss,
                             nnd_chain *chain) {
    size_t depth = (size_t)p->depth, *width = calloc(depth + 1, sizeof *width);
    if (width == NULL)
        return nnd_fail_memory(ctx, "a chain of matrices");
    for (size_t k = 0; k <= depth; k++)
        width[k] = nnd_flat_minima_width(p, k);
    nnd_status status = nnd_chain_make(ctx, loss, depth, width,
                                       p->readout.count > 0 ? p->readout.value : NULL, chain);
    if (status == NND_OK) {
        int outputs = (int)width[depth];
        cblas_dscal(outputs, 1.0 / cblas_dnrm2(outputs, chain->readout, 1), chain->readout, 1);
        memcpy(chain->weights, p->weights.value, chain->count * sizeof(double));
        nnd_chain_evaluate(chain);
    }
    free(width);
    return status;
}

static nnd_status add_numbers(nnd_context *ctx, nnd_chain *chain, double c, nnd_frame *frame,
                              nnd_status *ran) {
    const nnd_model *model = &nnd_flat_minima_model;
    double end[2], distance = NAN;
    nnd_status status = flattest_distance(ctx, chain, c, &distance);
    if (status != NND_OK)
        return status;
    status = nnd_chain_extremes(ctx, chain, end);
    if (status == NND_E_INPUT)
        return nnd_fail(ctx, status, "params.weights: the Hessian at these matrices is not finite");
    if (status < NND_OK)
        return status;
    *ran = status;
    status = nnd_frame_add_number(frame, model, "weights_sharpness", end[0]);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, model, "weights_least", end[1]);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, model, "weights_loss",
                                      nnd_quadratic_loss(chain->loss, chain->alpha[0]));
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, model, "weights_distance2",
                                      nnd_quadratic_distance2(chain->loss, chain->alpha[0]));
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, model, "flattest_distance", distance);
    if (status == NND_OK && *ran > NND_OK)
        status = nnd_shortfall_set(frame, "Lanczos' method did not reach 1e-12 of the largest "
                                          "eigenvalue of the given weights");
    return status;
}

nnd_status nnd_flat_minima_add_weights(nnd_context *ctx, const nnd_flat_minima *p,
                                       const nnd_quadratic *loss, double c, nnd_frame *frame,
                                       nnd_status *ran) {
    nnd_chain chain = {0};
    nnd_status status = make_chain(ctx, p, loss, &chain);
    if (status == NND_OK)
        status = add_numbers(ctx, &chain, c, frame, ran);
    nnd_chain_clear(&chain);
    return status;
}
