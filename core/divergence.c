/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/divergence.h"

#include <math.h>

/* A loss that rounding alone may reach. */
static const double ROUNDING = 1e-12;

double nnd_divergence_limit(double bound, double at_start, double of_zero) {
    return fmax(bound * fmax(at_start, of_zero), ROUNDING);
}

bool nnd_has_diverged(double limit, double value) {
    /* Not "value > limit": what is not a number has diverged. */
    return !(value <= limit) || isinf(value);
}

double nnd_half_mean_square(size_t n, const double *x) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum / (2.0 * (double)n);
}
