/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/marchenko_pastur.h"

#include <math.h>
#include <stdbool.h>

enum { SERIES = 24, ROOT_STEPS = 200 };

double nnd_mp_lower(double ratio, double sigma2) {
    double root = 1.0 - sqrt(ratio);
    return sigma2 * root * root;
}

double nnd_mp_upper(double ratio, double sigma2) {
    double root = 1.0 + sqrt(ratio);
    return sigma2 * root * root;
}

double nnd_mp_density(double ratio, double sigma2, double z) {
    double lower = nnd_mp_lower(ratio, sigma2), upper = nnd_mp_upper(ratio, sigma2);
    if (isnan(z))
        return NAN;
    if (ratio == 1.0 && z == 0.0)
        return INFINITY;
    if (!(z > lower && z < upper))
        return 0.0;
    return sqrt((upper - z) * (z - lower)) / (2.0 * M_PI * sigma2 * ratio * z);
}

/*
 * Of ratio c = r^2 <= 1, with z = 1 + c + 2 r cos(phi): the share above z (spectrum.md#eq2),
 *
 *     (1/pi) [phi + ((1 - c) psi - r sin phi)/c],  psi = arg(1 + r exp(i phi)) = r sin phi - ...
 *
 * For small r the difference is summed by its series, sum_(k >= 2) -(-r)^k sin(k phi)/k.
 */
static double share_above(double r, double phi) {
    double psi = atan2(r * sin(phi), 1.0 + r * cos(phi)), rest = 0.0, power = 1.0;
    if (r > 0.1)
        rest = (psi - r * sin(phi)) / (r * r);
    else
        for (int k = 2; k < SERIES; k++) {
            rest -= power * sin(k * phi) / k;
            power *= -r;
        }
    return (phi + rest - psi) / M_PI;
}

/* For ratio > 1 the eigenvalues that are not 0 are those of X X^T, which has ratio 1/ratio and
 * entries of variance (sigma2 ratio)/(ratio N). */
double nnd_mp_cdf(double ratio, double sigma2, double z) {
    if (isnan(z))
        return NAN;
    if (z < 0.0)
        return 0.0;
    if (ratio > 1.0)
        return 1.0 - (1.0 - nnd_mp_cdf(1.0 / ratio, sigma2 * ratio, z)) / ratio;
    double r = sqrt(ratio), cosine = (z / sigma2 - 1.0 - ratio) / (2.0 * r);
    if (cosine >= 1.0)
        return 1.0;
    return cosine <= -1.0 ? 0.0 : 1.0 - share_above(r, acos(cosine));
}

/* Halving in phi, where the share is smooth, and flat at both ends. */
double nnd_mp_quantile(double ratio, double sigma2, double p) {
    if (!(p >= 0.0 && p <= 1.0))
        return NAN;
    if (ratio > 1.0) {
        double rest = 1.0 - (1.0 - p) * ratio;
        return rest < 0.0 ? 0.0 : nnd_mp_quantile(1.0 / ratio, sigma2 * ratio, rest);
    }
    double r = sqrt(ratio), low = p > 0.0 ? 0.0 : M_PI, high = p < 1.0 ? M_PI : 0.0;
    for (int step = 0; low < high && step < ROOT_STEPS; step++) {
        double middle = 0.5 * (low + high);
        if (middle == low || middle == high)
            break;
        if (share_above(r, middle) < 1.0 - p)
            low = middle;
        else
            high = middle;
    }
    /* |1 + r exp(i phi)|^2, without cancellation at the lower end. */
    double half = cos(0.5 * low);
    return sigma2 * ((1.0 - r) * (1.0 - r) + 4.0 * r * half * half);
}

/* Centre (sqrt m +- sqrt n)^2 and scale |sqrt m +- sqrt n| |1/sqrt m +- 1/sqrt n|^(1/3), with m and
 * n less a half (spectrum.md#eq5). */
static nnd_mp_edge edge(size_t rows, size_t cols, double sign) {
    double m = sqrt((double)rows - 0.5), n = sqrt((double)cols - 0.5), sum = m + sign * n;
    double scale = fabs(sum) * cbrt(fabs(1.0 / m + sign / n));
    return (nnd_mp_edge){sum * sum, scale};
}

nnd_mp_edge nnd_mp_largest(size_t rows, size_t cols) {
    return edge(rows, cols, 1.0);
}

nnd_mp_edge nnd_mp_smallest(size_t rows, size_t cols) {
    return rows == cols ? (nnd_mp_edge){NAN, NAN} : edge(rows, cols, -1.0);
}
