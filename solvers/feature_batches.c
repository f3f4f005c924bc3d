/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stochastic descent: losses solve linear recursions, which are algebraic in z. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/feature_contour.h"
#include "solvers/feature_nodes.h"
#include "solvers/feature_shared.h"

typedef struct {
    const nnd_features *f;
    const nnd_feature_training *how;
    double beta;  /* of q(x) = 1 - 2 eta x + beta eta^2 x^2, by which squares shrink in a step */
    double drawn; /* what a step feeds back, over that of a batch of one: 1/B, or nu/P */
    double trace; /* sum_k n lambda */
    double edge;  /* x_max */
} problem;

static bool is_fresh(const nnd_features *f) {
    return isinf(f->samples);
}

/* Batches without replacement: nu = (P/B - 1) P/(P - 1). */
static problem problem_of(const nnd_features *f, const nnd_feature_training *how) {
    problem x = {.f = f, .how = how, .beta = 1.0, .drawn = 1.0 / how->batch};
    x.trace = nnd_feature_trace(f);
    if (is_fresh(f) && !how->large_batch)
        x.beta += 1.0 / how->batch;
    if (!is_fresh(f))
        x.drawn = f->samples > 1.0 ? (f->samples / how->batch - 1.0) / (f->samples - 1.0) : 0.0;
    return x;
}

/* ---- one window ---- */

/* At the roots x-, x+ of q(x) = z, scaling-laws.md#eq13. */
typedef struct {
    size_t count;
    double complex *s;            /* -x-, then the conjugate of -x+, which is below the axis */
    nnd_feature_node *near, *far; /* at -x-, and at the conjugate of -x+ */
    double complex *scale;        /* M[f] = scale (f(-x-) - f(-x+)) */
} roots;

static void roots_clear(roots *x) {
    free(x->s);
    free(x->near);
    free(x->scale);
}

static nnd_status roots_make(nnd_context *ctx, const problem *p, const nnd_feature_contour *c,
                             roots *x) {
    size_t n = c->count;
    double lr = p->how->lr;
    *x = (roots){.count = n};
    x->s = calloc(2 * n, sizeof *x->s);
    x->near = calloc(2 * n, sizeof *x->near);
    x->scale = calloc(n, sizeof *x->scale);
    if (x->s == NULL || x->near == NULL || x->scale == NULL)
        return nnd_fail_memory(ctx, "a contour");
    x->far = x->near + n;
    for (size_t j = 0; j < n; j++) {
        double complex root = csqrt(1.0 + p->beta * c->step[j]);
        x->s[j] = c->step[j] / ((1.0 + root) * lr);
        x->s[n + j] = conj(-(1.0 + root) / (p->beta * lr));
        x->scale[j] = cexp(c->x[j]) / (2.0 * root * lr);
    }
    nnd_status status = nnd_feature_nodes(ctx, p->f, n, x->s, x->near);
    return status == NND_OK ? nnd_feature_nodes(ctx, p->f, n, x->s + n, x->far) : status;
}

/* A function of one frequency, and M of it at node j. */
typedef double complex (*spectral)(const problem *p, const nnd_feature_node *x);

static double complex moment(const problem *p, const roots *x, size_t j, spectral f) {
    return x->scale[j] * (f(p, &x->near[j]) - conj(f(p, &x->far[j])));
}

/* sum_k c_k H_k, of the error. */
static double complex of_error(const problem *p, const nnd_feature_node *x) {
    (void)p;
    return x->kappa * x->power / x->s;
}

/* g: of the residual. */
static double complex of_residual(const problem *p, const nnd_feature_node *x) {
    return x->r1 * (x->kappa * x->power + p->f->label_noise) / x->s;
}

/* tr S^2/(s + S) of the training kernel; and the same with the covariance of features once. */
static double complex of_kernel(const problem *p, const nnd_feature_node *x) {
    return p->trace - x->s * x->df;
}

static double complex of_test_kernel(const problem *p, const nnd_feature_node *x) {
    return p->trace - x->kappa * x->r3 * x->df;
}

/* What noise of batches adds to the losses, as functions of z: scaling-laws.md#eq12,
 * scaling-laws.md#eq15. */
static void transforms(const problem *p, const nnd_feature_contour *c, const roots *x, size_t j,
                       double complex *test, double complex *train) {
    double complex z = cexp(c->x[j]), fed = p->drawn * p->how->lr * p->how->lr / z;
    double complex kernel = fed * moment(p, x, j, of_kernel);
    if (is_fresh(p->f)) {
        double complex noise = kernel * p->f->label_noise * z / c->step[j];
        *test = (moment(p, x, j, of_error) + noise) / (1.0 - kernel);
        *train = *test;
        return;
    }
    *train = moment(p, x, j, of_residual) / (1.0 - kernel);
    *test = fed * moment(p, x, j, of_test_kernel) * *train;
}

static nnd_status window(nnd_context *ctx, const problem *p, const nnd_feature_contour *c,
                         size_t times, const double *time, nnd_feature_losses *losses) {
    roots x;
    nnd_status status = roots_make(ctx, p, c, &x);
    double floor = is_fresh(p->f) ? p->f->label_noise : 0.0;
    for (size_t t = 0; status == NND_OK && t < times; t++) {
        losses[t].value[NND_FEATURES_TRAIN] = floor;
        losses[t].value[NND_FEATURES_TEST] =
            is_fresh(p->f) ? floor : losses[t].value[NND_FEATURES_TEST];
    }
    for (size_t j = 0; status == NND_OK && j < c->count; j++) {
        double complex test, train;
        transforms(p, c, &x, j, &test, &train);
        for (size_t t = 0; t < times; t++) {
            double complex u = 2.0 * c->x_weight[j] * cexp(time[t] * c->x[j]);
            losses[t].value[NND_FEATURES_TEST] += creal(u * test);
            losses[t].value[NND_FEATURES_TRAIN] += creal(u * train);
        }
    }
    roots_clear(&x);
    return status;
}

/* The mean over batches is descent on full ones, to which that adds. */
static nnd_status solve(nnd_context *ctx, size_t nodes, size_t times, const double *time,
                        nnd_feature_losses *losses, void *data) {
    const problem *p = data;
    nnd_status status =
        nnd_feature_descent_with(ctx, p->f, p->how, p->edge, nodes, times, time, losses);
    for (size_t first = 0; status == NND_OK && first < times;) {
        nnd_feature_contour contour;
        size_t next = nnd_feature_window(p->how, times, time, first);
        status = nnd_feature_contour_make(ctx, p->how, 0.0, nodes, time[first], time[next - 1],
                                          &contour);
        if (status == NND_OK)
            status = window(ctx, p, &contour, next - first, time + first, losses + first);
        nnd_feature_contour_clear(&contour);
        first = next;
    }
    return status;
}

nnd_status nnd_feature_batches(nnd_context *ctx, const nnd_features *f,
                               const nnd_feature_training *how, size_t times, const double *time,
                               nnd_feature_losses *losses) {
    problem p = problem_of(f, how);
    nnd_status status = nnd_feature_edge(ctx, f, &p.edge);
    if (status == NND_OK)
        status = nnd_feature_twice(ctx, f, how, solve, &p, times, time, losses);
    if (status != NND_OK || !is_fresh(f))
        return status;
    return nnd_feature_shared_batches(ctx, f, how, times, time, losses);
}

/* ---- plateau ---- */

/* Residues at z = 1, where x- = 0 and x+ = 2/(beta eta): M of the kernel is -df/(beta eta^2) there.
 * Where batches add nothing, losses end as those of full ones. */
nnd_status nnd_feature_plateau(nnd_context *ctx, const nnd_features *f,
                               const nnd_feature_training *how, nnd_batch_plateau *plateau) {
    problem p = problem_of(f, how);
    nnd_feature_losses end;
    nnd_status status = nnd_feature_ridge(ctx, f, 0.0, &end);
    if (status == NND_OK)
        status = nnd_feature_edge(ctx, f, &p.edge);
    if (status != NND_OK)
        return status;
    double s = -2.0 / (p.beta * how->lr), kappa;
    *plateau = (nnd_batch_plateau){INFINITY, INFINITY, INFINITY};
    if (-s <= p.edge)
        return NND_OK;
    status = nnd_feature_kappa_beyond(ctx, f, s, &kappa);
    if (status < NND_OK)
        return status;
    nnd_feature_node x = nnd_feature_node_at(f, s, kappa);
    plateau->noise = -p.drawn / p.beta * creal(x.df);
    if (plateau->noise >= 1.0)
        return NND_OK;
    plateau->train = end.value[NND_FEATURES_TRAIN] / (1.0 - plateau->noise);
    plateau->test = plateau->train;
    if (!is_fresh(f))
        plateau->test =
            end.value[NND_FEATURES_TEST] + plateau->noise / creal(x.r1) * plateau->train;
    return NND_OK;
}
