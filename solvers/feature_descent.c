/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Full batches: flow, descent, heavy ball, and where they end. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/feature_circle.h"
#include "solvers/feature_contour.h"
#include "solvers/feature_pairs.h"

/* ---- one frequency: ridge regression, the end of training ---- */

/* Of one frequency, times the loss over the part of both spaces that is free. */
static const double ROUNDING = 1e-14;

/* Less cannot be told from the threshold. */
static const double LEAST_FREE = 1e-12;

/* Sums over modes at a real kappa twice. */
static nnd_feature_sums real_sums(const nnd_features *f, double kappa) {
    nnd_feature_sums sums = {.kk = kappa * kappa};
    for (size_t i = 0; i < f->modes.count; i++) {
        double d = f->modes.eigenvalue[i] + kappa, scale = f->modes.eigenvalue[i] / d / d;
        sums.a += f->modes.teacher2[i] * scale;
        sums.l += f->modes.multiplicity[i] * scale;
    }
    return sums;
}

/* At s = 0, where kappa > 0 is that of the smaller space, its response is 0. */
static nnd_feature_node end_node(const nnd_features *f, double kappa) {
    nnd_feature_node x = nnd_feature_node_at(f, 0.0, kappa);
    x.r1 = f->samples <= f->width ? 0.0 : 1.0 - x.df / f->samples;
    x.r3 = f->width <= f->samples ? 0.0 : 1.0 - x.df / f->width;
    return x;
}

/* Where kappa is 0 everything is learned, and of the noise what M modes take of P samples. */
static nnd_feature_losses learned_all(const nnd_features *f) {
    double noise = f->label_noise, left = 1.0 - nnd_feature_dimension(f) / f->samples,
           test = noise > 0.0 ? noise / left : 0.0;
    return (nnd_feature_losses){{test, noise * left, 0.0, test - noise, 0.0}, 0.0};
}

nnd_status nnd_feature_ridge(nnd_context *ctx, const nnd_features *f, double ridge,
                             nnd_feature_losses *losses) {
    const nnd_resolvent x = {&f->modes, f->samples, f->width, 0.0};
    double kappa;
    nnd_status status = nnd_kappa_real(ctx, &x, ridge, &kappa);
    if (status < NND_OK)
        return status;
    if (kappa == 0.0) {
        *losses = learned_all(f);
        return NND_OK;
    }
    nnd_feature_node node = ridge > 0.0 ? nnd_feature_node_at(f, ridge, kappa) : end_node(f, kappa);
    nnd_feature_sums sums = real_sums(f, kappa);
    nnd_feature_pair p = nnd_feature_pair_at(f, &node, &node, &sums);
    double response = creal(node.r1), test = p.both.re, df = creal(node.df);
    double free = 1.0 - df / f->samples * df / f->width;
    bool threshold = (ridge <= 0.0 && f->samples == f->width) || free < LEAST_FREE;
    *losses = (nnd_feature_losses){{threshold ? INFINITY : test,
                                    threshold || response == 0.0 ? 0.0 : response * response * test,
                                    p.projection.re, p.data.re - f->label_noise, p.neither.re},
                                   threshold ? 0.0 : ROUNDING * fabs(test / free)};
    return NND_OK;
}

/* ---- contours ---- */

static nnd_status hyperbola(nnd_context *ctx, const nnd_features *f, const nnd_feature_contour *c,
                            const nnd_feature_node *node, size_t times, const double *time,
                            nnd_feature_losses *losses) {
    double complex *u = calloc(times * c->count, sizeof *u);
    if (u == NULL)
        return nnd_fail_memory(ctx, "a contour");
    for (size_t t = 0; t < times; t++)
        for (size_t j = 0; j < c->count; j++)
            u[t * c->count + j] = c->s_weight[j] * cexp(time[t] * c->x[j]);
    nnd_status status = nnd_feature_pair_losses(ctx, f, c->count, node, times, u, losses);
    free(u);
    return status;
}

/* Losses at the times of one window. */
static nnd_status window(nnd_context *ctx, const nnd_features *f, const nnd_feature_contour *c,
                         size_t times, const double *time, nnd_feature_losses *losses) {
    nnd_feature_node *node = calloc(c->count, sizeof *node);
    nnd_status status = node != NULL ? NND_OK : nnd_fail_memory(ctx, "a contour");
    for (size_t arm = 0; status == NND_OK && arm < c->arms; arm++) {
        size_t length = c->count / c->arms, first = arm * length;
        status = nnd_feature_nodes(ctx, f, length, c->s + first, node + first);
    }
    if (status == NND_OK)
        status = c->circle ? nnd_feature_circle_losses(ctx, f, c, node, times, time, losses)
                           : hyperbola(ctx, f, c, node, times, time, losses);
    free(node);
    return status;
}

nnd_status nnd_feature_descent_with(nnd_context *ctx, const nnd_features *f,
                                    const nnd_feature_training *how, double edge, size_t nodes,
                                    size_t times, const double *time, nnd_feature_losses *losses) {
    for (size_t first = 0; first < times;) {
        nnd_feature_contour contour;
        size_t next = nnd_feature_window(how, times, time, first);
        nnd_status status =
            nnd_feature_contour_make(ctx, how, edge, nodes, time[first], time[next - 1], &contour);
        if (status == NND_OK)
            status = window(ctx, f, &contour, next - first, time + first, losses + first);
        nnd_feature_contour_clear(&contour);
        if (status != NND_OK)
            return status;
        first = next;
    }
    return NND_OK;
}

typedef struct {
    const nnd_features *f;
    const nnd_feature_training *how;
    double edge; /* x_max */
} problem;

static nnd_status solve(nnd_context *ctx, size_t nodes, size_t times, const double *time,
                        nnd_feature_losses *losses, void *data) {
    const problem *x = data;
    return nnd_feature_descent_with(ctx, x->f, x->how, x->edge, nodes, times, time, losses);
}

nnd_status nnd_feature_descent(nnd_context *ctx, const nnd_features *f,
                               const nnd_feature_training *how, size_t times, const double *time,
                               nnd_feature_losses *losses) {
    problem x = {.f = f, .how = how};
    nnd_status status = nnd_feature_contours_check(ctx, how, times, time);
    if (status == NND_OK && how->lr > 0.0)
        status = nnd_feature_edge(ctx, f, &x.edge);
    return status == NND_OK ? nnd_feature_twice(ctx, f, how, solve, &x, times, time, losses)
                            : status;
}
