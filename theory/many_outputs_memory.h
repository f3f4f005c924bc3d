/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a mode of a fixed readout remembers of its start: many-outputs.md#s2-1. */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_MEMORY_H
#define NNDMFT_THEORY_MANY_OUTPUTS_MEMORY_H

#include <math.h>

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

#endif
