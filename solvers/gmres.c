/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/gmres.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Basis v_0, v_1, .. of n numbers each, and the Hessenberg matrix, turned upper triangular: column
 * j at h + j (most + 1). */
typedef struct {
    size_t n, most, steps;
    double complex *v, *h;
    double *c;         /* most: cosines of the rotations */
    double complex *s; /* most: their sines */
    double complex *e; /* most + 1: the rotated right-hand side */
} krylov;

static double norm(size_t n, const double complex *x) {
    return cblas_dznrm2((int)n, x, 1);
}

/* Makes v_{j+1} orthogonal to those before, twice, which leaves rounding alone. */
static void orthogonalise(krylov *k, size_t j) {
    double complex *w = k->v + (j + 1) * k->n, *h = k->h + j * (k->most + 1);
    memset(h, 0, (k->most + 1) * sizeof *h);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i <= j; i++) {
            double complex along, minus;
            cblas_zdotc_sub((int)k->n, k->v + i * k->n, 1, w, 1, &along);
            minus = -along;
            cblas_zaxpy((int)k->n, &minus, k->v + i * k->n, 1, w, 1);
            h[i] += along;
        }
    double length = norm(k->n, w);
    h[j + 1] = length;
    if (length > 0.0)
        cblas_zdscal((int)k->n, 1.0 / length, w, 1);
}

/* Rotates column j into the triangle; returns the modulus of what is left of the right side. */
static double rotate(krylov *k, size_t j) {
    double complex *h = k->h + j * (k->most + 1);
    for (size_t i = 0; i < j; i++) {
        double complex upper = h[i], lower = h[i + 1];
        h[i] = k->c[i] * upper + k->s[i] * lower;
        h[i + 1] = -conj(k->s[i]) * upper + k->c[i] * lower;
    }
    double both = hypot(cabs(h[j]), cabs(h[j + 1])), upper = cabs(h[j]);
    double complex phase = upper > 0.0 ? h[j] / upper : 1.0;
    k->c[j] = both > 0.0 ? upper / both : 1.0;
    k->s[j] = both > 0.0 ? phase * conj(h[j + 1]) / both : 0.0;
    h[j] = phase * both;
    h[j + 1] = 0.0;
    k->e[j + 1] = -conj(k->s[j]) * k->e[j];
    k->e[j] = k->c[j] * k->e[j];
    return cabs(k->e[j + 1]);
}

/* x = V y, R y = e. */
static void combine(krylov *k, double complex *x) {
    double complex *y = k->e;
    for (size_t i = k->steps; i-- > 0;) {
        for (size_t j = i + 1; j < k->steps; j++)
            y[i] -= k->h[j * (k->most + 1) + i] * y[j];
        y[i] /= k->h[i * (k->most + 1) + i];
    }
    memset(x, 0, k->n * sizeof *x);
    for (size_t i = 0; i < k->steps; i++)
        cblas_zaxpy((int)k->n, &y[i], k->v + i * k->n, 1, x, 1);
}

static nnd_status make(nnd_context *ctx, krylov *k) {
    k->v = calloc((k->most + 1) * k->n, sizeof *k->v);
    k->h = calloc((k->most + 1) * k->most, sizeof *k->h);
    k->c = calloc(k->most, sizeof *k->c);
    k->s = calloc(k->most, sizeof *k->s);
    k->e = calloc(k->most + 1, sizeof *k->e);
    bool done = k->v != NULL && k->h != NULL && k->c != NULL && k->s != NULL && k->e != NULL;
    return done ? NND_OK : nnd_fail_memory(ctx, "a Krylov basis");
}

static void clear(krylov *k) {
    free(k->v);
    free(k->h);
    free(k->c);
    free(k->s);
    free(k->e);
}

nnd_status nnd_gmres(nnd_context *ctx, size_t n, nnd_product product, void *data,
                     const double complex *b, double tolerance, size_t most, double complex *x,
                     double *left) {
    krylov k = {.n = n, .most = most < n ? most : n};
    double size = norm(n, b);
    *left = size > 0.0 ? 1.0 : 0.0;
    if (!(size > 0.0)) {
        memset(x, 0, n * sizeof *x);
        return NND_OK;
    }
    nnd_status status = make(ctx, &k);
    if (status == NND_OK) {
        for (size_t i = 0; i < n; i++)
            k.v[i] = b[i] / size;
        k.e[0] = size;
        while (*left > tolerance && k.steps < k.most) {
            size_t j = k.steps;
            product(k.v + j * n, k.v + (j + 1) * n, data);
            orthogonalise(&k, j);
            double last = rotate(&k, j) / size;
            if (k.h[j * (k.most + 1) + j] == 0.0)
                break; /* a singular matrix: nothing is gained along v_j */
            *left = last;
            k.steps++;
        }
        combine(&k, x);
    }
    clear(&k);
    return status;
}
