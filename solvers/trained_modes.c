/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/trained_modes.h"

#include <math.h>
#include <stddef.h>

/* ---- descent ---- */

void nnd_trained_mode_descent(nnd_trained_mode start, double target, double rate_w, double rate_a,
                              int64_t steps, nnd_trained_mode *end, double *slope) {
    nnd_trained_mode x = start, d = {0.0, 0.0, 0.0}; /* d: derivatives by the target */
    for (int64_t n = 0; n < steps; n++) {
        double e = target - x.product, de = 1.0 - d.product;
        double kernel = rate_a * x.omega + rate_w * x.alpha;
        double dkernel = rate_a * d.omega + rate_w * d.alpha, both = rate_a * rate_w;
        nnd_trained_mode next = {
            x.alpha + rate_a * e * (2.0 * x.product + rate_a * e * x.omega),
            x.product + e * (kernel + both * e * x.product),
            x.omega + rate_w * e * (2.0 * x.product + rate_w * e * x.alpha),
        };
        nnd_trained_mode dnext = {
            d.alpha + rate_a * de * (2.0 * x.product + 2.0 * rate_a * e * x.omega) +
                rate_a * e * (2.0 * d.product + rate_a * e * d.omega),
            d.product + de * (kernel + 2.0 * both * e * x.product) +
                e * (dkernel + both * e * d.product),
            d.omega + rate_w * de * (2.0 * x.product + 2.0 * rate_w * e * x.alpha) +
                rate_w * e * (2.0 * d.product + rate_w * e * d.alpha),
        };
        x = next;
        d = dnext;
    }
    *end = x;
    if (slope != NULL)
        *slope = d.omega;
}

/* ---- flow ---- */

/* (1 - exp(-R t))/R and its derivative by R; R > 0, t may be infinite. */
static double learned(double rate, double time, double *slope) {
    double y = rate * time, small = 1e-2;
    if (isinf(time)) {
        *slope = -1.0 / (rate * rate);
        return 1.0 / rate;
    }
    /* ((1 + y) exp(-y) - 1)/y^2, by its series where that cancels: to 1e-13 at y = 0.01. */
    double f = y < small
                   ? -1.0 / 2.0 + y * (1.0 / 3.0 - y * (1.0 / 8.0 - y * (1.0 / 30.0 - y / 144.0)))
                   : ((1.0 + y) * exp(-y) - 1.0) / (y * y);
    *slope = time * time * f;
    return -expm1(-y) / rate;
}

/* Modes whose product has become `m`: alpha - omega and (alpha + omega)^2 - 4 m^2 = k2 stay. */
static nnd_trained_mode with_product(nnd_trained_mode start, double k2, double m) {
    double sum = start.alpha + start.omega, now = sqrt(k2 + 4.0 * m * m);
    double gain =
        sum + now > 0.0 ? 2.0 * (m - start.product) * (m + start.product) / (sum + now) : 0.0;
    return (nnd_trained_mode){start.alpha + gain, m, start.omega + gain};
}

/* many-outputs.md#eq4 with v = K u, which stays finite at K = 0: v_+- = 2 x +- R, q = (1 -
 * exp(-R t))/R, v = [v_0 (2 + v_- q) + K^2 q]/[2 + (v_0 - v_+) q], m = (v - K^2/v)/4. */
static void flow_together(nnd_trained_mode start, double x, double time, nnd_trained_mode *end,
                          double *slope) {
    double sum = start.alpha + start.omega, m0 = start.product;
    double k2 = fmax((sum - 2.0 * fabs(m0)) * (sum + 2.0 * fabs(m0)), 0.0);
    double r = sqrt(4.0 * x * x + k2), v0 = 2.0 * m0 + sqrt(4.0 * m0 * m0 + k2), dq;
    *slope = 0.0;
    *end = start;
    if (v0 == 0.0) /* at rest: neither layer has anything to start from */
        return;
    if (r == 0.0) { /* dm/dt = -2 m^2 */
        *end = with_product(start, k2, isinf(time) ? 0.0 : m0 / (1.0 + 2.0 * m0 * time));
        return;
    }
    double q = learned(r, time, &dq), up = 2.0 * x + r, down = -k2 / up;
    double dup = 2.0 * up / r, ddown = -2.0 * down / r;
    dq *= 4.0 * x / r;
    double above = v0 * (2.0 + down * q) + k2 * q, below = 2.0 + (v0 - up) * q;
    double dabove = v0 * (ddown * q + down * dq) + k2 * dq, dbelow = (v0 - up) * dq - dup * q;
    double v = above / below, dv = (dabove - v * dbelow) / below, m = 0.25 * (v - k2 / v);
    *end = with_product(start, k2, m);
    /* omega = (sqrt(K^2 + 4 m^2) - k)/2, and sqrt(K^2 + 4 m^2) = (v + K^2/v)/2. */
    *slope = m * dv / v;
}

/* The readout stays: alpha' = 0, m' = alpha e, omega' = 2 e m. */
static void flow_alone(nnd_trained_mode start, double x, double time, nnd_trained_mode *end,
                       double *slope) {
    *end = start;
    *slope = 0.0;
    if (start.alpha == 0.0)
        return;
    double part = -expm1(-start.alpha * time), m0 = start.product;
    end->product = m0 + (x - m0) * part;
    end->omega = start.omega + (end->product - m0) * (end->product + m0) / start.alpha;
    *slope = 2.0 * end->product * part / start.alpha;
}

/* With A = sqrt(ratio) A' both layers have one rate: x' = x/sqrt(ratio), time' = ratio time. */
void nnd_trained_mode_flow(nnd_trained_mode start, double target, double ratio, double time,
                           nnd_trained_mode *end, double *slope) {
    double root = sqrt(ratio), unused;
    if (slope == NULL)
        slope = &unused;
    if (time == 0.0 || ratio == 0.0) {
        flow_alone(start, target, time, end, slope);
        return;
    }
    start.alpha /= ratio;
    start.product /= root;
    flow_together(start, target / root, ratio * time, end, slope);
    end->alpha *= ratio;
    end->product *= root;
    *slope /= root;
}
