/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_polar.h"

#include <math.h>

void nnd_directional_polar(double along, double log_perp, double *omega, double *zeta) {
    double norm = hypot(along, exp(log_perp));
    *omega = norm;
    if (norm == 0.0)
        *zeta = NAN;
    else if (along > 0.0)
        *zeta = log_perp - log(norm + along);
    else
        *zeta = log(norm - along) - log_perp;
}

double nnd_directional_gap(double zeta) {
    return 2.0 / (1.0 + exp(-2.0 * zeta));
}

double nnd_directional_neg_log_sin(double zeta) {
    double u = fabs(zeta);
    return u < 1.0 ? log(cosh(u)) : u - M_LN2 + log1p(exp(-2.0 * u));
}

/* Noise adds to the angle in square: this many times above it, it is no longer seen. */
static const double ABOVE_NOISE = 5.0;
/* -log sin theta at which rounding ends a simulated angle: what cancels between hidden units leaves
 * about 1e-33 across the teacher, of which exp(-50) is to be 1e11 times; a single unit reaches the
 * smallest doubles. */
static const double ROUNDING = 50.0, UNDERFLOW = 600.0;

double nnd_directional_floor(const nnd_directional_path *path, const nnd_directional_point *point) {
    const nnd_directional *p = path->params;
    double others = (double)p->dim - 1.0;
    if (p->batch > 0)
        return sqrt(others * point->spread) / point->omega;
    double noise = nnd_logistic_at(path->averages, point->omega).noise;
    return sqrt(others * noise / p->samples) / path->constants.c0;
}

bool nnd_directional_resolved(const nnd_directional_path *path,
                              const nnd_directional_point *point) {
    const nnd_directional *p = path->params;
    bool deep = p->depth > 1 && p->width > 1;
    if (nnd_directional_neg_log_sin(point->zeta) > (deep ? ROUNDING : UNDERFLOW))
        return false;
    return 2.0 * atan(exp(point->zeta)) >= ABOVE_NOISE * nnd_directional_floor(path, point);
}
