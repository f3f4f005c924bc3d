/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/gmres.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double norm(size_t n, const double complex *x) {
    return cblas_dznrm2((int)n, x, 1);
}

/* Makes v_{j+1} orthogonal to those before, one after the other. */
static void orthogonalise(nnd_krylov *k, size_t n, size_t j) {
    double complex *w = k->v + (j + 1) * n, *h = k->h + j * (k->most + 1);
    for (size_t i = 0; i <= j; i++) {
        cblas_zdotc_sub((int)n, k->v + i * n, 1, w, 1, &h[i]);
        double complex minus = -h[i];
        cblas_zaxpy((int)n, &minus, k->v + i * n, 1, w, 1);
    }
    double length = norm(n, w);
    h[j + 1] = length;
    if (length > 0.0)
        cblas_zdscal((int)n, 1.0 / length, w, 1);
}

/* Rotates column j into the triangle; returns the modulus of what is left of the right side, NaN if
 * but for rounding the column is one of those before it. */
static double rotate(nnd_krylov *k, size_t j) {
    const double rounding = 1e-12;
    double complex *h = k->h + j * (k->most + 1);
    double column = norm(j + 2, h);
    for (size_t i = 0; i < j; i++) {
        double complex upper = h[i], lower = h[i + 1];
        h[i] = k->c[i] * upper + k->s[i] * lower;
        h[i + 1] = -conj(k->s[i]) * upper + k->c[i] * lower;
    }
    double both = hypot(cabs(h[j]), cabs(h[j + 1])), upper = cabs(h[j]);
    if (!(both > rounding * column))
        return NAN;
    double complex phase = upper > 0.0 ? h[j] / upper : 1.0;
    k->c[j] = upper / both;
    k->s[j] = phase * conj(h[j + 1]) / both;
    h[j] = phase * both;
    k->e[j + 1] = -conj(k->s[j]) * k->e[j];
    k->e[j] = k->c[j] * k->e[j];
    return cabs(k->e[j + 1]);
}

/* x = V y, R y = e. */
static void combine(nnd_krylov *k, size_t n, size_t steps, double complex *x) {
    double complex *y = k->e;
    for (size_t i = steps; i-- > 0;) {
        for (size_t j = i + 1; j < steps; j++)
            y[i] -= k->h[j * (k->most + 1) + i] * y[j];
        y[i] /= k->h[i * (k->most + 1) + i];
    }
    memset(x, 0, n * sizeof *x);
    for (size_t i = 0; i < steps; i++)
        cblas_zaxpy((int)n, &y[i], k->v + i * n, 1, x, 1);
}

nnd_status nnd_krylov_make(nnd_context *ctx, size_t n, size_t most, nnd_krylov *k) {
    most = most < n ? most : n;
    *k = (nnd_krylov){.n = n,
                      .most = most,
                      .v = calloc((most + 1) * n, sizeof *k->v),
                      .h = calloc((most + 1) * most, sizeof *k->h),
                      .c = calloc(most, sizeof *k->c),
                      .s = calloc(most, sizeof *k->s),
                      .e = calloc(most + 1, sizeof *k->e)};
    bool done = k->v != NULL && k->h != NULL && k->c != NULL && k->s != NULL && k->e != NULL;
    return done ? NND_OK : nnd_fail_memory(ctx, "a Krylov basis");
}

void nnd_krylov_clear(nnd_krylov *k) {
    free(k->v);
    free(k->h);
    free(k->c);
    free(k->s);
    free(k->e);
    *k = (nnd_krylov){0};
}

/* |A x - b|/|b|, b = |b| v_0: where the basis has degenerated the rotations do not know it. */
static double measured(nnd_krylov *k, size_t n, nnd_product product, void *data, double size,
                       const double complex *x) {
    double complex *y = k->v + n;
    product(x, y, data);
    for (size_t i = 0; i < n; i++)
        y[i] -= size * k->v[i];
    return norm(n, y) / size;
}

double nnd_gmres(nnd_krylov *k, size_t n, nnd_product product, void *data, const double complex *b,
                 double tolerance, double complex *x) {
    double size = norm(n, b), left = size > 0.0 ? 1.0 : size;
    size_t steps = 0;
    for (size_t i = 0; size > 0.0 && i < n; i++)
        k->v[i] = b[i] / size;
    k->e[0] = size;
    while (left > tolerance && steps < k->most && steps < n) {
        product(k->v + steps * n, k->v + (steps + 1) * n, data);
        orthogonalise(k, n, steps);
        double last = rotate(k, steps);
        if (isnan(last))
            break; /* of a singular matrix nothing is gained along this vector */
        left = last / size;
        steps++;
    }
    combine(k, n, steps, x);
    return left <= tolerance ? left : measured(k, n, product, data, size, x);
}
