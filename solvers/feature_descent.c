/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Full batches: flow, descent, heavy ball, and where they end. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/feature_circle.h"
#include "solvers/feature_contour.h"
#include "solvers/feature_pairs.h"

/* ---- one frequency: ridge regression, the end of training ---- */

/* Of losses at one frequency, and of sums of multiplicities, both relative. */
static const double ROUNDING = 1e-14, ROUNDING_OF_COUNTS = 1e-15;

/* Counts are taken to be equal within this (equivalent.c). */
static const double EQUAL = 1e-12;

/* Sums over modes at a real kappa, without a number that goes to 0 where kappa does not. */
typedef struct {
    double alone;   /* kappa^2 sum n c h^2: the errors of two students that share nothing */
    double signal;  /* kappa sum n lambda c h^2 */
    double bend;    /* kappa sum n lambda h^2 */
    double squares; /* sum n lambda^2 h^2 */
    double above;   /* sum n of lambda > kappa */
} real_sums;

static real_sums real_sums_at(const nnd_features *f, double kappa) {
    real_sums x = {0};
    for (size_t i = 0; i < f->modes.count; i++) {
        double lambda = f->modes.eigenvalue[i], c = f->modes.teacher2[i] * lambda;
        double away = kappa / (lambda + kappa), seen = lambda / (lambda + kappa);
        x.alone += c * away * away;
        x.signal += c * away * seen;
        x.bend += f->modes.multiplicity[i] * away * seen;
        x.squares += f->modes.multiplicity[i] * seen * seen;
        if (lambda > kappa)
            x.above += f->modes.multiplicity[i];
    }
    return x;
}

/* How much kappa, and a loss, depends on the rounding of P - K, K the number of modes above kappa:
 * not where both are the same number, which they are taken to be if they nearly are. */
static double doubt_of_counts(double least, const real_sums *x, double response) {
    const double most_told_apart = 0.5 / EQUAL;
    if (isinf(least))
        return 0.0;
    double doubt = ROUNDING_OF_COUNTS;
    if (fabs(least - x->above) < EQUAL * least)
        doubt = least < most_told_apart ? 0.0 : EQUAL;
    return doubt / (response + x->bend / least);
}

/* scaling-laws.md#eq5 with 1 - D/P = R1 + bend/P, so that all terms are positive:
 * scaling-laws.md#s4. */
static nnd_feature_losses losses_at(const nnd_features *f, const real_sums *x, double ratio) {
    double least = fmin(f->samples, f->width), most = fmax(f->samples, f->width);
    double noise2 = f->label_noise;
    double small = nnd_response(f->samples, f->width, ratio);
    double large = isinf(most) ? 1.0 : (most - least) / most + least / most * small;
    double r1 = f->samples <= f->width ? small : large;
    double r3 = f->samples <= f->width ? large : small;
    double samples = r1 + x->bend / f->samples, width = r3 + x->bend / f->width;
    double through = x->signal * (x->bend / f->width);
    double left = r1 * r3 + x->bend * (r1 / f->width + r3 / f->samples);
    double test = ((x->alone + noise2) * width + through) / left;
    nnd_feature_losses o = {{test, isinf(test) ? 0.0 : r1 * (r1 * test), x->alone + through / width,
                             (x->alone + noise2 * (x->squares / f->samples)) / samples, x->alone},
                            0.0};
    double rounding = ROUNDING + doubt_of_counts(least, x, small);
    for (int m = 0; m < NND_FEATURES_MOMENTS; m++)
        if (isfinite(o.value[m]))
            o.error = fmax(o.error, rounding * o.value[m]);
    return o;
}

/* Where kappa is 0 everything is learned, and of the noise what M modes take of P samples. */
static nnd_feature_losses learned_all(const nnd_features *f) {
    double noise = f->label_noise, left = fmax(1.0 - nnd_feature_dimension(f) / f->samples, 0.0),
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
    const real_sums sums = real_sums_at(f, kappa);
    *losses = losses_at(f, &sums, ridge / kappa);
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
