/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/flatness.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/flatness_dual.h"

/* The problem in the eigenbasis of S, in units in which Lambda = 1 and |w*| = 1: then
 * phi(c) = unit * phi^(c / |w*|^(2-2/L)) with unit = 2 Lambda |w*|^(2-2/L). */
typedef struct {
    size_t n;      /* modes */
    double depth;  /* L */
    double unit;   /* of sharpness */
    double unit_c; /* of c */
    double *s;     /* eigenvalues / Lambda, descending, s[0] = 1 */
    double *v;     /* sqrt(s) w* / |w*| in this basis */
    double *low, *high, *mix;
} problem;

static void problem_clear(problem *p) {
    free(p->s);
}

static nnd_status problem_make(nnd_context *ctx, const nnd_quadratic *q, size_t depth, problem *p) {
    size_t n = q->rank;
    *p = (problem){.n = n, .depth = (double)depth, .s = calloc(5 * n, sizeof(double))};
    if (p->s == NULL)
        return nnd_fail_memory(ctx, "the bounds on the sharpness");
    p->v = p->s + n;
    p->low = p->v + n;
    p->high = p->low + n;
    p->mix = p->high + n;
    double norm = cblas_dnrm2((int)q->dim, q->minimizer, 1);
    p->unit_c = pow(norm, 2.0 - 2.0 / p->depth);
    p->unit = 2.0 * q->eigenvalue[0] * p->unit_c;
    for (size_t i = 0; i < n; i++) {
        double along = cblas_ddot((int)q->dim, q->mode + i * q->dim, 1, q->minimizer, 1);
        p->s[i] = q->eigenvalue[i] / q->eigenvalue[0];
        p->v[i] = sqrt(p->s[i]) * along / norm;
    }
    return NND_OK;
}

/* The top eigenvalue of diag(c s) + rho v v' minus c: the largest root delta >= 0 of
 * rho sum_i v_i^2 / (delta + c (1 - s_i)) = 1, or 0 if there is none. Solved for delta itself,
 * which keeps all digits where the eigenvalue all but touches c. Newton's method for the reciprocal
 * of the sum, which is concave, climbs to the root without passing it. */
static double secular_root(const problem *p, double c, double rho) {
    enum { MOST = 500 };
    double delta = 0.0;
    for (size_t i = 0; i < p->n; i++)
        delta = fmax(delta, rho * p->v[i] * p->v[i] - c * (1.0 - p->s[i]));
    for (int step = 0; step < MOST; step++) {
        double sum = 0.0, slope = 0.0;
        for (size_t i = 0; i < p->n; i++) {
            double weight = rho * p->v[i] * p->v[i];
            if (weight == 0.0)
                continue;
            double inverse = 1.0 / (delta + c * (1.0 - p->s[i]));
            sum += weight * inverse;
            slope += weight * inverse * inverse;
        }
        double rise = sum * (sum - 1.0) / slope;
        if (!(rise > 1e-17 * delta))
            break;
        delta += rise;
    }
    return delta;
}

/* phi^ at c = exp(x) and the unit vector z that attains it. */
static double dual(const problem *p, double x, double *z) {
    double c = exp(x), rho = (p->depth - 1.0) * exp(-x / (p->depth - 1.0));
    double delta = secular_root(p, c, rho);
    for (size_t i = 0; i < p->n; i++)
        z[i] = p->v[i] == 0.0 ? 0.0 : p->v[i] / (delta + c * (1.0 - p->s[i]));
    if (delta == 0.0)
        for (size_t i = 0; i < p->n; i++)
            z[i] = i == 0;
    cblas_dscal((int)p->n, 1.0 / cblas_dnrm2((int)p->n, z, 1), z, 1);
    return c + delta;
}

/* The bilinear form of the slope of phi^ at c = exp(x): phi' = slope(z, z) at the top vector z. */
static double slope(const problem *p, double x, const double *y, const double *z) {
    double sum = 0.0, vy = 0.0, vz = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        sum += p->s[i] * y[i] * z[i];
        vy += p->v[i] * y[i];
        vz += p->v[i] * z[i];
    }
    return sum - exp(-x * p->depth / (p->depth - 1.0)) * vy * vz;
}

/* The objective of flat-minima.md#eq3, z of any length. */
static double primal(const problem *p, const double *z) {
    double length2 = 0.0, variance = 0.0, along = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        length2 += z[i] * z[i];
        variance += p->s[i] * z[i] * z[i];
        along += p->v[i] * z[i];
    }
    return p->depth * pow(along * along / length2, 1.0 - 1.0 / p->depth) *
           pow(variance / length2, 1.0 / p->depth);
}

/* phi^' at c = exp(x), by the top vector z there. */
static double slope_at(const problem *p, double x, double *z) {
    dual(p, x, z);
    return slope(p, x, z, z);
}

/* Brackets the zero of the slope, which grows with c, and halves until nothing lies between. */
static void find_flat(const problem *p, double *low, double *high) {
    const double farthest = 300.0;
    *low = -1.0;
    *high = 1.0;
    for (; slope_at(p, *low, p->low) >= 0.0 && *low > -farthest; *low *= 2.0)
        *high = *low;
    for (; slope_at(p, *high, p->high) < 0.0 && *high < farthest; *high *= 2.0)
        *low = *high;
    for (;;) {
        double middle = 0.5 * (*low + *high);
        if (!(*low < middle && middle < *high))
            break;
        if (slope_at(p, middle, p->mix) < 0.0)
            *low = middle;
        else
            *high = middle;
    }
}

/* At a kink of phi the top vectors on its two sides differ, and the maximum of flat-minima.md#eq3
 * is attained where the slope vanishes between them: at low + t high, both roots t. Leaves the
 * better in p->mix. */
static double best_mixture(const problem *p, double x) {
    double a = slope(p, x, p->low, p->low), b = slope(p, x, p->low, p->high);
    double c = slope(p, x, p->high, p->high), best = 0.0, chosen = 0.0;
    double discriminant = b * b - a * c;
    double q = -(b + copysign(sqrt(fmax(discriminant, 0.0)), b));
    const double root[] = {q / c, a / q};
    for (int k = 0; k < 2; k++) {
        if (!isfinite(root[k]))
            continue;
        for (size_t i = 0; i < p->n; i++)
            p->mix[i] = p->low[i] + root[k] * p->high[i];
        double value = primal(p, p->mix);
        if (value > best) {
            best = value;
            chosen = root[k];
        }
    }
    for (size_t i = 0; i < p->n; i++)
        p->mix[i] = p->low[i] + chosen * p->high[i];
    return best;
}

/* z in the eigenbasis back to the coordinates of the inputs, as a unit vector. */
static void write_direction(const nnd_quadratic *q, const double *z, double *direction) {
    int d = (int)q->dim;
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)q->rank, d, 1.0 / cblas_dnrm2((int)q->rank, z, 1),
                q->mode, d, z, 1, 0.0, direction, 1);
}

/* Minimum of the dual, and the best of the vectors that its two sides give. */
static const double *solve(problem *p, nnd_flatness *flatness) {
    double low, high;
    find_flat(p, &low, &high);
    double at_low = dual(p, low, p->low), at_high = dual(p, high, p->high);
    double between = best_mixture(p, high), below = primal(p, p->low), above = primal(p, p->high);
    const double *z = between >= fmax(below, above) ? p->mix : below >= above ? p->low : p->high;
    flatness->least = p->unit * fmin(at_low, at_high);
    flatness->primal = p->unit * fmax(between, fmax(below, above));
    flatness->c = p->unit_c * exp(at_low <= at_high ? low : high);
    flatness->flow = p->unit * dual(p, 0.0, p->high == z ? p->low : p->high);
    return z;
}

nnd_status nnd_flatness_find(nnd_context *ctx, const nnd_quadratic *q, size_t depth,
                             nnd_flatness *flatness, double *direction) {
    problem p;
    nnd_status status = problem_make(ctx, q, depth, &p);
    if (status != NND_OK)
        return status;
    double a = cblas_ddot((int)p.n, p.v, 1, p.v, 1);
    const double *z = p.high;
    if (depth > 1) {
        z = solve(&p, flatness);
    } else {
        /* One matrix: the Hessian is 2 S whatever w. */
        p.high[0] = 1.0;
        flatness->least = flatness->primal = flatness->flow = p.unit;
        flatness->c = NAN;
    }
    flatness->simple = p.unit * p.depth * a;
    flatness->flow_bound = p.unit * p.depth;
    flatness->ceiling = 4.0 * flatness->flow_bound;
    if (direction != NULL)
        write_direction(q, z, direction);
    problem_clear(&p);
    return NND_OK;
}

nnd_status nnd_flatness_dual(nnd_context *ctx, const nnd_quadratic *q, size_t depth, double c,
                             double *value) {
    problem p;
    nnd_status status = problem_make(ctx, q, depth, &p);
    if (status == NND_OK)
        *value = depth == 1 ? p.unit : p.unit * dual(&p, log(c / p.unit_c), p.low);
    problem_clear(&p);
    return status;
}
