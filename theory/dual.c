/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/dual.h"

#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/plane_rule.h"
#include "solvers/pair_moments.h"

/* A pair's covariance. Smoothing is noise of its own on either argument, which widens the
 * variances. */
typedef struct {
    double uu, vv, uv;
} pair;

static nnd_dual_pair linear(const nnd_activation *a, pair c) {
    double s2 = a->scale * a->scale;
    return (nnd_dual_pair){s2 * c.uv, s2};
}

static nnd_dual_pair error_function(const nnd_activation *a, pair c) {
    double g2 = a->gain * a->gain, s2 = a->scale * a->scale, cross = 2.0 * g2 * c.uv;
    /* (1 + 2 g2 uu)(1 + 2 g2 vv) - cross^2, without cancellation where u and v are one. */
    double rest =
        1.0 + 2.0 * g2 * (c.uu + c.vv) + 4.0 * g2 * g2 * fmax(0.0, c.uu * c.vv - c.uv * c.uv);
    return (nnd_dual_pair){s2 / g2 * M_2_PI * atan2(cross, sqrt(rest)),
                           s2 * 2.0 * M_2_PI / sqrt(rest)};
}

static nnd_dual_pair relu(const nnd_activation *a, pair c) {
    double s2 = a->scale * a->scale, norm = sqrt(c.uu * c.vv);
    if (norm == 0.0)
        return (nnd_dual_pair){0.0, 0.0};
    double cosine = fmax(-1.0, fmin(1.0, c.uv / norm)), angle = acos(cosine);
    double rest = M_PI - angle;
    return (nnd_dual_pair){s2 * norm * (sin(angle) + rest * cosine) / (2.0 * M_PI),
                           s2 * rest / (2.0 * M_PI)};
}

/* ---- by quadrature ---- */

/* Nodes, and room for the functions at them. */
typedef struct {
    nnd_plane_rule rule;
    double *u, *v, *fu, *fv, *du, *dv;
} nodes;

/* Below this step the square has more nodes than panels that become finer towards the origin. */
static const double LEAST_STEP = 0.05;

/* tanh has its poles at pi/2 over the gain; with this step the rule's error, exp(-2 pi d/step) for
 * poles at distance d, is rounding. */
static double step_for(const nnd_activation *a, size_t n, const double *h) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, h[i * n + i] + a->smoothing * a->smoothing);
    return fmin(0.4, 0.28 / (a->gain * sqrt(largest) + 1e-300));
}

static nnd_status nodes_make(nnd_context *ctx, double step, nodes *k) {
    *k = (nodes){0};
    nnd_status status = nnd_plane_rule_square(ctx, step, &k->rule);
    double **const room[] = {&k->u, &k->v, &k->fu, &k->fv, &k->du, &k->dv};
    for (int i = 0; status == NND_OK && i < 6; i++) {
        *room[i] = malloc(k->rule.count * sizeof(double));
        if (*room[i] == NULL)
            status = nnd_fail_memory(ctx, "a quadrature");
    }
    return status;
}

static void nodes_clear(nodes *k) {
    nnd_plane_rule_clear(&k->rule);
    double *const room[] = {k->u, k->v, k->fu, k->fv, k->du, k->dv};
    for (int i = 0; i < 6; i++)
        free(room[i]);
}

static nnd_dual_pair average(const nnd_activation *a, pair c, nodes *k) {
    const nnd_plane_rule *r = &k->rule;
    nnd_activation sharp = *a;
    sharp.smoothing = 0.0;
    double length = sqrt(c.uu), along = c.uu > 0.0 ? c.uv / length : 0.0;
    double across = sqrt(fmax(c.vv - along * along, 0.0));
    for (size_t i = 0; i < r->count; i++) {
        k->u[i] = length * r->x[i];
        k->v[i] = along * r->x[i] + across * r->y[i];
    }
    nnd_activation_apply(&sharp, r->count, k->u, k->fu, k->du, NULL, NULL);
    nnd_activation_apply(&sharp, r->count, k->v, k->fv, k->dv, NULL, NULL);
    nnd_dual_pair out = {0.0, 0.0};
    for (size_t i = 0; i < r->count; i++) {
        out.phi += r->weight[i] * k->fu[i] * k->fv[i];
        out.slope += r->weight[i] * k->du[i] * k->dv[i];
    }
    return out;
}

/* Steep activations. A field without length stays at 0: a length of nothing will do. */
static nnd_status steep_average(nnd_context *ctx, const nnd_activation *a, pair c,
                                nnd_dual_pair *m) {
    const double nothing = 1e-30;
    nnd_activation sharp = *a;
    nnd_pair_moment features, slopes;
    sharp.smoothing = 0.0;
    nnd_status status = nnd_pair_moments(ctx, &sharp, fmax(c.uu, nothing), c.uv,
                                         fmax(c.vv, nothing), &features, &slopes);
    *m = (nnd_dual_pair){features.value, slopes.value};
    return status;
}

static nnd_status moments(nnd_context *ctx, const nnd_activation *a, pair c, nodes *k,
                          nnd_dual_pair *m) {
    switch ((nnd_activation_kind)a->name) {
    case NND_LINEAR:
        *m = linear(a, c);
        return NND_OK;
    case NND_ERF:
        *m = error_function(a, c);
        return NND_OK;
    case NND_RELU:
        *m = relu(a, c);
        return NND_OK;
    default:
        break;
    }
    if (k->rule.count == 0)
        return steep_average(ctx, a, c, m);
    *m = average(a, c, k);
    return NND_OK;
}

nnd_status nnd_dual_moments(nnd_context *ctx, const nnd_activation *activation, size_t n,
                            const double *h, double *phi, double *slope) {
    bool closed = activation->name == NND_LINEAR || activation->name == NND_ERF ||
                  activation->name == NND_RELU;
    double noise = activation->smoothing * activation->smoothing;
    nodes k = {0};
    double step = closed ? INFINITY : step_for(activation, n, h);
    nnd_status status = !closed && step >= LEAST_STEP ? nodes_make(ctx, step, &k) : NND_OK;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            if (nnd_context_interrupted(ctx)) {
                status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at pair %zu, %zu", i, j);
                break;
            }
            pair c = {h[i * n + i] + noise, h[j * n + j] + noise, h[i * n + j]};
            nnd_dual_pair m = {0.0, 0.0};
            status = moments(ctx, activation, c, &k, &m);
            if (status != NND_OK)
                break;
            phi[i * n + j] = phi[j * n + i] = m.phi;
            slope[i * n + j] = slope[j * n + i] = m.slope;
        }
    nodes_clear(&k);
    return status;
}
