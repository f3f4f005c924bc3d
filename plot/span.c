/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "plot/span.h"

const nnd_span nnd_span_empty = {INFINITY, -INFINITY};

void nnd_span_widen(nnd_span *span, double x) {
    span->min = fmin(span->min, x);
    span->max = fmax(span->max, x);
}

bool nnd_span_is_empty(nnd_span span) {
    return span.min > span.max;
}

bool nnd_span_is_point(nnd_span span) {
    return span.max - span.min <= 1e-9 * fmax(fabs(span.min), fabs(span.max));
}
