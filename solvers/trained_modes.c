/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/trained_modes.h"

#include <math.h>
#include <stddef.h>

/* ---- descent ---- */

void nnd_trained_mode_descent(nnd_trained_mode start, double target, double rate_w, double rate_a,
                              int64_t steps, nnd_trained_mode *end, double *slope) {
    nnd_trained_mode x = start, d = {0.0, 0.0, 0.0, 1.0}; /* d: derivatives by the target */
    x.residual = target - start.product;
    for (int64_t n = 0; n < steps; n++) {
        double e = x.residual, both = rate_a * rate_w;
        double gain = rate_a * x.omega + rate_w * x.alpha + both * e * x.product;
        double dgain =
            rate_a * d.omega + rate_w * d.alpha + both * (d.residual * x.product + e * d.product);
        double de = d.residual, learned = e * gain, dlearned = de * gain + e * dgain;
        double to_a = 2.0 * x.product + rate_a * e * x.omega;
        double to_w = 2.0 * x.product + rate_w * e * x.alpha;
        double dto_a = 2.0 * d.product + rate_a * (de * x.omega + e * d.omega);
        double dto_w = 2.0 * d.product + rate_w * (de * x.alpha + e * d.alpha);
        d = (nnd_trained_mode){d.alpha + rate_a * (de * to_a + e * dto_a), d.product + dlearned,
                               d.omega + rate_w * (de * to_w + e * dto_w), de - dlearned};
        x = (nnd_trained_mode){x.alpha + rate_a * e * to_a, x.product + learned,
                               x.omega + rate_w * e * to_w, e - learned};
    }
    *end = x;
    if (slope != NULL)
        *slope = d.omega;
}

/* ---- flow ---- */

/* many-outputs.md#eq4 with P = alpha + omega, k = alpha - omega, K^2 = P^2 - 4 m^2, U = P + 2 m,
 *     U' = -(U - U+)(U + L)/2,  U+ = 2 x + R,  L = K^2/U+,  R^2 = 4 x^2 + K^2.
 * With U_0 at the start, E = exp(-R t) and B = L + U+ E + U_0 (1 - E),
 *     U = [U_0 (U+ + L E) + K^2 (1 - E)]/B,  U+ - U = 2 R E (U+ - U_0)/B,
 * sums of positive terms, and the residual is (U+ - U)(1 + K^2/(U U+))/4. With them
 *     R^2 dU/dx = (1 - E)/B [4 x (U U_0 - K^2) + 2 K^2 (U + U_0)] + 2 x t (U+ - U)(U + L). */
static void flow_together(nnd_trained_mode start, double x, double time, nnd_trained_mode *end,
                          double *slope) {
    double m0 = start.product, sum = start.alpha + start.omega, k = start.alpha - start.omega;
    double k2 = k * k + 4.0 * fmax(start.alpha * start.omega - m0 * m0, 0.0);
    double r = sqrt(4.0 * x * x + k2), u0 = sum + 2.0 * m0;
    *slope = 0.0;
    *end = start;
    end->residual = x - m0;
    if (u0 == 0.0) /* at rest: neither layer has anything to start from */
        return;
    if (r == 0.0) { /* dm/dt = -2 m^2 */
        double left = 1.0 / (1.0 + time * sum);
        *end = (nnd_trained_mode){start.alpha * left, m0 * left, start.omega * left, -m0 * left};
        return;
    }
    double most = 2.0 * x + r, least = k2 / most, left = exp(-r * time), gone = -expm1(-r * time);
    double below = least + most * left + u0 * gone;
    double u = (u0 * (most + least * left) + k2 * gone) / below;
    double away = 2.0 * r * left * (most - u0) / below, m = 0.25 * (u - k2 / u);
    double slow = left > 0.0 ? 2.0 * x * time * away * (u + least) : 0.0;
    double du = (gone / below * (4.0 * x * (u * u0 - k2) + 2.0 * k2 * (u + u0)) + slow) / (r * r);
    /* (P + |k|)/2 and (P - |k|)/2, of which the product is m^2 + (K^2 - k^2)/4 */
    double more = 0.25 * (u + k2 / u) + 0.5 * fabs(k), less = (m * m + 0.25 * (k2 - k * k)) / more;
    *end = (nnd_trained_mode){k > 0.0 ? more : less, m, k > 0.0 ? less : more,
                              0.25 * away * (1.0 + k2 / (u * most))};
    *slope = m * du / u; /* dP = 2 m dU/U */
}

/* The readout stays: alpha' = 0, m' = alpha e, omega' = 2 e m. */
static void flow_alone(nnd_trained_mode start, double x, double time, nnd_trained_mode *end,
                       double *slope) {
    double m0 = start.product, e0 = x - m0;
    *end = start;
    end->residual = e0;
    *slope = 0.0;
    if (start.alpha == 0.0)
        return;
    double part = -expm1(-start.alpha * time), moved = e0 * part;
    end->product = m0 + moved;
    end->omega = start.omega + moved * (2.0 * m0 + moved) / start.alpha;
    end->residual = e0 * exp(-start.alpha * time);
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
    end->residual *= root;
    *slope /= root;
}
