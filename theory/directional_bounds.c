/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_bounds.h"

#include <math.h>

/* Twice the largest x/(1 + exp(x)) is 0.557, which the theorems round up: 2 omega delta is below
 * it under any law. */
static const double GROWTH = 0.6;

bool nnd_directional_bounded(const nnd_directional *p) {
    return p->integrator == NND_GRADIENT_FLOW && p->init.kind == NND_START_ALIGNED &&
           p->omega0 > 0.0;
}

/* The constant of the theorems: the mean norm of two components of x, pi c0. */
static double mean_norm(const nnd_directional_path *path) {
    return M_PI * path->constants.c0;
}

/* directional.md#eq10: (omega^(2/L))' = 2 omega (c0 cos theta - h) <= 2 omega delta */
double nnd_directional_omega_upper(const nnd_directional_path *path, double t) {
    double l = (double)path->params->depth;
    return pow(pow(path->params->omega0, 2.0 / l) + GROWTH * t, 0.5 * l);
}

/* directional.md#eq11: (omega^(2/L - 1))' <= 2 (L - 2) c0, with pi instead of 2 */
double nnd_directional_omega_lower(const nnd_directional_path *path, double t) {
    double l = (double)path->params->depth, start = path->params->omega0;
    double fall = mean_norm(path) * t;
    if (l == 2.0)
        return start * exp(-2.0 * fall);
    double base = pow(start, 2.0 / l - 1.0) + (l - 2.0) * fall;
    return base > 0.0 ? pow(base, -l / (l - 2.0)) : 0.0;
}

/* directional.md#eq12: the integral of c0 omega^(1 - 2/L) up to t, while the norm falls. At L = 1
 * it is at most omega0, at L = 2 it does not matter, beyond it is at least omega_lower. */
static double turned_falling(const nnd_directional_path *path, double t) {
    double l = (double)path->params->depth, start = path->params->omega0;
    double straight = path->constants.c0 * t * pow(start, 1.0 - 2.0 / l);
    if (l <= 2.0)
        return straight;
    return log1p(M_PI * (l - 2.0) * straight) / (M_PI * (l - 2.0));
}

/* directional.md#eq13: the same from the time on at which the norm turns. At L = 1 the norm is at
 * most omega_upper from there, beyond at least what it is there. */
static double turned_growing(const nnd_directional_path *path, double since) {
    double l = (double)path->params->depth, start = path->turn.omega, c0 = path->constants.c0;
    if (l == 1.0)
        return 2.0 * c0 * since / (sqrt(GROWTH * since + start * start) + start);
    return c0 * pow(start, 1.0 - 2.0 / l) * since;
}

double nnd_directional_zeta_upper(const nnd_directional_path *path, double t) {
    const nnd_directional_turn *turn = &path->turn;
    double start = path->params->theta0;
    if (t > turn->time)
        return turn->zeta - turned_growing(path, t - turn->time);
    return start < M_PI ? log(tan(0.5 * start)) - turned_falling(path, t) : INFINITY;
}
