/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/plane_mean.h"

#include <math.h>

/* The Gaussian weight at the ends is 1e-14 of its maximum. */
static const double END = 8.0;
static const double TOLERANCE = 1e-10;
enum { COARSEST = 2, FINEST = 16 }; /* nodes per unit */

/* Sums of f and |f| times the weight of both axes. The origin is a node: what is too steep for the
 * rule is so there, and cannot hide between nodes. */
static void sum(nnd_plane_function f, const void *self, size_t per_unit, double *mean,
                double *size) {
    double v[NND_PLANE_NODES], weight[NND_PLANE_NODES], value[NND_PLANE_NODES];
    double h = 1.0 / (double)per_unit, all = 0.0;
    size_t n = (size_t)(2.0 * END) * per_unit + 1;
    for (size_t i = 0; i < n; i++) {
        v[i] = (double)i * h - END;
        weight[i] = exp(-0.5 * v[i] * v[i]);
        all += weight[i];
    }
    *mean = *size = 0.0;
    for (size_t i = 0; i < n; i++) {
        f(self, v[i], n, v, value);
        for (size_t j = 0; j < n; j++) {
            double part = weight[i] / all * (weight[j] / all) * value[j];
            *mean += part;
            *size += fabs(part);
        }
    }
}

bool nnd_plane_mean(nnd_plane_function f, const void *self, double *mean) {
    double before = NAN, size;
    for (size_t per_unit = COARSEST; per_unit <= FINEST; per_unit *= 2) {
        sum(f, self, per_unit, mean, &size);
        if (fabs(*mean - before) <= TOLERANCE * size)
            return true;
        before = *mean;
    }
    return false;
}

nnd_pair_axes nnd_pair_split(const nnd_pair *pair) {
    double x_u = sqrt(fmax(pair->xx, 0.0)), y_u = x_u > 0.0 ? pair->xy / x_u : 0.0;
    return (nnd_pair_axes){x_u, y_u, sqrt(fmax(pair->yy - y_u * y_u, 0.0))};
}

typedef struct {
    const nnd_activation *activation;
    nnd_pair_axes axes;
    bool slope;
} product;

/* phi(x) phi(y), or the product of slopes. */
static void product_at(const void *self, double u, size_t n, const double *v, double *f) {
    const product *p = self;
    double x = p->axes.x_u * u, at_x, y[NND_PLANE_NODES];
    for (size_t i = 0; i < n; i++)
        y[i] = p->axes.y_u * u + p->axes.y_v * v[i];
    if (p->slope) {
        nnd_activation_apply(p->activation, 1, &x, NULL, &at_x, NULL, NULL);
        nnd_activation_apply(p->activation, n, y, NULL, f, NULL, NULL);
    } else {
        nnd_activation_apply(p->activation, 1, &x, &at_x, NULL, NULL, NULL);
        nnd_activation_apply(p->activation, n, y, f, NULL, NULL, NULL);
    }
    for (size_t i = 0; i < n; i++)
        f[i] *= at_x;
}

static bool is_rectifier(const nnd_activation *activation) {
    return activation->name == NND_RELU && activation->smoothing == 0.0;
}

/* Rectifiers at the angle t: |x| |y| (sin t + (pi - t) cos t)/(2 pi) and (pi - t)/(2 pi). */
static void rectified(double scale, const nnd_pair *pair, double *phi, double *slope) {
    double norm = sqrt(pair->xx * pair->yy);
    double angle = norm > 0.0 ? acos(fmax(-1.0, fmin(1.0, pair->xy / norm))) : M_PI;
    *phi = scale * scale * norm * (sin(angle) + (M_PI - angle) * cos(angle)) / (2.0 * M_PI);
    if (slope != NULL)
        *slope = scale * scale * (M_PI - angle) / (2.0 * M_PI);
}

bool nnd_pair_mean(const nnd_activation *activation, const nnd_pair *pair, double *phi,
                   double *slope) {
    if (is_rectifier(activation)) {
        rectified(activation->scale, pair, phi, slope);
        return true;
    }
    product p = {activation, nnd_pair_split(pair), false};
    if (!nnd_plane_mean(product_at, &p, phi))
        return false;
    p.slope = true;
    return slope == NULL || nnd_plane_mean(product_at, &p, slope);
}

static void fourth_power_at(const void *self, double u, size_t n, const double *v, double *f) {
    const product *p = self;
    double x = p->axes.x_u * u, phi;
    (void)v;
    nnd_activation_apply(p->activation, 1, &x, &phi, NULL, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        f[i] = phi * phi * phi * phi;
}

bool nnd_fourth_mean(const nnd_activation *activation, double xx, double *mean) {
    product p = {activation, {sqrt(xx), 0.0, 0.0}, false};
    if (!is_rectifier(activation))
        return nnd_plane_mean(fourth_power_at, &p, mean);
    *mean = 1.5 * pow(activation->scale, 4.0) * xx * xx;
    return true;
}
