/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What modes of a fixed readout remember of their start (many-outputs.md#s2-1), and how many there
 * are of those that remember all. */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_MEMORY_H
#define NNDMFT_THEORY_MANY_OUTPUTS_MEMORY_H

#include <math.h>
#include <stdbool.h>

#include "nndmft/many_outputs.h"

/** q and 1 - q, neither by a difference where it is small. */
typedef struct {
    double left, gone;
} nnd_memory;

/** Of a mode whose error shrinks at the rate `lambda` >= 0, at a time in canonical variables;
 * `rate` is that of descent, or NaN for a flow. */
static inline nnd_memory nnd_memory_at(double rate, double time, double lambda) {
    double x = rate * lambda;
    if (lambda == 0.0 || time == 0.0)
        return (nnd_memory){1.0, 0.0};
    if (isnan(rate))
        return (nnd_memory){exp(-lambda * time), -expm1(-lambda * time)};
    if (x < 1.0)
        return (nnd_memory){exp(time * log1p(-x)), -expm1(time * log1p(-x))};
    double left = pow(1.0 - x, time); /* times are whole */
    return (nnd_memory){left, 1.0 - left};
}

/**
 * The null mass beside nodes that should have the weight `mass` and have `sum`: corrected by what
 * they miss (many-outputs.md#eq1) unless that is rounding, or training `ends`, when F has no limit
 * at lambda = 0.
 */
static inline double nnd_null_weight(double mass, bool ends, double sum) {
    const double rounding = 1e-14;
    return ends || fabs(sum - mass) < rounding ? 1.0 - mass : 1.0 - sum;
}

#endif
