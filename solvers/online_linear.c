/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/online_linear.h"

#include <math.h>
#include <stdlib.h>

#include "core/divergence.h"
#include "nndmft/solvers/linear_population.h"

/* Second moments of a symmetric 2 x 2 covariance. */
typedef struct {
    double xx, xy, yy;
} cov2;

/* J C J^T + strength v v^T. */
static cov2 propagate(const double j[2][2], cov2 c, double strength, const double v[2]) {
    double a = j[0][0] * c.xx + j[0][1] * c.xy, b = j[0][0] * c.xy + j[0][1] * c.yy;
    double d = j[1][0] * c.xx + j[1][1] * c.xy, e = j[1][0] * c.xy + j[1][1] * c.yy;
    return (cov2){
        .xx = a * j[0][0] + b * j[0][1] + strength * v[0] * v[0],
        .xy = a * j[1][0] + b * j[1][1] + strength * v[0] * v[1],
        .yy = d * j[1][0] + e * j[1][1] + strength * v[1] * v[1],
    };
}

/* Symmetric matrix of second moments of (h_1, w). */
typedef struct {
    double hh, ww, hw;
} moments;

/* M+ = A M A^T with A = ((1, a), (a, 1)). */
static moments mix(moments m, double a) {
    return (moments){
        .hh = m.hh + 2.0 * a * m.hw + a * a * m.ww,
        .ww = m.ww + 2.0 * a * m.hw + a * a * m.hh,
        .hw = (1.0 + a * a) * m.hw + a * (m.hh + m.ww),
    };
}

typedef struct {
    double gamma0, c;
    moments mean;      /* along the target */
    moments shift;     /* N bias caused by one direction across */
    cov2 across;       /* N covariance of (M_kw, M_k1) */
    cov2 batch_across; /* of the same, times the batch */
    double grown[2];   /* a, b of fluctuations.md#s2-1 */
    cov2 batch_along;  /* of (a, b), times the batch */
} state;

static void record(const state *s, nnd_online_linear_point *p) {
    double gamma = s->gamma0;
    p->perp_nvar = s->across.xx / (gamma * gamma);
    p->perp_bias = -s->shift.hw / gamma;
    p->perp_batch = s->batch_across.xx / (gamma * gamma);
    p->par_batch =
        (s->batch_along.xx - 2.0 * s->batch_along.xy + s->batch_along.yy) / (4.0 * gamma * gamma);
}

/* Second moments change by what one direction across does to them, before the others move. */
static moments shift_step(const state *s, double a) {
    moments m = s->mean, next = mix(s->shift, a);
    double c = s->c, alpha = -c * s->shift.hw / s->gamma0;
    next.hh += 2.0 * alpha * (m.hw + a * m.ww);
    next.ww += 2.0 * alpha * (m.hw + a * m.hh) -
               2.0 * c / s->gamma0 * (s->across.xx + a * s->across.xy) +
               c * c * s->across.xx / (s->gamma0 * s->gamma0);
    next.hw +=
        alpha * (m.hh + m.ww + 2.0 * a * m.hw) - c / s->gamma0 * (s->across.xy + a * s->across.xx);
    return next;
}

static void advance_batch_along(state *s, double delta) {
    double c = s->c, up = 1.0 + c * delta, down = 1.0 - c * delta, a = s->grown[0], b = s->grown[1];
    const double kick[2] = {2.0 * a * c * up, -2.0 * b * c * down};
    double back = 0.5 / s->gamma0;
    const double j[2][2] = {{up * up - kick[0] * back, kick[0] * back},
                            {-kick[1] * back, down * down + kick[1] * back}};
    s->batch_along = propagate(j, s->batch_along, 2.0 * delta * delta, kick);
    s->grown[0] = a * up * up;
    s->grown[1] = b * down * down;
}

static void advance(state *s, double delta) {
    double a = s->c * delta;
    /* The 1 is M_kk of the direction itself. */
    const double n[2] = {s->c * (1.0 + s->mean.ww + a * s->mean.hw),
                         s->c * (s->mean.hw + a * s->mean.ww)};
    const double j[2][2] = {{1.0 - n[0] / s->gamma0, a}, {a - n[1] / s->gamma0, 1.0}};
    moments shift = shift_step(s, a);
    s->across = propagate(j, s->across, 0.0, n);
    s->batch_across = propagate(j, s->batch_across, delta * delta, n);
    advance_batch_along(s, delta);
    s->mean = mix(s->mean, a);
    s->shift = shift;
}

static bool is_sound(const nnd_online_linear_point *p) {
    const double *value = (const double *)p;
    for (size_t i = 0; i < sizeof *p / sizeof *value; i++)
        if (!isfinite(value[i]))
            return false;
    return true;
}

nnd_status nnd_online_linear_run(nnd_context *ctx, double gamma0, double lr, size_t steps,
                                 nnd_online_linear_point *out, size_t *sound) {
    nnd_linear_point *along = calloc(steps + 1, sizeof *along);
    *sound = 0;
    if (along == NULL)
        return nnd_fail_memory(ctx, "the path along the target");
    state s = {.gamma0 = gamma0,
               .c = lr * gamma0,
               .mean = {1.0, 1.0, 0.0},
               .across = {1.0, 0.0, 1.0},
               .grown = {1.0, 1.0}};
    nnd_linear_single(1.0, 1.0, gamma0, lr, false, steps, along);
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, 1.0, 1.0);
    nnd_status status = NND_OK;
    for (size_t t = 0; t <= steps; t++, ++*sound) {
        if (t % 4096 == 0 && nnd_context_interrupted(ctx)) {
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %zu", t);
            break;
        }
        out[t] = (nnd_online_linear_point){.delta = along[t].delta,
                                           .ntk = along[t].ntk,
                                           .par_nvar = along[t].delta_nvar,
                                           .par_bias = along[t].delta_bias};
        record(&s, &out[t]);
        if (!is_sound(&out[t]) || nnd_has_diverged(limit, out[t].delta * out[t].delta))
            break;
        advance(&s, out[t].delta);
    }
    free(along);
    return status;
}

double nnd_online_linear_error_ncorr(const nnd_online_linear_point *p, double dim) {
    return p->par_nvar + (dim - 1.0) * p->perp_nvar +
           2.0 * p->delta * (p->par_bias + (dim - 1.0) * p->perp_bias);
}
