/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/scaling_filter.h"

#include <math.h>

/* (-1)^t of a whole number. */
static double sign(double t) {
    return fmod(t, 2.0) == 0.0 ? 1.0 : -1.0;
}

/* (1 - u)^t; the logarithm keeps t digits that 1 - u would lose. */
static double power(double u, double t) {
    if (u < 1.0)
        return exp(t * log1p(-u));
    return u == 1.0 ? (t == 0.0 ? 1.0 : 0.0) : sign(t) * exp(t * log1p(u - 2.0));
}

/* Two roots z of z^2 - (1 + m - u) z + m, of one modulus sqrt m: m^(t/2) (U_t - sqrt m U_{t-1}) of
 * c = (1 + m - u)/(2 sqrt m), Chebyshev polynomials of the second kind. */
static double oscillating(double c, double m, double t) {
    double angle = acos(c), r = sqrt(m), sine = sin(angle);
    double decay = exp(t * log(r));
    if (sine < 1e-7)
        return decay * (c > 0.0 ? (t + 1.0) - r * t : sign(t) * ((t + 1.0) + r * t));
    return decay * (sin((t + 1.0) * angle) - r * sin(t * angle)) / sine;
}

/*
 * Heavy ball: f(t + 1) = (1 + m - u) f(t) - m f(t - 1) with f(0) = 1, f(1) = 1 - u. Real roots are
 * 1 - d and m/(1 - d), or both negative; what is left is their combination.
 */
static double heavy_ball(double u, double m, double t) {
    double c = (1.0 + m - u) / (2.0 * sqrt(m));
    if (fabs(c) <= 1.0)
        return oscillating(c, m, t);
    double root = sqrt((1.0 + m - u) * (1.0 + m - u) - 4.0 * m);
    double d = c > 0.0 ? 2.0 * u / (1.0 - m + u + root) : 1.0 + (u - 1.0 - m + root) / 2.0;
    double slow = 1.0 - d, fast = m / slow;
    return ((1.0 - u - fast) * power(d, t) - (d - u) * power(1.0 - fast, t)) / (slow - fast);
}

double nnd_scaling_left(const nnd_scaling_laws *p, double x, double t) {
    switch (p->training) {
    case NND_SCALING_FLOW:
        return exp(-x * t);
    case NND_SCALING_RIDGE:
        return p->ridge > 0.0 ? p->ridge / (x + p->ridge) : x > 0.0 ? 0.0 : 1.0;
    default:
        return p->momentum > 0.0 ? heavy_ball(p->lr * x, p->momentum, t) : power(p->lr * x, t);
    }
}

double nnd_scaling_learned(const nnd_scaling_laws *p, double x, double t) {
    if (p->training == NND_SCALING_FLOW)
        return -expm1(-x * t) / x;
    if (p->training == NND_SCALING_RIDGE)
        return 1.0 / (x + p->ridge);
    if (p->momentum == 0.0 && p->lr * x < 1.0)
        return -expm1(t * log1p(-p->lr * x)) / x;
    return (1.0 - nnd_scaling_left(p, x, t)) / x;
}
