/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/pencil.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "nndmft/solvers/brent.h"

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

/* A bracket of the first minimum, found by walking up from small x where lambda falls. The last
 * scale ends at x = 1/k, which the minimum may be close to: steps shrink with the distance. */
static bool first_minimum(curve *c, nnd_bracket *b, double at[3]) {
    const double step = 0.02, nearest = 1e-10, first = log_start(c->pencil);
    const double log_max = -log(c->pencil->k[c->pencil->layers]);
    double u[3] = {NAN, first, first + step};
    at[1] = height(u[1], c);
    at[2] = height(u[2], c);
    while (isfinite(first) && log_max - u[2] > nearest) {
        double next = u[2] + step * fmin(1.0, log_max - u[2]);
        for (size_t i = 0; i < 2; i++) {
            u[i] = u[i + 1];
            at[i] = at[i + 1];
        }
        u[2] = next;
        at[2] = height(next, c);
        if (at[1] < at[0] && !(at[2] <= at[1] && at[2] > 0.0)) {
            *b = (nnd_bracket){u[0], u[2], u[1]};
            return at[2] > at[1];
        }
    }
    return false;
}

nnd_status nnd_pencil_edge(nnd_context *ctx, const nnd_pencil *pencil, double *x, double *lambda) {
    size_t layers = pencil->layers;
    double *room = calloc(3 * layers + 2, sizeof *room);
    if (room == NULL)
        return nnd_fail_memory(ctx, "the bulk edge");
    curve c = {pencil, {.e = room, .b = room + layers + 1, .rest = room + 2 * layers + 1}};
    double at[3] = {0.0};
    nnd_bracket b = {0.0, 0.0, 0.0};
    nnd_status status =
        first_minimum(&c, &b, at)
            ? nnd_brent_minimum(ctx, height, &c, 1e-9, 0.0, at, &b)
            : nnd_fail(ctx, NND_E_INPUT,
                       "the pencil has no bulk edge in the range of double precision");
    if (status == NND_NOT_CONVERGED)
        status = nnd_fail(ctx, NND_E_INPUT, "the search for a bulk edge does not converge");
    if (status == NND_OK) {
        *x = exp(b.x);
        *lambda = height(b.x, &c);
    }
    free(room);
    return status;
}
