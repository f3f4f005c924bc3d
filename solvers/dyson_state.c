/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The solution at one x: fixed point, Newton's method, continuation. many-outputs.md#s4-4. */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/largest.h"
#include "solvers/dyson_impl.h"

/* Corrections are this much of g where Newton's method ends; or no longer get smaller, below the
 * other. */
static const double SETTLED = 4.0 * DBL_EPSILON, SMALL = 1e-9;
/* What is left of a linear system, so that corrections go from 1e-3 to 1e-6 to 1e-12. */
static const double LINEAR = 1e-7;
/* Eigenvalues of -Im g below 0 by this much of g are no rounding. */
static const double NEGATIVE = 1e-9;
/* On the real axis, where -Im g >= 0 does not single out the physical branch, no step changes g by
 * more than this much of it. */
static const double LEAP = 0.3;
/* Far up: |x g_uu - 1| and |x g_vv - 1| are below this. */
static const double FAR = 0.25;
enum { NEWTON = 12, KRYLOV = 400, FIXED_POINT = 2000, DOUBLINGS = 60, STEPS = 500 };

static double largest(size_t n, const double complex *a) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++)
        most = nnd_largest(most, fmax(fabs(creal(a[i])), fabs(cimag(a[i]))));
    return most;
}

/* ---- making ---- */

void nnd_dyson_state_free(nnd_dyson_state *state) {
    if (state == NULL)
        return;
    nnd_dyson_map_clear(&state->map);
    nnd_dyson_resolvent_clear(&state->r);
    nnd_krylov_clear(&state->krylov);
    free(state->g);
    free(state->start);
    free(state->before);
    free(state->along);
    free(state->sigma);
    free(state->rest);
    free(state->by);
    free(state);
}

static nnd_status make(nnd_context *ctx, const nnd_dyson *pencil, nnd_dyson_state **made) {
    nnd_dyson_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return nnd_fail_memory(ctx, "a pencil");
    state->pencil = pencil;
    nnd_status status = nnd_dyson_map_make(ctx, pencil, &state->map);
    if (status == NND_OK)
        status = nnd_dyson_resolvent_make(ctx, &state->map, &state->r);
    size_t n = state->map.size + 1;
    if (status == NND_OK)
        status = nnd_krylov_make(ctx, n, KRYLOV, &state->krylov);
    state->g = calloc(n, sizeof *state->g);
    state->start = calloc(n, sizeof *state->start);
    state->before = calloc(n, sizeof *state->before);
    state->along = calloc(n, sizeof *state->along);
    state->sigma = calloc(n, sizeof *state->sigma);
    state->rest = calloc(n, sizeof *state->rest);
    state->by = calloc(n, sizeof *state->by);
    if (status == NND_OK &&
        (state->g == NULL || state->start == NULL || state->before == NULL ||
         state->along == NULL || state->sigma == NULL || state->rest == NULL || state->by == NULL))
        status = nnd_fail_memory(ctx, "a pencil");
    if (status == NND_OK)
        *made = state;
    else
        nnd_dyson_state_free(state);
    return status;
}

/* ---- checks ---- */

/* The least eigenvalue of -Im g over all spaces; NaN if it is not found. */
static double least_eigenvalue(nnd_dyson_state *state) {
    const dyson_map *map = &state->map;
    double least = INFINITY;
    for (size_t s = 0; s < map->spaces; s++) {
        size_t n = map->side[s];
        double *a = (double *)state->r.room[0], *eigenvalue = (double *)state->r.room[1];
        for (size_t i = 0; i < n * n; i++)
            a[i] = -cimag(state->g[map->offset[s] + i]);
        if (n == 0)
            continue;
        if (LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'U', (lapack_int)n, a, (lapack_int)n,
                          eigenvalue) != 0)
            return NAN;
        least = fmin(least, eigenvalue[0]);
    }
    return least;
}

/* Notes how well the equation is solved; true on the physical branch. */
static bool is_physical(nnd_dyson_state *state) {
    double size = largest(state->map.size, state->g);
    state->report.least = least_eigenvalue(state) / size;
    return state->report.least >= -NEGATIVE;
}

bool nnd_dyson_is_outside(const nnd_dyson_state *state) {
    return cimag(state->x) == 0.0 &&
           fabs(cimag(state->g[state->map.v])) <= NEGATIVE * cabs(state->g[state->map.v]);
}

/* ---- Newton's method ---- */

/* The derivative of g - F[g] with g, at r. */
static void plain(const double complex *x, double complex *y, void *data) {
    nnd_dyson_state *state = data;
    nnd_dyson_self_energy(&state->map, x, state->sigma);
    nnd_dyson_change(&state->map, &state->r, state->sigma, y);
    for (size_t i = 0; i < state->map.size; i++)
        y[i] = x[i] - y[i];
}

/* The size of g_vv; outside the support it may pass 0. */
static double size_of_p(const nnd_dyson_state *state) {
    const double least = 1e-3;
    return cabs(state->g[state->map.v]) + least / cabs(state->x);
}

/* That of (g - F[g, x], g_vv over its size) with g and x/|x|, which stands behind g: far out x and
 * g_vv are of different size. */
static void bordered(const double complex *x, double complex *y, void *data) {
    nnd_dyson_state *state = data;
    size_t n = state->map.size;
    nnd_dyson_self_energy(&state->map, x, state->sigma);
    for (size_t i = 0; i < n; i++)
        state->sigma[i] -= x[n] * cabs(state->x) * state->map.spectral[i];
    nnd_dyson_change(&state->map, &state->r, state->sigma, y);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] - y[i];
    y[n] = x[state->map.v] / size_of_p(state);
}

/* F at g and x, and F - g into state->rest. */
bool nnd_dyson_evaluate(nnd_dyson_state *state) {
    size_t n = state->map.size;
    nnd_dyson_self_energy(&state->map, state->g, state->sigma);
    if (!nnd_dyson_invert(&state->map, state->x, state->sigma, &state->r))
        return false;
    for (size_t i = 0; i < n; i++)
        state->rest[i] = state->r.f[i] - state->g[i];
    state->report.residual = largest(n, state->rest) / largest(n, state->g);
    return true;
}

/* Newton's method for g, and for x if there is a `p` that g_vv is to be. */
static bool newton(nnd_dyson_state *state, const double complex *p) {
    size_t n = state->map.size, unknowns = p == NULL ? n : n + 1;
    double last = INFINITY;
    for (int k = 0; k < NEWTON; k++) {
        if (!nnd_dyson_evaluate(state))
            return false;
        if (p != NULL)
            state->rest[n] = (*p - state->g[state->map.v]) / size_of_p(state);
        double left = nnd_gmres(&state->krylov, unknowns, p == NULL ? plain : bordered, state,
                                state->rest, LINEAR, state->by);
        if (!(left < 1.0))
            return false;
        if (p != NULL)
            state->x += state->by[n] * cabs(state->x);
        for (size_t i = 0; i < n; i++)
            state->g[i] += state->by[i];
        state->report.solved++;
        double change = largest(n, state->by) / largest(n, state->g);
        if (p != NULL)
            change = nnd_largest(change, cabs(state->by[n]));
        state->report.change = nnd_largest(change, DBL_EPSILON);
        if (!isfinite(change))
            return false;
        if (change <= SETTLED || (change <= SMALL && change >= 0.25 * last))
            return nnd_dyson_evaluate(state);
        last = change;
    }
    return false;
}

bool nnd_dyson_newton_bordered(nnd_dyson_state *state, double complex p) {
    return newton(state, &p);
}

bool nnd_dyson_tangent(nnd_dyson_state *state) {
    const double exact = 1e-11, enough = 1e-8;
    size_t n = state->map.size;
    memset(state->rest, 0, n * sizeof *state->rest);
    state->rest[n] = 1.0 / size_of_p(state);
    double left = nnd_gmres(&state->krylov, n + 1, bordered, state, state->rest, exact, state->by);
    state->by[n] *= cabs(state->x);
    return left <= enough;
}

/* ---- far up the imaginary axis ---- */

/* g <- (g + F(g))/2 until it settles. */
static bool fixed_point(nnd_dyson_state *state) {
    const double tolerance = 1e-12;
    const dyson_map *map = &state->map;
    memset(state->g, 0, map->size * sizeof *state->g);
    for (size_t s = 0; s < map->spaces; s++)
        for (size_t i = 0; i < map->side[s]; i++)
            state->g[map->offset[s] + i * (map->side[s] + 1)] = -I / cabs(state->x);
    for (int k = 0; k < FIXED_POINT; k++) {
        if (!nnd_dyson_evaluate(state) || !isfinite(state->report.residual))
            return false;
        for (size_t i = 0; i < map->size; i++)
            state->g[i] += 0.5 * state->rest[i];
        if (state->report.residual <= tolerance)
            return true;
    }
    return false;
}

/* |x g - 1| of u and v. */
static double distance_from_far(const nnd_dyson_state *state) {
    return fmax(cabs(state->x * state->g[state->map.u] - 1.0),
                cabs(state->x * state->g[state->map.v] - 1.0));
}

nnd_status nnd_dyson_start(nnd_context *ctx, const nnd_dyson *pencil, nnd_dyson_state **made) {
    nnd_dyson_state *state = NULL;
    nnd_status status = nnd_dyson_check(ctx, pencil);
    if (status == NND_OK)
        status = make(ctx, pencil, &state);
    if (status != NND_OK)
        return status;
    state->x = 0.125 * I;
    for (int k = 0; k < DOUBLINGS; k++, state->x *= 2.0) {
        if (!fixed_point(state) || !newton(state, NULL) || !is_physical(state))
            continue;
        state->report.asymptotic = distance_from_far(state);
        if (state->report.asymptotic <= FAR) {
            state->scale = cabs(state->x);
            memcpy(state->start, state->g, state->map.size * sizeof *state->g);
            *made = state;
            return NND_OK;
        }
    }
    nnd_dyson_state_free(state);
    return nnd_fail(
        ctx, NND_E_UNSOLVED,
        "the matrix Dyson equation of a pencil is not solved far up the imaginary axis");
}

void nnd_dyson_return(nnd_dyson_state *state) {
    state->x = state->scale * I;
    memcpy(state->g, state->start, state->map.size * sizeof *state->g);
}

/* ---- continuation ---- */

/* Imaginary parts that are rounding, or denormal numbers, which cost a hundred times as much. */
static bool make_real(nnd_dyson_state *state) {
    for (size_t i = 0; i < state->map.size; i++)
        state->g[i] = creal(state->g[i]);
    return nnd_dyson_evaluate(state);
}

/* g at x from g before, if Newton's method gets there on the physical branch; to be undone if not.
 */
static bool leap(nnd_dyson_state *state, double complex x) {
    size_t n = state->map.size;
    state->x = x;
    memcpy(state->before, state->g, n * sizeof *state->g);
    if (!newton(state, NULL) || !is_physical(state))
        return false;
    if (cimag(x) > 0.0)
        return true;
    for (size_t i = 0; i < n; i++)
        state->by[i] = state->g[i] - state->before[i];
    return largest(n, state->by) <= LEAP * largest(n, state->g) &&
           (!nnd_dyson_is_outside(state) || make_real(state));
}

static void undo(nnd_dyson_state *state, double complex x) {
    memcpy(state->g, state->before, state->map.size * sizeof *state->g);
    state->x = x;
}

/* Along a straight line. */
static nnd_status go(nnd_context *ctx, nnd_dyson_state *state, double complex x) {
    const double growth = 1.7, least = 1e-12;
    double complex from = state->x;
    double done = 0.0, step = 1.0;
    for (int k = 0; k < STEPS && step > least; k++) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted in a pencil");
        double next = fmin(done + step, 1.0);
        double complex here = state->x;
        if (leap(state, next < 1.0 ? from + next * (x - from) : x)) {
            if (next == 1.0)
                return NND_OK;
            done = next;
            step *= growth;
            continue;
        }
        undo(state, here);
        step *= 0.5;
    }
    return nnd_fail(ctx, NND_E_UNSOLVED,
                    "the matrix Dyson equation is not solved on the way to x = %.10g%+.10gi; it "
                    "was at %.10g%+.10gi",
                    creal(x), cimag(x), creal(state->x), cimag(state->x));
}

/* Above x, high enough that all is smooth there: real x are approached, and left, that way. */
static double complex above(const nnd_dyson_state *state, double complex x) {
    const double line = 0.1;
    return CMPLX(creal(x), fmax(cimag(x), line * fmin(state->scale, cabs(x))));
}

/* Goes from one real x inside the support to another near by, where -Im g > 0 singles out the
 * branch as it does above the axis. */
static bool is_neighbour(nnd_dyson_state *state, double complex x) {
    const double near = 0.2;
    double complex from = state->x;
    bool inside = cimag(from) == 0.0 && cimag(x) == 0.0 && !nnd_dyson_is_outside(state);
    if (!inside || cabs(x - from) > near * cabs(from))
        return false;
    if (leap(state, x) && !nnd_dyson_is_outside(state))
        return true;
    undo(state, from);
    return false;
}

nnd_status nnd_dyson_move(nnd_context *ctx, nnd_dyson_state *state, double complex x) {
    if (!(cimag(x) >= 0.0 && cabs(x) > 0.0 && isfinite(creal(x)) && isfinite(cimag(x))))
        return nnd_fail(ctx, NND_E_INPUT, "a pencil at x = %.10g%+.10gi; x != 0, Im x >= 0",
                        creal(x), cimag(x));
    if (is_neighbour(state, x))
        return NND_OK;
    const double complex way[] = {above(state, state->x), above(state, x), x};
    nnd_status status = NND_OK;
    for (int i = 0; status == NND_OK && i < 3; i++)
        if (way[i] != state->x)
            status = go(ctx, state, way[i]);
    return status;
}

double complex nnd_dyson_place(const nnd_dyson_state *state) {
    return state->x;
}

double complex nnd_dyson_element(const nnd_dyson_state *state, size_t i, size_t j) {
    const nnd_dyson *p = state->pencil;
    if (i >= p->blocks || j >= p->blocks || p->block[i].space != p->block[j].space)
        return 0.0;
    return state->g[nnd_dyson_element_of(p, &state->map, i, j)];
}

nnd_dyson_report nnd_dyson_report_of(const nnd_dyson_state *state) {
    return state->report;
}
