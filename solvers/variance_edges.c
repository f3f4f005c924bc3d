/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges of the spectrum of a variance profile: where z, followed outside of the support as a
 * function of m, turns back. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "solvers/cmplx.h"
#include "solvers/variance_profile_impl.h"

/* A real solution outside of the support. */
typedef struct {
    nnd_variance_profile *p;
    double complex *v, *trial;
    double z, m, slope, bend; /* the latter: d z/d m, d^2 z/d m^2 */
} branch;

/* v and 1/r keep their signs on a branch: a solution with others lies beyond a pole. */
static bool same_branch(const branch *b) {
    nnd_variance_profile *p = b->p;
    double complex *from = p->row, *to = p->row + p->rows;
    for (size_t j = 0; j < p->cols; j++)
        if (!(creal(b->v[j]) * creal(b->trial[j]) > 0.0))
            return false;
    nnd_variance_rows(p, b->v, from);
    nnd_variance_rows(p, b->trial, to);
    for (size_t i = 0; i < p->rows; i++)
        if (!(creal(from[i]) * creal(to[i]) > 0.0))
            return false;
    return true;
}

/* The solution at m: v into `trial`, the rest into `at`. */
static bool try_at(branch *b, double m, branch *at) {
    memcpy(b->trial, b->v, b->p->cols * sizeof *b->v);
    *at = *b;
    at->m = m;
    return nnd_variance_where(b->p, m, &at->z, b->trial, &at->slope, &at->bend) && same_branch(b);
}

static double slope_at(double m, void *data) {
    branch at;
    return try_at(data, m, &at) ? at.slope : NAN;
}

/* Goes along m until the slope changes sign: the next m is in *turned. */
static bool find_turn(branch *b, double direction, double *turned) {
    enum { STEPS = 400 };
    const double grow = 1.5, first = 0.1;
    double step = first * fmin(fabs(b->m), fabs(b->z) / b->slope);
    for (int k = 0; k < STEPS; k++) {
        branch next;
        if (!try_at(b, b->m + direction * step, &next)) {
            step *= 0.5;
            continue;
        }
        *turned = next.m;
        if (next.slope <= 0.0)
            return true;
        memcpy(b->v, b->trial, b->p->cols * sizeof *b->v);
        *b = next;
        step *= grow;
    }
    return false;
}

/* The edge to which z falls or rises from a branch. There z - z_e = z'' (m - m_e)^2/2. */
static nnd_status fold(nnd_context *ctx, branch *b, double direction, nnd_edge *edge) {
    const double near = 1e-4, rounding = 1e-12;
    double share = b->p->share, turned;
    branch e, beside;
    if (!find_turn(b, direction, &turned))
        return nnd_fail(ctx, NND_E_UNSOLVED, "no edge of the spectrum is found from z = %g", b->z);
    nnd_bracket at = {fmin(b->m, turned), fmax(b->m, turned), b->m};
    nnd_status status = nnd_brent_root(ctx, slope_at, b, 0.0, 4.0 * DBL_EPSILON, &at);
    if (status < NND_OK)
        return status;
    if (!try_at(b, at.x, &e) || !try_at(b, at.x * (1.0 + near), &beside))
        return nnd_fail(ctx, NND_E_UNSOLVED, "an edge of the spectrum near z = %g is lost", b->z);
    double kappa = share * sqrt(2.0 / fabs(e.bend));
    double shift = rounding * fabs(e.m) + fabs(e.slope / e.bend); /* of m */
    double change = fabs((beside.bend - e.bend) / (near * e.m * e.bend));
    *edge = (nnd_edge){
        .z = e.z,
        .kappa = kappa,
        .z_error = rounding * fabs(e.z) + 0.5 * fabs(e.bend) * shift * shift,
        .kappa_error = kappa * (rounding + 0.5 * change * shift),
        .mass = share * fmax(0.0, 1.0 - nnd_variance_below(b->p, b->z, b->v)),
        .upper = direction < 0.0,
    };
    return isfinite(kappa) ? NND_OK
                           : nnd_fail(ctx, NND_E_UNSOLVED, "an edge near z = %g is no fold", e.z);
}

/* From z = -far or far, where m = -1/z. */
static nnd_status outer(nnd_context *ctx, branch *b, double side, nnd_edge *edge) {
    double far = nnd_variance_far(b->p);
    b->z = side * far;
    b->m = -side / far;
    nnd_variance_begin(b->p, b->z, b->v);
    if (!nnd_variance_where(b->p, b->m, &b->z, b->v, &b->slope, &b->bend))
        return nnd_fail(ctx, NND_E_UNSOLVED, "no Stieltjes transform at z = %g", b->z);
    return fold(ctx, b, -side, edge);
}

/* ---- gaps ---- */

/* Just above the axis, whose solution is followed from place to place. */
typedef struct {
    branch *b;
    double complex *v, at;
    double height;
} scan;

/* Im m at a singular value; NaN if the solution is lost. */
static double level_at(double s, void *data) {
    scan *x = data;
    double complex next = CMPLX(s * s, x->height);
    if (!nnd_variance_follow(x->b->p, x->at, next, x->v) &&
        !nnd_variance_reach(x->b->p, next, x->v))
        return NAN;
    x->at = next;
    return cimag(nnd_variance_mean(x->b->p, x->v));
}

/* In a gap there is a real solution close to the one just above it. */
static bool is_gap(scan *x) {
    const double close = 1e-2;
    branch *b = x->b;
    double change = 0.0, most = 0.0;
    for (size_t j = 0; j < b->p->cols; j++)
        b->v[j] = creal(x->v[j]);
    b->z = creal(x->at);
    b->m = creal(nnd_variance_mean(b->p, b->v));
    if (!nnd_variance_where(b->p, b->m, &b->z, b->v, &b->slope, &b->bend) || !(b->slope > 0.0))
        return false;
    for (size_t j = 0; j < b->p->cols; j++) {
        change = fmax(change, cabs(b->v[j] - x->v[j]));
        most = fmax(most, cabs(b->v[j]));
    }
    return change <= close * most;
}

/* Both edges of a gap in which the branch is. */
static nnd_status gap(nnd_context *ctx, branch *b, nnd_edge *edge) {
    size_t n = b->p->cols;
    branch start = *b;
    double complex *v = calloc(n, sizeof *v);
    if (v == NULL)
        return nnd_fail_memory(ctx, "the edges of a spectrum");
    memcpy(v, b->v, n * sizeof *v);
    nnd_status status = fold(ctx, b, -1.0, &edge[0]);
    *b = start;
    memcpy(b->v, v, n * sizeof *v);
    if (status == NND_OK)
        status = fold(ctx, b, 1.0, &edge[1]);
    free(v);
    return status;
}

/* The place between low and high where the level is least, given that it is less in the middle. */
static nnd_status settle(nnd_context *ctx, scan *x, const double s[3], const double level[3]) {
    const double relative = 1e-7;
    nnd_bracket at = {s[2], s[0], s[1]};
    const double value[3] = {level[2], level[1], level[0]};
    nnd_status status = nnd_brent_minimum(ctx, level_at, x, 0.0, relative, value, &at);
    return status < NND_OK || isnan(level_at(at.x, x)) ? NND_E_UNSOLVED : NND_OK;
}

/* From the highest edge down to the lowest; a minimum that is no gap is passed. */
static nnd_status find_gaps(nnd_context *ctx, branch *b, double low, double high, size_t points,
                            nnd_edges *edges) {
    const double height = 1e-8;
    scan x = {b, calloc(b->p->cols, sizeof(double complex)), 0.0, height * high};
    if (x.v == NULL)
        return nnd_fail_memory(ctx, "the edges of a spectrum");
    double s[3] = {0.0, 0.0, 0.0}, level[3] = {0.0, 0.0, 0.0};
    double top = sqrt(high), step = (top - sqrt(low)) / ((double)points + 1.0);
    x.at = CMPLX(high, nnd_variance_far(b->p));
    nnd_variance_begin(b->p, x.at, x.v);
    nnd_status status = NND_OK;
    for (size_t i = 1; status == NND_OK && i <= points; i++) {
        s[0] = s[1], s[1] = s[2], s[2] = top - step * (double)i;
        level[0] = level[1], level[1] = level[2], level[2] = level_at(s[2], &x);
        if (isnan(level[2]))
            status = nnd_fail(ctx, NND_E_UNSOLVED, "the spectrum is lost at z = %g", s[2] * s[2]);
        if (i < 3 || !(level[1] < level[0] && level[1] < level[2]))
            continue;
        if (settle(ctx, &x, s, level) == NND_OK && is_gap(&x)) {
            status = gap(ctx, b, edges->edge + edges->count);
            edges->count += 2;
        }
        if (status == NND_OK && isnan(level_at(s[2], &x)))
            status = nnd_fail(ctx, NND_E_UNSOLVED, "the spectrum is lost at z = %g", s[2] * s[2]);
    }
    free(x.v);
    return status;
}

/* ---- all edges ---- */

/* With as many rows as columns the spectrum reaches 0, but for rounding of weights. */
static bool reaches_zero(const nnd_variance_profile *p) {
    return 1.0 - p->ratio <= 1e-12;
}

static int by_place(const void *a, const void *b) {
    double x = ((const nnd_edge *)a)->z, y = ((const nnd_edge *)b)->z;
    return (x > y) - (x < y);
}

nnd_status nnd_variance_profile_edges(nnd_context *ctx, nnd_variance_profile *p, size_t points,
                                      nnd_edges *edges) {
    branch b = {
        .p = p, .v = calloc(p->cols, sizeof *b.v), .trial = calloc(p->cols, sizeof *b.trial)};
    nnd_edge low = {0};
    *edges = (nnd_edges){0, calloc(2 + 2 * points, sizeof *edges->edge)};
    nnd_status status = b.v != NULL && b.trial != NULL && edges->edge != NULL
                            ? outer(ctx, &b, 1.0, &edges->edge[0])
                            : nnd_fail_memory(ctx, "the edges of a spectrum");
    if (status == NND_OK)
        edges->count = 1;
    if (status == NND_OK && !reaches_zero(p)) {
        status = outer(ctx, &b, -1.0, &low);
        edges->edge[edges->count++] = low;
    }
    if (status == NND_OK)
        status = find_gaps(ctx, &b, low.z, edges->edge[0].z, points, edges);
    if (status == NND_OK)
        qsort(edges->edge, edges->count, sizeof *edges->edge, by_place);
    else
        nnd_edges_clear(edges);
    free(b.v);
    free(b.trial);
    return status;
}
