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
    for (size_t l = top; l-- > 0;) {
        double below = 1.0 - point->b[l] * point->e[l + 1];
        point->e[l] = p->k[l] + p->s[l] * p->aspect[l] * point->e[l + 1] / below;
        double next = point->b[l] / (p->s[l] + point->b[l] * point->e[l]);
        if (l > 0)
            point->b[l - 1] = next;
        else
            point->d = next;
    }
    point->lambda = 1.0 / point->d + p->inv_alpha * point->e[0] / (1.0 - point->d * point->e[0]);
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

/* A bracket of the first minimum, found by walking up from small x where lambda falls. */
static bool bracket(curve *c, double log_max, double y[3]) {
    const double step = 0.02, first = log_max - 40.0;
    double at[3] = {0.0, height(first, c), height(first + step, c)};
    for (double u = first + 2.0 * step; u < log_max; u += step) {
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
    curve c = {pencil,
               {calloc(pencil->layers + 1, sizeof(double)), calloc(pencil->layers, sizeof(double)),
                0.0, 0.0}};
    double y[3] = {0.0}, log_x = 0.0;
    nnd_status status = NND_OK;
    if (c.point.e == NULL || c.point.b == NULL)
        status = nnd_fail_memory(ctx, "the bulk edge");
    else if (!bracket(&c, -log(pencil->k[pencil->layers]), y))
        status = nnd_fail(ctx, NND_E_INPUT, "the pencil has no bulk edge");
    if (status == NND_OK)
        status = minimise(ctx, &c, y, &log_x);
    if (status == NND_OK) {
        *x = exp(log_x);
        *lambda = height(log_x, &c);
    }
    free(c.point.e);
    free(c.point.b);
    return status;
}
