/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outside the support p = g_vv decreases with x, from fold to fold of x(p): its ends are where
 * dx/dp = 0 (many-outputs.md#eq10). Real solutions are followed in p, which passes folds smoothly.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "solvers/dyson_impl.h"

enum { STEPS = 2000, HALVINGS = 40, SHRINKINGS = 6 };
/* A step changes dx/dp by at most this part of it, so that no pair of folds is stepped over. */
static const double TURN = 0.5;

/* ---- one place ---- */

static nnd_status lost(nnd_context *ctx, const nnd_dyson_state *state) {
    return nnd_fail(ctx, NND_E_UNSOLVED,
                    "outside its support the spectrum of a pencil is not followed beyond z = %.10g",
                    creal(state->x) * creal(state->x));
}

/* Back to where the last step began. */
static void step_back(nnd_dyson_state *state, double complex x) {
    memcpy(state->g, state->before, state->map.size * sizeof *state->g);
    state->x = x;
    (void)nnd_dyson_evaluate(state); /* it was solved: that cannot fail */
}

/* Whether Newton's method stays close to the tangent, so that it does not change the branch: g
 * moves from where that leads by at most this part of the way there. */
static bool is_close(const nnd_dyson_state *state, double dp) {
    const double part = 0.5, rounding = 1e-9;
    double moved = 0.0, way = fabs(dp), size = 0.0;
    for (size_t i = 0; i < state->map.size; i++) {
        double complex tangent = dp * state->along[i];
        moved = fmax(moved, cabs(state->g[i] - state->before[i] - tangent));
        way = fmax(way, cabs(tangent));
        size = fmax(size, cabs(state->g[i]));
    }
    return moved <= part * way + rounding * size;
}

/* Moves to p along the tangent, then by Newton's method; false, and back, if that fails. */
static bool step_to(nnd_dyson_state *state, double p) {
    size_t n = state->map.size;
    double complex x = state->x;
    double dp = p - creal(state->g[state->map.v]);
    memcpy(state->before, state->g, n * sizeof *state->g);
    if (!nnd_dyson_tangent(state))
        return false;
    memcpy(state->along, state->by, (n + 1) * sizeof *state->by);
    for (size_t i = 0; i < n; i++)
        state->g[i] += dp * state->along[i];
    state->x += dp * state->along[n];
    if (nnd_dyson_newton_bordered(state, p) && is_close(state, dp))
        return true;
    step_back(state, x);
    return false;
}

nnd_status nnd_dyson_at_p(nnd_context *ctx, nnd_dyson_state *state, double p) {
    for (int k = 0; k < HALVINGS; k++) {
        double at = creal(state->g[state->map.v]), part = ldexp(1.0, -k);
        if (!step_to(state, at + part * (p - at)))
            continue;
        if (k == 0)
            return NND_OK;
        k = -1;
    }
    return lost(ctx, state);
}

/* dx/dp where the state is; NaN if it is not found. */
static double slope(nnd_dyson_state *state) {
    return nnd_dyson_tangent(state) ? creal(state->by[state->map.size]) : NAN;
}

/* ---- an end ---- */

/* Whatever is asked near an end is reached from one place before it. */
typedef struct {
    nnd_context *ctx;
    nnd_dyson_state *state;
    double complex x, *g;
} follower;

static nnd_status follow(follower *f, double p) {
    nnd_dyson_state *state = f->state;
    memcpy(state->g, f->g, state->map.size * sizeof *state->g);
    state->x = f->x;
    (void)nnd_dyson_evaluate(state);
    return nnd_dyson_at_p(f->ctx, state, p);
}

static double slope_at(double p, void *data) {
    follower *f = data;
    return follow(f, p) == NND_OK ? slope(f->state) : NAN;
}

/* x''(p) at p by central differences of x'(p) over h, h/2, h/4 and Richardson's extrapolation. */
static double curvature_over(follower *f, double p, double h, double *error) {
    double d[3];
    for (int k = 0; k < 3; k++, h *= 0.5)
        d[k] = (slope_at(p + h, f) - slope_at(p - h, f)) / (2.0 * h);
    double first = (4.0 * d[1] - d[0]) / 3.0, second = (4.0 * d[2] - d[1]) / 3.0;
    double best = (16.0 * second - first) / 15.0;
    *error = fabs(best - second);
    return best;
}

/* The same over less and less, as long as that makes it better. */
static double curvature(follower *f, double p, double h, double *error) {
    const double enough = 1e-8;
    double best = NAN;
    *error = INFINITY;
    for (int k = 0; k < SHRINKINGS && !(*error <= enough * fabs(best)); k++, h *= 0.25) {
        double e, bend = curvature_over(f, p, h, &e);
        if (isnan(e))
            continue; /* not so far */
        if (!(e < *error))
            break;
        *error = e;
        best = bend;
    }
    return best;
}

/* Near the fold x - x_e = x'' (p - p_e)^2/2, hence kappa = 1/(x_e sqrt(x_e |x''|)). */
static nnd_status measure(follower *f, double p, double reach, nnd_dyson_edge *edge) {
    const double part = 0.25;
    double error, bend = curvature(f, p, part * reach, &error);
    if (!(fabs(bend) > 0.0))
        return lost(f->ctx, f->state);
    nnd_status status = follow(f, p);
    if (status != NND_OK)
        return status;
    double x = creal(f->state->x);
    edge->z = x * x;
    edge->error = 2.0 * edge->z * f->state->report.change;
    edge->kappa = 1.0 / (x * sqrt(x * fabs(bend)));
    edge->kappa_error = 0.5 * edge->kappa * error / fabs(bend);
    return NND_OK;
}

/* The fold between the state, at p = `from`, and `to`. */
static nnd_status refine(nnd_context *ctx, nnd_dyson_state *state, double from, double to,
                         nnd_dyson_edge *edge) {
    size_t size = state->map.size * sizeof *state->g;
    follower f = {ctx, state, state->x, malloc(size)};
    if (f.g == NULL)
        return nnd_fail_memory(ctx, "an end of a support");
    memcpy(f.g, state->g, size);
    nnd_bracket bracket = {.low = fmin(from, to), .high = fmax(from, to)};
    nnd_status status = nnd_brent_root(ctx, slope_at, &f, 0.0, 8.0 * DBL_EPSILON, &bracket);
    if (status >= 0)
        status = measure(&f, bracket.x, fabs(to - from), edge);
    free(f.g);
    return status;
}

/* x is odd in p: x = x' p where there is nothing of the support between here and 0. What is missing
 * of that, over x; where p has the other sign this is above 1. */
static double from_zero(const nnd_dyson_state *state, double p, double turn) {
    double x = creal(state->x);
    return fabs(x - turn * p) / x;
}

/* How far to go from p next, where x' = turn and x'' is about `bend`: beyond the fold if that is
 * near, else a little more than before, and halfway to where x and p are 0. */
static double next_step(const nnd_dyson_state *state, const dyson_way *way, double p, double step,
                        double turn, double bend) {
    const double growth = 1.3, near = 2.0, before = 0.4, past = 1.2, close = 0.3;
    double fold = -turn / (way->direction * bend);
    if (fold > 0.0)
        step = fold < near * step ? past * fold : fmin(growth * step, before * fold);
    else
        step *= growth;
    bool to_zero = way->direction > 0.0 && from_zero(state, p, turn) < close;
    return to_zero ? fmin(step, 0.5 * fabs(p)) : step;
}

static bool reaches_zero(const nnd_dyson_state *state, const dyson_way *way, double p,
                         double turn) {
    const double part = 1e-3;
    return creal(state->x) <= way->floor ||
           (way->direction > 0.0 && from_zero(state, p, turn) <= part);
}

/* Whether the turn from one place to the next says that at most one fold is between. */
static bool is_smooth(double turn, double turned) {
    return turned > 0.0 ? turned <= -turn : fabs(turned - turn) <= TURN * fabs(turn);
}

nnd_status nnd_dyson_fold(nnd_context *ctx, nnd_dyson_state *state, const dyson_way *way,
                          nnd_dyson_edge *edge) {
    const double first = 0.2, least = 1e-13;
    double start = creal(state->g[state->map.v]), p = start, step = first * fabs(start);
    double turn = slope(state);
    nnd_status status = NND_OK;
    for (int k = 0; status == NND_OK && turn < 0.0 && step > least * fabs(start) && k < STEPS;
         k++) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at an end of a support");
        double next = p + way->direction * step;
        double complex x = state->x;
        bool there = step_to(state, next);
        double turned = there ? slope(state) : NAN;
        if (!is_smooth(turn, turned)) {
            if (there)
                step_back(state, x);
            step *= 0.5;
            continue;
        }
        if (turned >= 0.0) {
            step_back(state, x);
            return refine(ctx, state, p, next, edge);
        }
        if (reaches_zero(state, way, next, turned)) {
            *edge = (nnd_dyson_edge){0};
            return NND_OK;
        }
        step = next_step(state, way, next, step, turned, (turned - turn) / (next - p));
        p = next;
        turn = turned;
        status = way->visit == NULL ? NND_OK : way->visit(ctx, state, p, way->data);
    }
    return status == NND_OK ? lost(ctx, state) : status;
}

/* From far up the imaginary axis around to as far out on the real one. */
nnd_status nnd_dyson_go_far(nnd_context *ctx, nnd_dyson_state *state) {
    const double beyond = 64.0;
    double far = beyond * state->scale;
    nnd_status status = nnd_dyson_move(ctx, state, far * I);
    if (status == NND_OK)
        status = nnd_dyson_move(ctx, state, far);
    if (status == NND_OK && !nnd_dyson_is_outside(state))
        return lost(ctx, state);
    return status;
}

nnd_status nnd_dyson_upper_edge(nnd_context *ctx, const nnd_dyson *pencil, nnd_dyson_edge *edge) {
    nnd_dyson_state *state = NULL;
    nnd_status status = nnd_dyson_start(ctx, pencil, &state);
    if (status == NND_OK)
        status = nnd_dyson_go_far(ctx, state);
    if (status == NND_OK)
        status = nnd_dyson_fold(ctx, state, &(dyson_way){.direction = 1.0}, edge);
    if (status == NND_OK && edge->z == 0.0)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "the spectrum of a pencil is 0 alone");
    nnd_dyson_state_free(state);
    return status;
}
