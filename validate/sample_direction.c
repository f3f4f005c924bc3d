/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/sample_direction.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "validate/plane_mean.h"

/* A variance so small against the trace is rounding; outputs correlated so closely are one. */
static const double VANISHES = 1e-9, DEPENDENT = 1e-4;

double nnd_form(size_t n, const double *a, size_t stride, const double *x, const double *y) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * cblas_ddot((int)n, a + i * stride, 1, y, 1);
    return sum;
}

/* Makes x a unit vector across u (NULL: any); false if it has no such part. */
static bool normalise(size_t n, const double *u, double *x) {
    double whole = cblas_dnrm2((int)n, x, 1);
    if (u != NULL)
        cblas_daxpy((int)n, -cblas_ddot((int)n, u, 1, x, 1), u, 1, x, 1);
    double across = cblas_dnrm2((int)n, x, 1);
    if (!(across > 1e-6 * whole))
        return false;
    cblas_dscal((int)n, 1.0 / across, x, 1);
    return true;
}

void nnd_direction_first(size_t n, const double *targets, double *u) {
    memcpy(u, targets, n * sizeof(double));
    if (normalise(n, NULL, u))
        return;
    for (size_t mu = 0; mu < n; mu++)
        u[mu] = 1.0 / sqrt((double)n);
}

static double trace(size_t n, const double *phi) {
    double sum = 0.0;
    for (size_t mu = 0; mu < n; mu++)
        sum += phi[mu * n + mu];
    return sum;
}

void nnd_direction_mend(size_t n, const double *phi, double *u) {
    if (nnd_form(n, phi, n, u, u) > VANISHES * trace(n, phi))
        return;
    memset(u, 0, n * sizeof(double));
    u[0] = 1.0;
}

void nnd_direction_second(size_t n, const double *kernel, const double *u, double *v) {
    for (size_t mu = 0; mu < n; mu++)
        v[mu] = cblas_ddot((int)n, kernel + mu * n, 1, u, 1);
    if (normalise(n, u, v))
        return;
    size_t far = 0;
    for (size_t mu = 0; mu < n; mu++)
        far = fabs(u[mu]) < fabs(u[far]) ? mu : far;
    memset(v, 0, n * sizeof(double));
    v[far] = 1.0;
    (void)normalise(n, u, v);
}

bool nnd_directions_differ(size_t n, const double *phi, const double *u, const double *v) {
    double uu = nnd_form(n, phi, n, u, u), vv = nnd_form(n, phi, n, v, v);
    double uv = nnd_form(n, phi, n, u, v), least = VANISHES * trace(n, phi);
    return uu > least && vv > least && uu * vv - uv * uv > DEPENDENT * uu * vv;
}

bool nnd_pair_means(const nnd_activation *activation, double factor, const double *gram,
                    size_t stride, size_t n, double *phi, double *slope) {
    for (size_t mu = 0; mu < n; mu++)
        for (size_t nu = 0; nu <= mu; nu++) {
            nnd_pair pair = {factor * gram[mu * stride + mu], factor * gram[mu * stride + nu],
                             factor * gram[nu * stride + nu]};
            size_t at = mu * n + nu, mirrored = nu * n + mu;
            if (!nnd_pair_mean(activation, &pair, phi + at, slope != NULL ? slope + at : NULL))
                return false;
            phi[mirrored] = phi[at];
            if (slope != NULL)
                slope[mirrored] = slope[at];
        }
    return true;
}
