/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient flow: directional.md#eq5 for balanced layers, and directional.md#eq7 for two layers in
 * the limit of small steps, over u = log(1 + t), in which the solution is smooth from 0 to any
 * time. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/ode.h"
#include "theory/directional_pair.h"
#include "theory/directional_polar.h"

static const double TOLERANCE = 1e-12, PAIR_TOLERANCE = 1e-13;
/* What F^T a is off by, relative to |F| |a|, where its parts cancel: runs at other tolerances, and
 * of other compilers, differ by some 40 tolerances. */
static const double PAIR_ERROR = 40.0 * PAIR_TOLERANCE;

/* A balanced network: (log omega, zeta). One layer alone passes through or near w = 0 without
 * slowing down, and is (w . v, log |w_perp|). */
typedef struct {
    const nnd_logistic *averages;
    double c0, depth;
    double straight; /* -inf or inf: zeta, which stays so; 0: neither */
} balanced;

/* d log omega/dt and d zeta/dt. */
static void balanced_rates(const balanced *b, double omega, double zeta, double *norm,
                           double *angle) {
    double speed = pow(omega, 1.0 - 2.0 / b->depth);
    double gap = nnd_directional_gap(zeta);
    *norm = b->depth * speed * (nnd_logistic_at(b->averages, omega).delta - b->c0 * gap);
    *angle = -b->c0 * speed;
}

static bool balanced_rhs(double u, const double *y, double *dydu, void *data) {
    const balanced *b = data;
    double zeta = b->straight != 0.0 ? b->straight : y[1];
    balanced_rates(b, exp(y[0]), zeta, &dydu[0], &dydu[1]);
    dydu[0] *= exp(u);
    dydu[1] *= b->straight != 0.0 ? 0.0 : exp(u);
    return true;
}

static bool single_rhs(double u, const double *y, double *dydu, void *data) {
    const balanced *b = data;
    double omega, zeta;
    nnd_directional_polar(y[0], b->straight != 0.0 ? -INFINITY : y[1], &omega, &zeta);
    nnd_logistic_averages at = nnd_logistic_at(b->averages, omega);
    double gap = omega > 0.0 ? nnd_directional_gap(zeta) : 0.0;
    double pull = gap < 1.0 ? at.delta + at.h * gap : b->c0 - at.slope * y[0];
    dydu[0] = (omega > 0.0 ? pull : b->c0) * exp(u);
    dydu[1] = b->straight != 0.0 ? 0.0 : -at.slope * exp(u);
    return true;
}

static void balanced_place(const balanced *b, const double *y, double *omega, double *zeta) {
    if (b->depth > 1.0) {
        *omega = exp(y[0]);
        *zeta = b->straight != 0.0 ? b->straight : y[1];
    } else {
        nnd_directional_polar(y[0], b->straight != 0.0 ? -INFINITY : y[1], omega, zeta);
    }
}

/* Of the sign of the force on the norm, which turns upwards once: where it is 0, it grows with
 * cos theta. Where one matrix is 0 it is c0. */
static double balanced_force(double u, const double *y, void *data) {
    const balanced *b = data;
    double omega, zeta;
    (void)u;
    balanced_place(b, y, &omega, &zeta);
    double gap = isnan(zeta) ? 0.0 : nnd_directional_gap(zeta);
    return nnd_logistic_at(b->averages, omega).delta - b->c0 * gap;
}

static void balanced_point(const balanced *b, double t, const double *y,
                           nnd_directional_point *point) {
    balanced_place(b, y, &point->omega, &point->zeta);
    double norm, angle, nls = nnd_directional_neg_log_sin(point->zeta);
    balanced_rates(b, point->omega, point->zeta, &norm, &angle);
    point->sign = b->straight != 0.0 ? 0.0 : 1.0;
    point->omega_exponent = point->omega > 0.0 ? t * norm : NAN;
    point->angle_exponent = isfinite(nls) ? t * tanh(point->zeta) * angle / nls : NAN;
    point->multiplier = NAN;
}

static nnd_ode_options balanced_problem(const nnd_directional_path *path, balanced *b, double *y) {
    const nnd_directional *p = path->params;
    double at = p->theta0;
    *b = (balanced){path->averages, path->constants.c0, (double)p->depth, 0.0};
    /* The double nearest to pi stands for pi; without a length there is no direction. */
    if (at == 0.0 || at >= M_PI || p->omega0 == 0.0)
        b->straight = at >= M_PI ? INFINITY : -INFINITY;
    bool single = p->depth == 1;
    y[0] = single ? p->omega0 * cos(at) : log(p->omega0);
    y[1] = b->straight != 0.0 ? 0.0 : single ? log(p->omega0 * sin(at)) : log(tan(0.5 * at));
    return (nnd_ode_options){.dim = 2,
                             .rhs = single ? single_rhs : balanced_rhs,
                             .user = b,
                             .rtol = TOLERANCE,
                             .atol = TOLERANCE};
}

/* Two layers from any start. Their slow drift under fast relaxation is stiff in log t. */
static bool pair_rhs(double u, const double *y, double *dydu, void *data) {
    nnd_directional_pair *pair = data;
    size_t n = pair->units * (pair->units + 2);
    memcpy(pair->f, y, n * sizeof(double));
    nnd_directional_pair_settle(pair);
    nnd_directional_pair_rate(pair, dydu);
    cblas_dscal((int)n, exp(u), dydu, 1);
    return true;
}

/* From the rates of w . v = p . a and of w_perp = F^T a. */
static void pair_point(nnd_directional_pair *pair, double t, const double *y, double *rate,
                       nnd_directional_point *point) {
    int k = (int)pair->units;
    (void)pair_rhs(0.0, y, rate, pair);
    const double *df = rate, *dp = df + k * k, *da = dp + k;
    double along = cblas_ddot(k, dp, 1, pair->a, 1) + cblas_ddot(k, pair->p, 1, da, 1);
    double across = cblas_dnrm2(k, pair->r, 1), slope = 0.0;
    for (int j = 0; j < k; j++)
        for (int i = 0; i < k; i++)
            slope += pair->r[j] * (df[i * k + j] * pair->a[i] + pair->f[i * k + j] * da[i]);
    double norm = (pair->along * along + slope) / (pair->omega * pair->omega);
    double nls = nnd_directional_neg_log_sin(pair->zeta);
    /* An angle is known to a hundredth, or not at all. */
    double largest = cblas_dnrm2(k * k, pair->f, 1) * cblas_dnrm2(k, pair->a, 1);
    if (k > 1 && across < 100.0 * PAIR_ERROR * largest)
        pair->zeta = NAN;
    *point = (nnd_directional_point){.omega = pair->omega,
                                     .zeta = pair->zeta,
                                     .sign = nnd_directional_pair_sign(pair),
                                     .omega_exponent = NAN,
                                     .angle_exponent = NAN,
                                     .multiplier = NAN};
    if (pair->omega > 0.0)
        point->omega_exponent = t * norm;
    /* A relative error of |F^T a| counts t times in its logarithmic rate. */
    bool resolved = PAIR_ERROR * largest / across * t < 0.01;
    if (isfinite(pair->zeta) && (k == 1 || resolved))
        point->angle_exponent = t * (norm - slope / (across * across)) / nls;
}

static nnd_ode_options pair_problem(nnd_directional_pair *pair, double *y, double *atol) {
    size_t k = pair->units, n = k * (k + 2);
    memcpy(y, pair->f, n * sizeof(double));
    for (size_t i = 0; i < n; i++)
        atol[i] = k == 1 && i == 0 ? 0.0 : 1e-3 * PAIR_TOLERANCE;
    return (nnd_ode_options){.dim = n,
                             .rhs = pair_rhs,
                             .user = pair,
                             .stiff = true,
                             .rtol = PAIR_TOLERANCE,
                             .atol_each = atol};
}

/* Solves over u and writes the solution at the recorded times, count x dim. */
static nnd_status solve(nnd_context *ctx, nnd_directional_path *path, const nnd_ode_options *o,
                        const double *start, double *y) {
    nnd_ode *ode = NULL;
    double *u = calloc(path->count, sizeof *u);
    nnd_status status = u != NULL ? nnd_ode_new(ctx, o, &ode) : nnd_fail_memory(ctx, "the flow");
    for (size_t i = 0; u != NULL && i < path->count; i++)
        u[i] = log1p(path->t[i]);
    if (status == NND_OK)
        status = nnd_ode_run(ode, 0.0, start, path->count, u, y);
    if (ode != NULL) {
        nnd_ode_stats stats = nnd_ode_statistics(ode);
        path->effort = (nnd_directional_effort){o->rtol, stats.steps, stats.rejected,
                                                stats.evaluations, expm1(stats.reached)};
    }
    nnd_ode_free(ode);
    free(u);
    return status;
}

/* Runs up to the event, and to its time again for what is there. A flow that the solver gives up
 * before does not turn. */
static nnd_status find_turn(nnd_context *ctx, nnd_ode_options o, const double *start, double end,
                            double *u, double *y) {
    const nnd_ode_event turns = {balanced_force, 1};
    nnd_ode *ode = NULL;
    o.event_count = 1;
    o.events = &turns;
    nnd_status status = nnd_ode_new(ctx, &o, &ode);
    if (status == NND_OK)
        status = nnd_ode_run(ode, 0.0, start, 1, &end, y);
    nnd_ode_stats found = ode != NULL ? nnd_ode_statistics(ode) : (nnd_ode_stats){0};
    nnd_ode_free(ode);
    if (status < NND_OK || !found.stopped)
        return status < NND_OK ? status : NND_OK;
    *u = found.reached;
    o.event_count = 0;
    ode = NULL;
    status = nnd_ode_new(ctx, &o, &ode);
    if (status == NND_OK)
        status = nnd_ode_run(ode, 0.0, start, 1, u, y);
    nnd_ode_free(ode);
    return status < NND_OK ? status : NND_OK;
}

static nnd_status balanced_turn(nnd_context *ctx, nnd_directional_path *path, const balanced *b,
                                const nnd_ode_options *o, const double *start) {
    double u = NAN, y[2] = {start[0], start[1]};
    nnd_status status = NND_OK;
    if (balanced_force(0.0, start, o->user) >= 0.0)
        u = 0.0;
    else
        status = find_turn(ctx, *o, start, log1p(path->t[path->count - 1]), &u, y);
    if (status != NND_OK || isnan(u))
        return status;
    path->turn.time = expm1(u);
    balanced_place(b, y, &path->turn.omega, &path->turn.zeta);
    if (isnan(path->turn.zeta)) /* one matrix, straight through 0: no direction there */
        path->turn.zeta = INFINITY;
    return NND_OK;
}

nnd_status nnd_directional_flow(nnd_context *ctx, nnd_directional_path *path) {
    bool given = path->params->init.kind == NND_START_GIVEN;
    nnd_directional_pair pair = {0};
    balanced b;
    nnd_status status = given ? nnd_directional_pair_make(ctx, path, &pair) : NND_OK;
    size_t n = given ? pair.units * (pair.units + 2) : 2;
    double *start = calloc(3 * n, sizeof *start);
    double *y = calloc(path->count * n, sizeof *y);
    if (status == NND_OK && (start == NULL || y == NULL))
        status = nnd_fail_memory(ctx, "the flow");
    if (status == NND_OK) {
        nnd_ode_options o =
            given ? pair_problem(&pair, start, start + n) : balanced_problem(path, &b, start);
        status = given ? NND_OK : balanced_turn(ctx, path, &b, &o, start);
        if (status == NND_OK)
            status = solve(ctx, path, &o, start, y);
    }
    for (size_t i = 0; status >= NND_OK && i < path->count && !isnan(y[i * n]); i++) {
        if (given)
            pair_point(&pair, path->t[i], y + i * n, start + 2 * n, &path->point[i]);
        else
            balanced_point(&b, path->t[i], y + i * n, &path->point[i]);
        nnd_directional_point *point = &path->point[i];
        point->time = path->t[i];
        point->blind = isfinite(point->zeta) && !nnd_directional_resolved(path, point);
        path->sound = i + 1;
    }
    free(start);
    free(y);
    nnd_directional_pair_clear(&pair);
    return status;
}
