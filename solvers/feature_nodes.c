/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/feature_nodes.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/cmplx.h"
#include "solvers/mode_ratio.h"

double nnd_feature_dimension(const nnd_features *f) {
    double sum = 0.0;
    for (size_t i = 0; i < f->modes.count; i++)
        sum += f->modes.multiplicity[i];
    return round(sum);
}

double nnd_feature_trace(const nnd_features *f) {
    double sum = 0.0;
    for (size_t i = 0; i < f->modes.count; i++)
        sum += f->modes.multiplicity[i] * f->modes.eigenvalue[i];
    return sum;
}

double nnd_feature_signal(const nnd_features *f) {
    double sum = 0.0;
    for (size_t i = 0; i < f->modes.count; i++)
        sum += f->modes.teacher2[i] * f->modes.eigenvalue[i];
    return sum;
}

double complex nnd_expm1(double complex x) {
    double grown = expm1(creal(x)), half = sin(0.5 * cimag(x));
    return grown * cos(cimag(x)) - 2.0 * half * half + I * (grown + 1.0) * sin(cimag(x));
}

/* The response that vanishes late, that of the smaller space, follows from s = kappa R1 R3. */
nnd_feature_node nnd_feature_node_at(const nnd_features *f, double complex s,
                                     double complex kappa) {
    const nnd_eigenmodes *p = &f->modes;
    const nnd_polar k = nnd_polar_of(kappa);
    double df_re = 0.0, df_im = 0.0, power_re = 0.0, power_im = 0.0;
#pragma omp simd reduction(+ : df_re, df_im, power_re, power_im)
    for (size_t i = 0; i < p->count; i++) {
        nnd_plain r = nnd_mode_ratio(p->eigenvalue[i], k);
        df_re += p->multiplicity[i] * r.re;
        df_im += p->multiplicity[i] * r.im;
        power_re += p->teacher2[i] * r.re;
        power_im += p->teacher2[i] * r.im;
    }
    nnd_feature_node x = {
        .s = s, .kappa = kappa, .df = CMPLX(df_re, df_im), .power = CMPLX(power_re, power_im)};
    if (f->samples <= f->width) {
        x.r3 = 1.0 - x.df / f->width;
        x.r1 = s / (kappa * x.r3);
    } else {
        x.r1 = 1.0 - x.df / f->samples;
        x.r3 = s / (kappa * x.r1);
    }
    return x;
}

static double largest_eigenvalue(const nnd_features *f) {
    double largest = 0.0;
    for (size_t i = 0; i < f->modes.count; i++)
        largest = fmax(largest, f->modes.eigenvalue[i]);
    return largest;
}

/* On the way from far out, where kappa is s + sum_k n lambda (1/P + 1/N), inwards along the ray of
 * s: each is nearer by the same factor, so that log kappa is smooth. */
static nnd_status kappa_from_afar(nnd_context *ctx, const nnd_features *f, const nnd_resolvent *x,
                                  double complex s, double complex *kappa) {
    enum { MOST = 512 };
    const double inwards = 8.0, far = 64.0;
    double shift = nnd_feature_trace(f) * (1.0 / f->samples + 1.0 / f->width);
    double near = cabs(s), radius = fmax(far * (shift + largest_eigenvalue(f)), near);
    double complex at[MOST], root[MOST], from = radius / near * s;
    size_t count = 0;
    for (; radius > near && count + 1 < MOST; radius /= inwards)
        at[count++] = radius / near * s;
    at[count++] = s;
    nnd_status status = nnd_kappa_along(ctx, x, from, from + shift, count, at, root);
    *kappa = status == NND_OK ? root[count - 1] : NAN;
    return status;
}

nnd_status nnd_feature_nodes(nnd_context *ctx, const nnd_features *f, size_t count,
                             const double complex *s, nnd_feature_node *node) {
    const nnd_resolvent x = {&f->modes, f->samples, f->width, 0.0};
    double complex *kappa = calloc(count, sizeof *kappa), first;
    if (kappa == NULL)
        return nnd_fail_memory(ctx, "nodes");
    nnd_status status = kappa_from_afar(ctx, f, &x, s[0], &first);
    if (status == NND_OK)
        status = nnd_kappa_along(ctx, &x, s[0], first, count, s, kappa);
    for (size_t j = 0; status == NND_OK && j < count; j++)
        node[j] = nnd_feature_node_at(f, s[j], kappa[j]);
    free(kappa);
    return status;
}

/* ---- beyond the spectrum ---- */

typedef struct {
    const nnd_features *f;
    double largest, s;
} beyond;

/* -s at kappa = -lambda_1 (1 + x). */
static double minus_s(double x, void *data) {
    const beyond *b = data;
    double kappa = -b->largest * (1.0 + x), df = 0.0;
    for (size_t i = 0; i < b->f->modes.count; i++)
        df += b->f->modes.multiplicity[i] * b->f->modes.eigenvalue[i] /
              (b->f->modes.eigenvalue[i] + kappa);
    return -kappa * (1.0 - df / b->f->samples) * (1.0 - df / b->f->width);
}

/* Where -s is least, from which it increases with x. */
static nnd_status turning_point(nnd_context *ctx, beyond *b, double *x, double *edge) {
    const double closest = 1e-9, farthest = 1e9;
    const size_t points = 181;
    bool inside;
    b->largest = largest_eigenvalue(b->f);
    if (isinf(b->f->samples) && isinf(b->f->width)) {
        *x = 0.0;
        *edge = b->largest;
        return NND_OK;
    }
    return nnd_minimize(ctx, minus_s, b, closest, farthest, points, x, edge, &inside);
}

nnd_status nnd_feature_edge(nnd_context *ctx, const nnd_features *f, double *edge) {
    beyond b = {.f = f};
    double x;
    return turning_point(ctx, &b, &x, edge);
}

static double beyond_by(double x, void *data) {
    const beyond *b = data;
    return minus_s(x, data) + b->s;
}

nnd_status nnd_feature_kappa_beyond(nnd_context *ctx, const nnd_features *f, double s,
                                    double *kappa) {
    beyond b = {.f = f, .s = s};
    double x, edge;
    nnd_status status = turning_point(ctx, &b, &x, &edge);
    if (status != NND_OK)
        return status;
    if (!(-s > edge))
        return nnd_fail(ctx, NND_E_UNSOLVED, "s = %g is not beyond the spectrum", s);
    /* df is negative there, so that -s is more than -kappa */
    nnd_bracket bracket = {.low = x, .high = -s / b.largest};
    if (isinf(f->samples) && isinf(f->width))
        *kappa = s;
    else {
        status = nnd_brent_root(ctx, beyond_by, &b, DBL_MIN, 8.0 * DBL_EPSILON, &bracket);
        *kappa = -b.largest * (1.0 + bracket.x);
    }
    return status;
}
