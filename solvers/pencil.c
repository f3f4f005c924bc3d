/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/pencil.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_ITERATIONS = 200 };

void nnd_pencil_at(const nnd_pencil *p, double x, nnd_pencil_point *point) {
    size_t top = p->layers;
    point->e[top] = p->k[top];
    point->b[top - 1] = x;
    point->rest[top] = 1.0 - x * p->k[top];
    for (size_t l = top; l-- > 0;) {
        double b = point->b[l], above = point->e[l + 1] / point->rest[l + 1];
        double e = point->e[l] = p->k[l] + p->s[l] * p->aspect[l] * above;
        double next = b / (p->s[l] + b * e);
        /* 1 - next e, without cancellation. */
        point->rest[l] = p->s[l] / (p->s[l] + b * e);
        if (l > 0)
            point->b[l - 1] = next;
        else
            point->d = next;
    }
    point->lambda = 1.0 / point->d + p->inv_alpha * point->e[0] / point->rest[0];
}

/* lambda as a function of log x. */
typedef struct {
    const nnd_pencil *pencil;
    nnd_pencil_point point;
} curve;

static double height(double log_x, void *data) {
    curve *c = data;
    nnd_pencil_at(c->pencil, exp(log_x), &c->point);
    return c->point.lambda;
}

/* log of an x far below all scales on which e and d change: b_l is x/(s_{l+1} ... s_{L-1}) there,
 * and A_l is felt from b_l = s_l/k_l on, 1/alpha from sqrt(alpha) times that of A_0 on. */
static double log_start(const nnd_pencil *p) {
    double least = -log(p->k[p->layers]), product = 0.0;
    for (size_t l = p->layers; l-- > 0; product += log(p->s[l]))
        least = fmin(least, product + log(p->s[l] / p->k[l]));
    return least - 0.5 * log1p(p->inv_alpha) - 30.0;
}

/* A bracket of the first minimum, found by walking up from small x where lambda falls. */
static bool bracket(curve *c, double log_max, double y[3]) {
    const double step = 0.02, first = log_start(c->pencil);
    double at[3] = {0.0, height(first, c), height(first + step, c)};
    for (double u = first + 2.0 * step; isfinite(first) && u < log_max; u += step) {
        at[0] = at[1];
        at[1] = at[2];
        at[2] = height(u, c);
        if (at[1] < at[0] && !(at[2] <= at[1] && at[2] > 0.0)) {
            y[0] = u - 2.0 * step;
            y[1] = u - step;
            y[2] = u;
            return at[2] > at[1];
        }
    }
    return false;
}

static nnd_status minimise(nnd_context *ctx, curve *c, const double y[3], double *log_x) {
    gsl_function f = {height, c};
    gsl_min_fminimizer *solver = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (solver == NULL)
        return nnd_fail_memory(ctx, "the bulk edge");
    int code = gsl_min_fminimizer_set(solver, &f, y[1], y[0], y[2]);
    for (int i = 0; code == GSL_SUCCESS && i < MAX_ITERATIONS; i++) {
        code = gsl_min_fminimizer_iterate(solver);
        if (gsl_min_test_interval(gsl_min_fminimizer_x_lower(solver),
                                  gsl_min_fminimizer_x_upper(solver), 1e-9, 0.0) == GSL_SUCCESS)
            break;
    }
    *log_x = gsl_min_fminimizer_x_minimum(solver);
    gsl_min_fminimizer_free(solver);
    return NND_OK;
}

nnd_status nnd_pencil_edge(nnd_context *ctx, const nnd_pencil *pencil, double *x, double *lambda) {
    size_t layers = pencil->layers;
    double *room = calloc(3 * layers + 2, sizeof *room);
    if (room == NULL)
        return nnd_fail_memory(ctx, "the bulk edge");
    curve c = {pencil, {.e = room, .b = room + layers + 1, .rest = room + 2 * layers + 1}};
    double y[3] = {0.0}, log_x = 0.0;
    nnd_status status =
        bracket(&c, -log(pencil->k[layers]), y)
            ? minimise(ctx, &c, y, &log_x)
            : nnd_fail(ctx, NND_E_INPUT,
                       "the pencil has no bulk edge in the range of double precision");
    if (status == NND_OK) {
        *x = exp(log_x);
        *lambda = height(log_x, &c);
    }
    free(room);
    return status;
}
